"""Orders in which public lists and code number the classes: a number means nothing before its order is known."""

from collections.abc import Sequence
from types import MappingProxyType

from ifdd.labels import EMOTIONS, meant_class

MAFW_LABELS: tuple[str, ...] = (*EMOTIONS, "contempt", "anxiety", "helplessness", "disappointment")
"""The eleven single labels of MAFW in our order: the seven emotions, then its own four as its paper orders them."""
CREMA_D_LABELS: tuple[str, ...] = tuple(name for name in EMOTIONS if name != "surprise")
"""The six classes of CREMA-D in our order."""
RAVDESS_LABELS: tuple[str, ...] = (*EMOTIONS, "calm")
"""The eight classes of RAVDESS in our order; calm is a class of its own."""

ORDERS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "dfew": EMOTIONS,
        "alphabetical-7": ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
        "mafw-paper": (
            *("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"),
            *("contempt", "anxiety", "helplessness", "disappointment"),
        ),
        "mafw-dfer-clip": MAFW_LABELS,
        "mafw-alphabetical": (
            *("angry", "anxiety", "contempt", "disappointment", "disgust", "fear"),
            *("happy", "helplessness", "neutral", "sad", "surprise"),
        ),
        "alphabetical-6": ("angry", "disgust", "fear", "happy", "neutral", "sad"),
        "crema-d": CREMA_D_LABELS,
        "ravdess": ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"),
    }
)
"""Known orders: name → classes by their number, from 0, in the names of `ifdd.labels` and of MAFW."""
SOURCES: MappingProxyType[str, str] = MappingProxyType(
    {
        "dfew": "DFEW's own numbers less 1 (jiangxingxun/DFEW README); lists of DFER-CLIP and MAE-DFER for DFEW and FERV39k",
        "alphabetical-7": "FERV39k in CyberPegasus/IFDD (FERV39k.py:42) and MSA-LMC/S2D (FERV39K/Annotation/label_index.txt)",
        "mafw-paper": "MAFW's paper (Table 3), MAE-DFER, EmoCLIP, CyberPegasus/IFDD (MAFW.py:44)",
        "mafw-dfer-clip": "MAFW lists of zengqunzhao/DFER-CLIP: DFEW's order, then MAFW's own four",
        "mafw-alphabetical": "MAFW lists of MSA-LMC/S2D (single/no_caption/id_to_calss.txt)",
        "alphabetical-6": "the alphabet, as folders of the six classes of CREMA-D are sorted",
        "crema-d": "DFEW's order without surprise: the order of this project",
        "ravdess": "the third part of a RAVDESS file name, 01 to 08, less 1 (its README)",
    }
)
"""Who numbers the classes in such an order."""


def known_order(names: Sequence[str]) -> str | None:
    """The known order that lists these names, in whatever spelling; None where there is none.

    >>> known_order(("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"))
    'alphabetical-7'
    >>> known_order(("sadness", "happiness")) is None
    True
    """
    for name, order in ORDERS.items():
        if len(order) == len(names) and all(meant_class(one, order) == other for one, other in zip(names, order, strict=True)):
            return name
    return None
