"""The concepts, one line each. Their order is that of `workbench --help`, of the report and of the app.

What a concept's folder holds says where it appears: `command.py` (an `app`) on the command line, `section.py` (a function
`section`) in the report, `page.py` (`TITLE`, `ICON`; `SECTION`, the part of the navigation, by default
Features; `NEEDS_LABELS`, what clips without labels leave unknown) in the app.
Each is loaded when it is asked for.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Literal

from ifdd.errors import InputError

CONCEPTS = (
    "performance",
    "agreement",
    "comparison",
    "confidence",
    "training",
    "embedding",
    "splits",
    "saliency",
    "faithfulness",
    "disentanglement",
    "counterfactuals",
    "streams",
)

Face = Literal["command", "section", "page"]
"""Where a concept can be seen. Nothing else imports these modules."""

OWED: dict[Face, tuple[str, ...]] = {"command": ("app",), "section": ("section",), "page": ("TITLE", "ICON")}
HERE = Path(__file__).parent


def faces(kind: Face) -> dict[str, ModuleType]:
    """The modules of that name, by concept; concepts whose folder has none are left out.

    Raises:
        InputError: a concept that has no folder, stands there twice, or whose module lacks what it owes.

    >>> faces("page")["confidence"].TITLE
    'Confidence'
    """
    found: dict[str, ModuleType] = {}
    for number, concept in enumerate(CONCEPTS):
        if not (HERE / concept / "__init__.py").is_file():
            raise InputError(
                f"{__file__} names {concept!r}, and {HERE / concept}/__init__.py is missing; is it spelt as its folder?"
            )
        if concept in CONCEPTS[:number]:
            raise InputError(f"{__file__} names {concept!r} twice; leave one line")
        place = f"workbench.analysis.{concept}.{kind}"
        if find_spec(place) is None:
            continue
        found[concept] = import_module(place)
        if missing := [name for name in OWED[kind] if not hasattr(found[concept], name)]:
            raise InputError(f"{found[concept].__file__} has no {' and no '.join(missing)}; see docs/adding_an_analysis.md")
    return found
