"""Recalls by class that papers print, for radar charts. All on DFEW's five folds, in percent.

Source: the table of Anonymize-Author/SignificantOther (README); SVFAP-B: the paper's own (its Table 8). They are of DFEW: on
other clips they are no comparison, only the shape that the field knows.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from ifdd.errors import InputError

CORPUS = "DFEW"
CLASSES = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
RECALLS: dict[str, tuple[float, ...]] = {
    "C3D": (75.17, 39.49, 55.11, 62.49, 45.00, 1.38, 20.51),
    "P3D": (74.85, 43.40, 54.18, 60.42, 50.99, 0.69, 23.28),
    "I3D-RGB": (78.61, 44.19, 56.69, 55.87, 45.88, 2.07, 20.51),
    "3D ResNet18": (76.32, 50.21, 64.18, 62.85, 47.52, 0.00, 24.56),
    "R(2+1)D18": (79.67, 39.07, 57.66, 50.39, 48.26, 3.45, 21.06),
    "ResNet18+LSTM": (83.56, 61.56, 68.27, 65.29, 51.26, 0.00, 29.34),
    "ResNet18+GRU": (82.87, 63.83, 65.06, 68.51, 52.00, 0.86, 30.14),
    "EC-STFL": (79.18, 49.05, 57.85, 60.98, 46.15, 2.76, 21.51),
    "Former-DFER": (84.05, 62.57, 67.52, 70.03, 56.43, 3.45, 31.78),
    "NR-DFERNet": (88.47, 64.84, 70.03, 75.09, 61.60, 0.00, 19.43),
    "GCA+IAL": (87.95, 67.21, 70.10, 76.06, 62.22, 0.00, 26.44),
    "M3DFEL": (89.59, 68.38, 67.88, 74.24, 59.69, 0.00, 31.64),
    "LSGTNet": (90.67, 71.70, 70.48, 76.71, 65.01, 14.48, 40.24),
    "S2D (oversampled)": (93.95, 78.35, 70.25, 78.00, 61.88, 25.52, 50.22),
    "SVFAP-B": (93.13, 76.98, 72.31, 77.54, 65.42, 15.17, 39.25),
}
USUAL = ("C3D", "Former-DFER", "M3DFEL")
"""Drawn without being asked for, where the clips are DFEW's."""


def is_of_corpus(clips: pd.DataFrame) -> bool:
    """Whether a manifest says, in its column `corpus`, that all its clips are DFEW's."""
    return "corpus" in clips and bool((clips["corpus"].astype(str) == CORPUS).all())


def published_recalls(names: Sequence[str], labels: Sequence[str]) -> Mapping[str, tuple[float, ...]]:
    """Recalls as shares in the order of `labels`, by name.

    Raises: InputError for an unknown name, or labels that are not DFEW's seven.
    """
    if unknown := [name for name in names if name not in RECALLS]:
        raise InputError(f"no published recalls of {unknown[0]!r}; there are {', '.join(RECALLS)}")
    if names and sorted(labels) != sorted(CLASSES):
        raise InputError(
            f"published recalls are of {', '.join(CLASSES)}, these models know {', '.join(labels)}; leave --published out"
        )
    return {name: tuple(RECALLS[name][CLASSES.index(label)] / 100 for label in labels) for name in names}
