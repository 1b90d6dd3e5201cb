"""Recalls by class that papers print, for radar charts: rows of `ifdd.data.published` that have them.

Those without a corpus before their name are of DFEW: on other clips they are no comparison, only the shape that the field knows.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from ifdd.data.published import published
from ifdd.errors import InputError
from workbench.analysis.performance.published import published_rows

CORPUS = "DFEW"
USUAL = ("C3D", "Former-DFER", "M3DFEL")
"""Drawn without being asked for, where the clips are DFEW's."""


def is_of_corpus(clips: pd.DataFrame) -> bool:
    """Whether a manifest says, in its column `corpus`, that all its clips are DFEW's."""
    return "corpus" in clips and bool((clips["corpus"].astype(str) == CORPUS).all())


def published_recalls(names: Sequence[str], labels: Sequence[str]) -> Mapping[str, tuple[float, ...]]:
    """Recalls as shares in the order of `labels`, by name.

    Raises: InputError as `published_rows`, and for a row without recalls.
    """
    rows = published_rows(names, labels)
    if lacking := [row for row in rows if not len(row.recalls)]:
        known = dict.fromkeys(row.method for row in published(lacking[0].corpus) if row.recalls)
        raise InputError(f"no recalls are printed of {lacking[0].name} on {lacking[0].corpus}; there are {', '.join(known)}")
    return {row.name: tuple(row.recalls.tolist()) for row in rows}
