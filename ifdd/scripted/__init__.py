"""ScriptedFaces: clips of a face made in code, each with its truth.

`script` says what happens, `head` (or another `face.FaceModel`) what it happens to, `raster` draws it, `truth` and `regions` say
what there is to see, `suites` names sets of clips, `suite` and `cache` make them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
