"""Rows of papers that fit the labels of our models."""

from collections.abc import Sequence

import numpy as np

from ifdd.data.published import CLASSES, usual_row
from ifdd.errors import InputError
from workbench.analysis.performance.results import PublishedRow
from workbench.results.interval import Interval

TITLES = {"dfew": "DFEW", "ferv39k": "FERV39k", "mafw": "MAFW"}


def published_rows(names: Sequence[str], labels: Sequence[str]) -> tuple[PublishedRow, ...]:
    """Rows by name: METHOD, or CORPUS:METHOD (ferv39k:M3DFEL); of seven emotions without a corpus DFEW's.

    Raises:
        InputError: a corpus or method that nothing is known of, or one whose classes are not `labels`.

    Example:
        >>> from ifdd.labels import EMOTIONS
        >>> (row,) = published_rows(["M3DFEL"], EMOTIONS)
        >>> str(row.war), row.corpus
        ('69.2 % [68.4, 70.1]', 'DFEW')
    """
    return tuple(_row(name, labels) for name in names)


def _row(name: str, labels: Sequence[str]) -> PublishedRow:
    corpus, _, method = name.rpartition(":")
    fitting = [known for known, classes in CLASSES.items() if sorted(classes) == sorted(labels)]
    if not fitting or (corpus.casefold() in CLASSES and corpus.casefold() not in fitting):
        needed = CLASSES.get(corpus.casefold(), CLASSES["dfew"])
        raise InputError(
            f"published rows are of {', '.join(needed)}, these models know {', '.join(labels)}; leave --published out"
        )
    row = usual_row(method.strip(), corpus.strip().casefold() or fitting[0])
    low, high = row.war_interval
    recalls = [row.recalls[label] / 100 for label in labels] if row.recalls else []
    war = Interval(row.war / 100, low / 100, high / 100)
    title = TITLES[row.corpus]
    return PublishedRow(row.method, title, row.clips, war, row.uar / 100, np.array(recalls), row.protocol, row.source)
