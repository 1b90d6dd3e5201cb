"""What VideoMAE and those who began from it (MAE-DFER, S2D …) write when they test: a line for each view of a clip.

    path [logits] label chunk view

The first line of such a file holds two accuracies. As their own `merge`, the softmax is taken view by view and averaged over the
views of a clip, each counted once (a distributed sampler repeats some). Source: sunlicai/MAE-DFER, engine_for_finetuning.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from ifdd.errors import InputError

_LINE = re.compile(r"(?P<id>.+?)\s*\[(?P<values>[^\[\]]*)\]\s+(?P<label>-?\d+)\s+(?P<chunk>\d+)\s+(?P<view>\d+)")
_FIRST = 3
"""Lines of a file by which it is known."""


@dataclass(frozen=True, eq=False)
class Views:
    """Clips in the order of the file: probabilities (n, classes), and label numbers (n,)."""

    ids: list[str]
    probs: np.ndarray
    labels: np.ndarray
    notes: tuple[str, ...]


def is_views(text: str) -> bool:
    """Whether one of the first lines is of this form.

    >>> is_views("0.0, 0.0\\na/1 [0.5, -1.0] 3 0 2\\n"), is_views("path,p_happy\\na/1,0.5")
    (True, False)
    """
    return any(_LINE.fullmatch(line.strip()) for line in text.split("\n", _FIRST)[:_FIRST])


def average_views(texts: Mapping[Path, str]) -> Views:
    """The mean over the views of each clip, of one file or of those of all processes, by their names.

    Raises: InputError for a line of another form, other numbers of values, or two labels of one clip.
    """
    views: dict[str, dict[tuple[str, str], np.ndarray]] = {}
    labels: dict[str, int] = {}
    width = None
    lines = ((file, number, line) for file, text in texts.items() for number, line in enumerate(text.splitlines(), 1))
    for source, number, line in lines:
        if not line.strip() or (number == 1 and "[" not in line):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise InputError(f"{source}, line {number}: {line.strip()[:60]!r} is not `path [logits] label chunk view`; mend it")
        try:
            values = np.array([float(part) for part in found["values"].split(",")])
        except ValueError:
            raise InputError(f"{source}, line {number}: {found['values'][:60]!r} are no numbers with commas; mend it") from None
        width = width or len(values)
        if len(values) != width:
            raise InputError(f"{source}, line {number}: {len(values)} values, the lines before have {width}; mend it")
        if not np.isfinite(values).all():
            raise InputError(f"{source}, line {number}: a value of {found['id']} is NaN or infinite; test the model again")
        if labels.setdefault(found["id"], int(found["label"])) != int(found["label"]):
            raise InputError(f"{source}, line {number}: {found['id']} has two labels; mend it")
        views.setdefault(found["id"], {}).setdefault((found["chunk"], found["view"]), softmax(values))
    if not views:
        raise InputError(f"{', '.join(map(str, texts))}: holds no line `path [logits] label chunk view`; test the model again")
    probs = np.stack([np.mean(list(each.values()), 0) for each in views.values()])
    most = max(map(len, views.values()))
    note = f"softmax of each view's logits, averaged over up to {most} view{'s' * (most > 1)} of a clip"
    return Views(list(views), probs, np.array([labels[clip] for clip in views]), (note,))
