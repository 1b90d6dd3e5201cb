"""What do a split's places depend on: on what happens in the clip, or on who is in it? From arrays alone.

One measure under one name: `content R²` is the R² of the places that both groups read, regressed on X of every feature frame (its
means over space side by side, so that a linear model sees what varies in time), for people never seen. Means over time as well
would hide all that a split could follow.
"""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from ifdd.errors import InputError
from workbench.analysis._probing import DIMENSIONS, FOLDS, PENALTIES
from workbench.analysis.splits.places import RESAMPLES, STILL
from workbench.analysis.splits.results import ContentScore
from workbench.results.bootstrap import draw_weights, group_members, jackknife, rows_of_groups, spread
from workbench.results.checks import check_finite
from workbench.results.controls import dealt_clips, other_clips
from workbench.results.interval import Interval

INTENSITY = "true intensity"
"""The content that a split which is told the truth must follow: its positive control."""


DEALS = 20
"""How often clips are dealt to other persons, for the null of the persons' share."""


def per_frame(features: np.ndarray) -> np.ndarray:
    """Means over space (n, C, T') → the content (n, C·T') of `content R²`. Raises: InputError for another shape."""
    array = check_finite(features, 3, "features")
    return array.reshape(len(array), -1)


def content_score(
    name: str, content: np.ndarray, places: np.ndarray, *, groups: ArrayLike | None = None, seed: int = 0
) -> ContentScore:
    """R² of places (n, steps) from content (n, d), by ridge regression on at most 32 principal components, out of fold.

    Folds share no group; without groups, no clip. All steps count by their variance.

    Source: Hoerl and Kennard 1970 (ridge regression).

    Raises:
        InputError: shapes that do not fit, values that are not finite, or fewer than two groups.

    >>> pose = np.random.default_rng(0).normal(size=(40, 2))
    >>> found = content_score("pose", pose, 3 - pose, groups=np.arange(40) % 8)  # places follow the pose
    >>> round(found.r2.value, 2)
    1.0
    """
    x, y = check_finite(content, 2, name), check_finite(places, 2, "places")
    if len(x) != len(y):
        raise InputError(f"{name} has {len(x)} clips, the places have {len(y)}; pass the same clips")
    members = group_members(groups, len(y))
    if members.max() < 1:
        raise InputError("all clips are of one group; a prediction for people never seen needs at least two")
    draws = draw_weights(members, RESAMPLES, seed)
    unknown = Interval(float("nan"), float("nan"), float("nan"))
    if y.std(0).max() < STILL:
        return ContentScore(name, unknown, float("nan"), unknown, float("nan"))
    null = float(np.mean([_r2(x[other], y, members, draws[:0], seed).value for other in other_clips(members, 3, seed)]))
    r2, within, within_null = _r2(x, y, members, draws, seed), unknown, float("nan")
    several = np.bincount(members)[members] > 1
    if groups is not None and len(np.unique(members[several])) > 1:
        own_x, own_y = (_from_own_mean(array, members)[several] for array in (x, y))
        if own_y.std(0).max() >= STILL:
            rest, drawn = members[several], draws[:, several]
            within = _r2(own_x, own_y, rest, drawn, seed)
            apart = other_clips(np.unique(rest, return_inverse=True)[1], 3, seed)
            shuffled = [_r2(own_x[other], own_y, rest, drawn[:0], seed).value for other in apart]
            within_null = float(np.mean(shuffled))
    return ContentScore(name, r2, null, within, within_null)


def group_share(offsets: np.ndarray, groups: ArrayLike) -> float:
    """Share, in [0, 1], of the variance of offsets (n, steps) that lies between groups (persons); chance is 0, NaN if undefined.

    One-way analysis of variance with groups of unequal size; the group's own sampling error is taken off.
    """
    y = check_finite(offsets, 2, "offsets")
    members = group_members(groups, len(y))
    sizes = np.bincount(members)
    n, count = len(y), len(sizes)
    if count < 2 or n <= count or y.std(0).max() < STILL:
        return float("nan")
    inner = (_from_own_mean(y, members) ** 2).sum() / (n - count)
    means = np.stack([y[rows].mean(0) for rows in rows_of_groups(members)])
    outer = (sizes[:, None] * (means - y.mean(0)) ** 2).sum() / (count - 1)
    typical = (n - (sizes**2).sum() / n) / (count - 1)
    component = max((outer - inner) / typical, 0.0)
    return float(component / (component + inner))


def person_share(offsets: np.ndarray, groups: ArrayLike, *, seed: int = 0) -> tuple[Interval, float]:
    """`group_share` with its 95 % interval (jackknife over persons), and its null: clips dealt anew to the persons."""
    y = check_finite(offsets, 2, "offsets")
    members = group_members(groups, len(y))
    found = jackknife(lambda rows: group_share(y[rows], members[rows]), members, 0, 1)
    if not np.isfinite(found.value):
        return found, float("nan")
    return found, float(np.mean([group_share(y[rows], members) for rows in dealt_clips(len(y), DEALS, seed)]))


def _from_own_mean(array: np.ndarray, members: np.ndarray) -> np.ndarray:
    codes = np.eye(members.max() + 1)[members]
    return array - (codes @ (codes.T @ array / codes.sum(0)[:, None]))


def _r2(x: np.ndarray, y: np.ndarray, members: np.ndarray, draws: np.ndarray, seed: int) -> Interval:
    guess = np.empty_like(y)
    folds = min(FOLDS, len(np.unique(members)))
    for train, test in GroupKFold(folds).split(x, y, members):
        if x[train].std(0).max() < STILL:  # content that never changes tells the mean
            guess[test] = y[train].mean(0)
            continue
        # one scale for all columns: a column that is nearly constant in training must not blow up in another person
        middle, scale = x[train].mean(0), np.sqrt(x[train].var(0).sum())
        dims = max(1, min(DIMENSIONS, x.shape[1], len(train) // 4))
        model = make_pipeline(PCA(dims, random_state=seed), RidgeCV(PENALTIES))
        model.fit((x[train] - middle) / scale, y[train])
        guess[test] = model.predict((x[test] - middle) / scale).reshape(len(test), -1)
    wrong, all_of_it = ((y - guess) ** 2).sum(1), ((y - y.mean(0)) ** 2).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = 1 - (draws @ wrong) / (draws @ all_of_it)
    return spread(float(1 - wrong.sum() / all_of_it.sum()), samples)
