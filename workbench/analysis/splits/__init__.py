"""Which frames does each group read, where, and does that follow the clip?"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
