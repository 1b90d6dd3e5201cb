"""Is the disentanglement real? What the groups read, what the branches know, where their maps lie, what they share."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
