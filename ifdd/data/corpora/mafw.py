"""MAFW: 10,045 clips, of which 9,172 have a single one of eleven classes; five folds.

Liu et al., "MAFW: A Large-scale, Multi-modal, Compound Affective Database for Dynamic Facial Expression Recognition in the Wild",
ACM MM 2022. Clips are `00001.mp4`, or folders of frames of that name: faces in `faces`, `face` or `clips_faces`, whole pictures
in `frames` or `clips` (column `scene_path`). Lists are `single/no_caption/set_1/train.txt` with lines `03747.mp4 anger`, the same
with captions, `single_label.txt` without folds, and the numbered lists of DFER-CLIP, MAE-DFER and S2D. Compound labels of the
multi set are refused.
"""

import re

from ifdd.data.corpora.base import folds_of
from ifdd.data.corpora.dfew import key_of
from ifdd.data.corpora.indexing import Corpus
from ifdd.data.corpora.orders import MAFW_LABELS

TESTS = (
    (249, 294, 228, 278, 215, 128, 125, 48, 184, 53, 37),
    (249, 294, 228, 278, 215, 128, 125, 47, 183, 53, 37),
    (248, 294, 228, 278, 214, 128, 125, 47, 183, 52, 36),
    (248, 294, 227, 278, 214, 128, 125, 47, 183, 52, 36),
    (248, 294, 227, 278, 214, 127, 125, 47, 183, 52, 36),
)
"""Clips of each class in the test part of each fold; lists of DFER-CLIP, MAE-DFER and S2D agree."""

MAFW = Corpus(
    name="mafw",
    title="MAFW",
    labels=MAFW_LABELS,
    orders=("mafw-paper", "mafw-dfer-clip", "mafw-alphabetical"),
    counts=folds_of(MAFW_LABELS, TESTS),
    total=dict(zip(MAFW_LABELS, map(sum, zip(*TESTS, strict=True)), strict=True)),
    key_of=key_of,
    folders=("faces", "face", "clips_faces", "frames", "clips"),
    scenes=("frames", "clips"),
    looked_for="videos or folders named 00001, … (clips/00001.mp4, frames/00001/), and single/no_caption/set_1/train.txt",
    whole_list=re.compile(r"single[_-]?(?:label|set).*\.(?:txt|csv|tsv)"),
    no_lists=re.compile(r"multi|compound"),
)
