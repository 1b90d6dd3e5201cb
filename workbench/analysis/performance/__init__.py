"""How good is the model? WAR, UAR and recalls with intervals, the confusion matrix, what a constant guess reaches."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
