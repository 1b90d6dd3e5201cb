"""FERV39k: 38,935 clips of 22 scenes; one split into 31,088 for training and 7,847 for testing.

Wang et al., "FERV39k: A Large-Scale Multi-Scene Dataset for Facial Expression Recognition in Videos", CVPR 2022. Faces lie in
`2_ClipsforFaceCrop/<Scene>/<Class>/<id>/`, whole pictures in `3_ClipsforScenImages/…` (column `scene_path`), lists in
`4_setups/All_scenes`.
A path names the class: a numbered list is read by it, and one that says another class is refused.
"""

import re
from collections.abc import Sequence

from ifdd.data.corpora.base import Counts, Factors, by_class
from ifdd.data.corpora.finding import Found
from ifdd.data.corpora.indexing import Corpus
from ifdd.labels import EMOTIONS

TRAIN = (5854, 5523, 7790, 5906, 2502, 1833, 1680)
TEST = (1473, 1393, 1958, 1487, 638, 467, 431)
"""Clips of each class; lists of DFER-CLIP, MAE-DFER and S2D agree."""
_CLASSES = dict(zip(EMOTIONS, ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear"), strict=True))
"""Class → the name of its folders."""
_EMOTIONS = {folder: label for label, folder in _CLASSES.items()}


def key_of(parts: tuple[str, ...]) -> tuple[str, int] | None:
    """Scene, class and number: the last three parts of a path.

    >>> key_of(("2_ClipsforFaceCrop", "Action", "Happy", "0267"))
    ('Action/Happy/0267', 3)
    """
    if len(parts) < 3 or not parts[-1].isdecimal() or parts[-2].lower() not in _CLASSES:
        return None
    return f"{parts[-3]}/{_CLASSES[parts[-2].lower()]}/{int(parts[-1]):04d}", 3


def class_of(clip: str) -> str | None:
    """The class in a clip's id."""
    return _EMOTIONS[clip.split("/")[1]]


def scenes(found: Found, clips: Sequence[str]) -> Factors:
    """The scene of each clip."""
    return Factors({"scene": {clip: clip.split("/")[0] for clip in clips}})


FERV39K = Corpus(
    name="ferv39k",
    title="FERV39k",
    labels=EMOTIONS,
    orders=("dfew", "alphabetical-7"),
    counts={0: Counts(by_class(EMOTIONS, TRAIN), by_class(EMOTIONS, TEST))},
    total=by_class(EMOTIONS, [one + other for one, other in zip(TRAIN, TEST, strict=True)]),
    key_of=key_of,
    class_of=class_of,
    factors=scenes,
    folders=("2_clipsforfacecrop", "3_clipsforscenimages"),
    scenes=("3_clipsforscenimages",),
    looked_for="2_ClipsforFaceCrop/<Scene>/<Class>/<id>/, and 4_setups/All_scenes/train_All.csv",
    no_lists=re.compile(r"4_setups/(?!all_scenes/)"),
    lists_needed=False,
    all_listed=True,
)
