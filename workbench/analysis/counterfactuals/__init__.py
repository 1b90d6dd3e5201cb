"""What would the model have said of another clip? Edits of frames and features, and what they change."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
