"""The concepts, one line each. Their order is that of `workbench --help`, of the report and of the app.

What a concept's folder holds says where it appears: `command.py` (an `app`) on the command line, `section.py` (a function
`section`) in the report, `page.py` (`TITLE`, `ICON`, and `NEEDS_LABELS`, what clips without labels leave unknown) in the app.
Each is loaded when it is asked for.
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Literal

CONCEPTS = (
    "performance",
    "agreement",
    "comparison",
    "confidence",
    "embedding",
    "splits",
    "saliency",
    "faithfulness",
    "disentanglement",
    "counterfactuals",
)

Face = Literal["command", "section", "page"]
"""Where a concept can be seen. Nothing else imports these modules."""


def faces(kind: Face) -> dict[str, ModuleType]:
    """The modules of that name, by concept; concepts whose folder has none are left out.

    >>> faces("page")["confidence"].TITLE
    'Confidence'
    """
    places = {concept: f"workbench.analysis.{concept}.{kind}" for concept in CONCEPTS}
    return {concept: import_module(place) for concept, place in places.items() if find_spec(place) is not None}
