"""CREMA-D: 7,442 clips of 91 actors, who say twelve sentences in six emotions.

Cao et al., "CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset", IEEE Transactions on Affective Computing 5 (2014). The
name of a clip, `1001_DFA_HAP_XX.flv`, tells actor, sentence, emotion and intensity; `VideoDemographics.csv` tells age and sex of
the actors, `processedResults/tabulatedVotes.csv` what viewers who saw the face alone chose. There are no official folds.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ifdd.data.corpora.base import Factors, by_class
from ifdd.data.corpora.finding import Found
from ifdd.data.corpora.indexing import Corpus
from ifdd.data.corpora.orders import CREMA_D_LABELS
from ifdd.data.manifest.columns import numbers
from ifdd.data.manifest.table import read_columns
from ifdd.data.persons import person_ids
from ifdd.errors import InputError

EMOTION = {"HAP": "happy", "SAD": "sad", "NEU": "neutral", "ANG": "angry", "DIS": "disgust", "FEA": "fear"}
INTENSITY = {"LO": "low", "MD": "medium", "HI": "high", "XX": ""}
"""Asked for with the sentence IEO alone; "" where it is not specified."""
VOTE = {"H": "happy", "S": "sad", "N": "neutral", "A": "angry", "D": "disgust", "F": "fear"}
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX)")
_FACE = range(200_000, 300_000)
"""Rows of tabulatedVotes.csv whose viewers saw the face alone: 100,000 × query type (2) + number of the clip."""
_DEMOGRAPHICS = {"Age": "age", "Sex": "sex", "Race": "race", "Ethnicity": "ethnicity"}


def key_of(parts: tuple[str, ...]) -> tuple[str, int] | None:
    """A clip's name.

    >>> key_of(("VideoFlash", "1001_DFA_HAP_XX"))
    ('1001_DFA_HAP_XX', 1)
    """
    found = _NAME.fullmatch(parts[-1].upper())
    return (found[0], 1) if found and found[3] in EMOTION else None


def class_of(clip: str) -> str | None:
    """The emotion in a clip's name."""
    return EMOTION[clip.split("_")[2]]


def factors(found: Found, clips: Sequence[str]) -> Factors:
    """Actor, sentence and intensity of each clip, age and sex of the actors, and votes, where tables beside the clips tell them.

    Raises: InputError for a table of another shape.
    """
    parts = {clip: clip.split("_") for clip in clips}
    columns: dict[str, Mapping[str, Any]] = {
        "subject": {clip: part[0] for clip, part in parts.items()},
        "sentence": {clip: part[1] for clip, part in parts.items()},
        "intensity": {clip: INTENSITY[part[3]] or None for clip, part in parts.items()},
    }
    tables = {PurePosixPath(name).name.lower(): name for name in reversed(found.lists)}
    notes: tuple[str, ...] = ()
    if (name := tables.get("videodemographics.csv")) is not None:
        people, notes = _people(found, name, parts)
        columns |= people
    if (name := tables.get("tabulatedvotes.csv")) is not None:
        columns |= _votes(found, name)
    return Factors(columns, notes=notes)


def _people(found: Found, name: str, parts: Mapping[str, Sequence[str]]) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    file, table = read_columns(found.root / name)
    if "ActorID" not in table.columns:
        raise InputError(
            f"{file}: the columns are {', '.join(map(str, table.columns))}; VideoDemographics.csv has ActorID, Age, Sex, …"
        )
    rows = {person: row for row, person in enumerate(person_ids(table["ActorID"]))}
    columns: dict[str, dict[str, Any]] = {}
    for told, column in _DEMOGRAPHICS.items():
        if told in table.columns:
            values = table[told].tolist()
            columns[column] = {clip: values[rows[part[0]]] for clip, part in parts.items() if part[0] in rows}
    unknown = sorted({part[0] for part in parts.values()} - set(rows))
    return columns, (f"{name} does not know {len(unknown)} actors, e.g. {unknown[0]}",) if unknown else ()


def _votes(found: Found, name: str) -> dict[str, dict[str, float]]:
    file, table = read_columns(found.root / name)
    key = next((column for column in table.columns if str(column).strip() in ("", "Unnamed: 0")), None)
    wanted = {*VOTE, "fileName"}
    if not wanted <= set(table.columns) or (key is None and len(table.columns) < len(wanted) + 1):
        raise InputError(
            f"{file}: the columns are {', '.join(map(str, table.columns))}; tabulatedVotes.csv has A, D, F, H, N, S, fileName"
        )
    rows = numbers(table[key if key is not None else table.columns[0]], "the number of a row", file, whole=True)
    face = [row in _FACE for row in rows]
    clips = [str(clip).upper() for clip, seen in zip(table["fileName"], face, strict=True) if seen]
    return {
        f"votes_{label}": dict(zip(clips, numbers(table[letter][face], letter, file).tolist(), strict=True))
        for letter, label in VOTE.items()
    }


CREMA_D = Corpus(
    name="crema-d",
    title="CREMA-D",
    labels=CREMA_D_LABELS,
    orders=("alphabetical-6", "crema-d"),
    counts={},
    total=by_class(CREMA_D_LABELS, (1271, 1271, 1087, 1271, 1271, 1271)),
    key_of=key_of,
    class_of=class_of,
    factors=factors,
    folders=("videoflash", "face_aligned"),
    looked_for="videos or folders named 1001_DFA_HAP_XX, …",
    lists_needed=False,
)
