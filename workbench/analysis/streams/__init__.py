"""What does each of two inputs, a face and the scene around it, do to a model's answers?"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
