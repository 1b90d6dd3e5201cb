"""Weights from elsewhere: the released code's, torchvision's, CLIP's; each loaded whole, or refused with what does not fit."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
