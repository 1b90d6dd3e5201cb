"""Rows of papers that fit the labels of our models."""

from collections.abc import Sequence

import numpy as np

from ifdd.data.corpora import CORPORA
from ifdd.data.published import fitting_row, published
from workbench.analysis.performance.results import PublishedRow
from workbench.results.interval import Interval


def published_rows(names: Sequence[str], labels: Sequence[str]) -> tuple[PublishedRow, ...]:
    """Rows by name, as `ifdd.data.published.fitting_row` understands them.

    Raises:
        InputError: as `fitting_row`.

    Example:
        >>> from ifdd.labels import EMOTIONS
        >>> (row,) = published_rows(["M3DFEL"], EMOTIONS)
        >>> str(row.war), row.corpus
        ('69.2 % [68.4, 70.1]', 'DFEW')
    """
    return tuple(_row(name, labels) for name in names)


def fitting_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Names of all rows of papers with these classes, CORPUS:METHOD, as `published_rows` takes them.

    >>> fitting_names(["yes", "no"])
    ()
    """
    fitting = {name for name, corpus in CORPORA.items() if sorted(corpus.labels) == sorted(labels)}
    return tuple(dict.fromkeys(f"{row.corpus}:{row.method}" for row in published() if row.corpus in fitting))


def _row(name: str, labels: Sequence[str]) -> PublishedRow:
    row = fitting_row(name, labels)
    low, high = row.war_interval
    recalls = [row.recalls[label] / 100 for label in labels] if row.recalls else []
    war = Interval(row.war / 100, low / 100, high / 100)
    title = CORPORA[row.corpus].title
    return PublishedRow(row.method, title, row.clips, war, row.uar / 100, np.array(recalls), row.protocol, row.source)
