"""The corpora of the field: what their folders and lists look like, what their numbers mean, and the official counts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
