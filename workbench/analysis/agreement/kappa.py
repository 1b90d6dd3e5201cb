"""How far do two models agree, beyond what chance gives?"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from ifdd.metrics import Units, count_units, estimate_share
from workbench.analysis.agreement.results import AgreementResult, PairAgreement
from workbench.results.checks import check_labels
from workbench.results.interval import NOT_KNOWN, Interval
from workbench.results.provenance import record


def agree(
    models: Mapping[str, ArrayLike],
    groups: ArrayLike | None = None,
    *,
    label_names: Sequence[str],
    clip_ids: Sequence[str] | None = None,
) -> AgreementResult:
    """Share of clips that each two models call alike, Cohen's kappa, and the clips that they call differently.

    Intervals of the share are those of `ifdd.metrics`, over persons where `groups` names them; kappa's have the same bounds, with
    the agreement by chance held fixed.

    Args:
        models: by name, (n,) predicted class indexes.
        groups: (n,) persons, as in `ifdd.metrics.count_units`.
        label_names: one name per class.
        clip_ids: (n,) names of the clips; by default their row.

    Raises:
        InputError: fewer than two models, no clips, other numbers of clips, indexes without a name.

    Source: Cohen 1960, A coefficient of agreement for nominal scales.

    >>> found = agree({"a": [0, 0, 1, 1], "b": [0, 1, 1, 1]}, label_names=["happy", "sad"]).pairs[0]
    >>> found.same.value, found.chance, found.kappa.value, found.differ.tolist()
    (0.75, 0.5, 0.5, [1])
    """
    if len(models) < 2:
        raise InputError(f"{len(models)} model given; agreement needs two or more on the same clips")
    names = tuple(map(str, label_names))
    n = len(np.asarray(next(iter(models.values()))))
    if not n:
        raise InputError("no clips given; agreement needs one or more")
    predicted = {name: check_labels(values, n, len(names), what=f"{name}: predictions") for name, values in models.items()}
    ids = tuple(map(str, range(n) if clip_ids is None else clip_ids))
    if len(ids) != n:
        raise InputError(f"clip_ids has {len(ids)} names for {n} clips; pass one per clip")
    units = count_units(None if groups is None else np.asarray(groups), n)
    return AgreementResult(
        label_names=names,
        clip_ids=ids,
        predicted=predicted,
        pairs=tuple(_pair(first, second, predicted, len(names), units) for first, second in combinations(predicted, 2)),
        units=str(units),
        notes=units.notes,
        provenance=record("kappa.agree", {"models": list(predicted)}, {f"predicted {key}": y for key, y in predicted.items()}),
    )


def _pair(first: str, second: str, predicted: Mapping[str, np.ndarray], classes: int, units: Units) -> PairAgreement:
    one, other = predicted[first], predicted[second]
    counts = np.bincount(one * classes + other, minlength=classes**2).reshape(classes, classes)
    alike = estimate_share((one == other).astype(np.float64), units)
    chance = float(counts.sum(1) @ counts.sum(0)) / len(one) ** 2
    same = Interval(alike.value, *alike.bounds)
    kappa = NOT_KNOWN
    if not math.isclose(chance, 1):
        kappa = Interval(*((share - chance) / (1 - chance) for share in (same.value, same.low, same.high)))
    return PairAgreement(first, second, same, chance, kappa, counts, np.flatnonzero(one != other))
