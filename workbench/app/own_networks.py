"""Networks of the user's own that the app was started with: `workbench app --model MODULE:FACTORY`."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ifdd.errors import InputError
from ifdd.own_code import MODELS

if TYPE_CHECKING:
    from ifdd.checkpoints import Bundle


def own_bundles(taken: Sequence[str] = ()) -> "dict[str, Bundle]":
    """The networks that $IFDD_MODELS names, by name; loads torch only where there is one.

    Raises: InputError as `load_own`, or for a name that another one has, or a checkpoint.
    """
    found: dict[str, Bundle] = {}
    for text in filter(None, os.environ.get(MODELS, "").splitlines()):
        from ifdd.adapting import load_own

        bundle = load_own(text)
        if bundle.name in found or bundle.name in taken:
            raise InputError(f"--model {text}: another model is called {bundle.name}; give adapt another name=")
        found[bundle.name] = bundle
    return found
