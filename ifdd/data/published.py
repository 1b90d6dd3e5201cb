"""What papers print of methods on the corpora of the field, with where each number stands.

`published.csv` holds one row for each method, corpus and protocol, UAR and WAR in percent as they are printed. IFDD has none: its
paper's tables could not be had. None of the rows is measured here, and protocols differ (folds pooled or averaged, one clip of a
video or two, what a model was trained on before), so a row stands beside our numbers and in no test.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

from ifdd.data.corpora import CORPORA
from ifdd.errors import InputError

FILE = Path(__file__).with_name("published.csv")
_Z = 1.959963984540054


@dataclass(frozen=True)
class Published:
    """One printed result: UAR, WAR and recalls in percent; `protocol` as far as the source says it."""

    method: str
    corpus: str
    uar: float
    war: float
    protocol: str
    recalls: Mapping[str, float]
    recalls_source: str
    source: str
    note: str

    @property
    def clips(self) -> int:
        """Official test clips: of the fold that the row is of, else of all."""
        folds = CORPORA[self.corpus].counts
        fold = self.protocol.removeprefix("fold ")
        return folds[int(fold)].n_test if fold.isdecimal() else sum(counts.n_test for counts in folds.values())

    @property
    def war_interval(self) -> tuple[float, float]:
        """A 95 % interval of WAR in percent that we made, binomial (Wilson) from the official number of clips.

        It takes clips as independent, and knows nothing of seeds and of what was chosen.
        """
        share, n = self.war / 100, self.clips
        centre, half = share + _Z**2 / (2 * n), _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        scale = 100 / (1 + _Z**2 / n)
        return scale * (centre - half), scale * (centre + half)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the interval and the clips that it stands on."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return told | {"recalls": dict(self.recalls), "clips": self.clips, "war_interval": list(self.war_interval)}


@cache
def _rows() -> tuple[Published, ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Published(
                row["method"],
                row["corpus"],
                float(row["uar"]),
                float(row["war"]),
                row["protocol"],
                {name: float(value) for name, _, value in (cell.partition("=") for cell in row["recalls"].split())},
                row["recalls_source"],
                row["source"],
                row["note"],
            )
            for row in csv.DictReader(file)
        )


def published(corpus: str | None = None, method: str | None = None) -> tuple[Published, ...]:
    """Printed results of a corpus and of a method, in the order of the file; a name is matched but for case and signs.

    Raises:
        InputError: a corpus or a method of which there is none.

    Example:
        >>> [(row.uar, row.war) for row in published("dfew", "former dfer")]
        [(53.69, 65.7)]
    """
    rows = _rows()
    if corpus is not None:
        if corpus.casefold() not in (known := _corpora()):
            raise InputError(f"corpus {corpus!r}: nothing printed is known of it; there are {', '.join(known)}")
        rows = tuple(row for row in rows if row.corpus == corpus.casefold())
    if method is not None:
        found = tuple(row for row in rows if _key(row.method) == _key(method))
        if not found:
            where = f" on {corpus}" if corpus else ""
            raise InputError(f"nothing printed of {method!r} is known{where}; there are {', '.join(_methods(rows))}")
        rows = found
    return rows


def usual_row(method: str, corpus: str) -> Published:
    """The row of a method that tables print: over all folds, where there is one.

    Raises: InputError as `published`.
    """
    rows = published(corpus, method)
    return next((row for row in rows if not row.protocol.startswith("fold ")), rows[0])


def fitting_row(name: str, labels: Sequence[str]) -> Published:
    """The usual row that a name means, METHOD or CORPUS:METHOD (ferv39k:M3DFEL); of seven emotions without a corpus DFEW's.

    Raises:
        InputError: a corpus or method that nothing is known of, or one whose classes are not `labels`, in whatever order.

    Example:
        >>> fitting_row("ferv39k:M3DFEL", CORPORA["ferv39k"].labels).war
        47.67
    """
    corpus, _, method = name.rpartition(":")
    known = _corpora()
    fitting = [one for one in known if sorted(CORPORA[one].labels) == sorted(labels)]
    if not fitting or (corpus.casefold() in known and corpus.casefold() not in fitting):
        needed = CORPORA[corpus.casefold() if corpus.casefold() in known else known[0]].labels
        raise InputError(
            f"published rows are of {', '.join(needed)}, these models know {', '.join(labels)}; leave --published out"
        )
    return usual_row(method.strip(), corpus.strip().casefold() or fitting[0])


def _corpora() -> list[str]:
    """Names of the corpora that rows are of, in the order of `CORPORA`."""
    return [name for name in CORPORA if any(row.corpus == name for row in _rows())]


def _methods(rows: Iterable[Published]) -> list[str]:
    return list(dict.fromkeys(row.method for row in rows))


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
