"""Whether clips are what their list says: one file a check, all of one shape (`findings.Finding`)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
