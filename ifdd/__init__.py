"""IFDD: a dynamic facial expression recognition model that splits a clip into what moves and what stays, and its baselines."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
