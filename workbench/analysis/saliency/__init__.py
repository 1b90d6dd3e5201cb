"""Where does the evidence for a class lie? Maps of any activation, attribution to pixels, frames and parts of the face."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
