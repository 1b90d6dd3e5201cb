"""DFEW: 16,372 clips of films, of which 11,697 have a single label; five folds.

Jiang et al., "DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions in the Wild", ACM MM 2020. Layouts: the
official one, `Clip/clip_224x224[_16f]/00001/*.jpg` with `EmoLabel_DataSplit/{train,test}(single-labeled)/set_1.csv`; the one of
jiangxingxun/DFEW, `data/00001/00001_00001.jpg` with `label/single_trainset_1.csv`; and the lists of DFER-CLIP, MAE-DFER and S2D.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import pandas as pd

from ifdd.data.corpora.base import Factors, folds_of
from ifdd.data.corpora.finding import Found
from ifdd.data.corpora.indexing import Corpus
from ifdd.data.manifest.columns import numbers
from ifdd.data.manifest.table import read_columns
from ifdd.documents import shown
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS, meant_class

TESTS = (
    (489, 379, 534, 435, 294, 29, 181),
    (489, 379, 534, 435, 294, 29, 181),
    (489, 379, 534, 435, 294, 29, 180),
    (489, 379, 534, 434, 294, 29, 180),
    (489, 378, 533, 434, 293, 29, 180),
)
"""Clips of each class in the test part of each fold; lists of DFER-CLIP, MAE-DFER and S2D agree."""
_ID = re.compile(r"\d{1,5}(?:\.0+)?")
_VOTE = re.compile(r"(?P<number>\d)\s*(?P<name>[a-z]+)", re.IGNORECASE)


def key_of(parts: tuple[str, ...]) -> tuple[str, int] | None:
    """The number of a clip with five digits: a spreadsheet drops zeros in front.

    >>> key_of(("Clip", "original", "1")), key_of(("EmoLabel_DataSplit", "set_1"))
    (('00001', 1), None)
    """
    name = parts[-1]
    return (f"{int(float(name)):05d}", 1) if _ID.fullmatch(name) else None


def votes(found: Found, clips: Sequence[str]) -> Factors:
    """How many of ten annotators chose each class, and their label, from `Annotation/annotation.csv`.

    Its columns are 1happy,2sad,3neutral,4angry,5surprise,6disgust,7fear,order,label; label 0 is of clips without a single one.

    Raises: InputError for a table of another shape.
    """
    names = [name for name in found.lists if PurePosixPath(name).name.lower() in ("annotation.csv", "annotation.tsv")]
    if not names:
        there = sorted(path.name for path in (found.root / "Annotation").glob("*.xlsx"))
        return Factors(
            notes=tuple(f"Annotation/{name} is not read; save it as annotation.csv to have the votes" for name in there)
        )
    file, table = read_columns(found.root / names[0])
    columns: dict[str, dict[str, float]] = {}
    heads = {str(name): _VOTE.fullmatch(str(name).strip()) for name in table.columns}
    classes = {name: head and meant_class(head["name"], EMOTIONS) for name, head in heads.items()}
    order = next((name for name in table.columns if str(name).strip().lower() in ("order", "video_name", "name")), None)
    if order is None or set(classes.values()) - {None} != set(EMOTIONS):
        raise InputError(
            f"{file}: the columns are {', '.join(map(str, table.columns))}; DFEW's annotation.csv has 1happy, …, 7fear, order, "
            "label"
        )
    ids = []
    for row, value in enumerate(table[order]):
        key = key_of((str(value),))
        if key is None:
            raise InputError(f"{file}: {order} is {shown(value)} in row {row}, no number of a clip; write it anew")
        ids.append(key[0])
    if twice := pd.Series(ids)[pd.Series(ids).duplicated()].tolist():
        raise InputError(f"{file}: clip {twice[0]} is there twice; list each clip once")
    for name, label in classes.items():
        if label is not None:
            counts = numbers(table[name], name, file)
            columns[f"votes_{label}"] = dict(zip(ids, counts.tolist(), strict=True))
    columns = {f"votes_{label}": columns[f"votes_{label}"] for label in EMOTIONS}
    labels: dict[str, str] = {}
    if "label" in table.columns:
        for clip, number in zip(ids, numbers(table["label"], "label", file, whole=True), strict=True):
            if number > len(EMOTIONS):
                raise InputError(f"{file}: label is {number:g} for clip {clip}; DFEW's go from 1 to 7, 0 for none")
            if number > 0:
                labels[clip] = EMOTIONS[int(number) - 1]
    return Factors(columns, labels, str(file))


DFEW = Corpus(
    name="dfew",
    title="DFEW",
    labels=EMOTIONS,
    orders=("dfew",),
    counts=folds_of(EMOTIONS, TESTS),
    total=dict(zip(EMOTIONS, map(sum, zip(*TESTS, strict=True)), strict=True)),
    key_of=key_of,
    folders=(
        *("clip_224x224", "jpg_224", "clip_jpg_224", "jpg_256", "clip_jpg_256", "clip_256x256", "dfew_frame_face"),
        *("clip_224x224_avi", "original", "data", "clip_224x224_16f", "clip_224x16f"),
    ),
    looked_for="folders or videos named 00001, … (Clip/clip_224x224/00001/*.jpg), and lists such as "
    "EmoLabel_DataSplit/train(single-labeled)/set_1.csv",
    factors=votes,
    parts_of_one=re.compile(r"part[_-]?\d+", re.IGNORECASE),
)
