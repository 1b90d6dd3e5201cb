"""Do models say the same of the same clips? How many they call alike, Cohen's kappa, where they differ; without labels, too."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
