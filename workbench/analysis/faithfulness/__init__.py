"""Is a map true? Tests that a map can fail, and the verdict that is shown beside it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
