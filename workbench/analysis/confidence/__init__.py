"""How sure is the model, and is it right to be? Densities of its probabilities, calibration, annotators' votes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
