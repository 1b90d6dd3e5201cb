"""Is one model better than another on the same clips, or is it luck? Differences, flips, slices, seeds."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
