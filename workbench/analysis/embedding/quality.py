"""How far can a map of clips be trusted? Each figure with its number of clips, and with its null: what it is if nothing is there.

- kNN accuracy: share of clips whose class wins the vote of their k nearest neighbours, the clip itself, or its whole person,
  left out. Null: the same neighbours with the labels shuffled, within persons and whole persons with each other.
- trustworthiness, continuity: are neighbours in the map neighbours in the features, and the reverse? Null: the clips placed at
  random.
- silhouette: how much nearer a clip is to its own class than to the next one. Null: the labels shuffled in the same way.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from sklearn.manifold import trustworthiness
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from ifdd.errors import InputError
from workbench.analysis.embedding.results import NO_LABEL, MapMeasure, Space
from workbench.results.bootstrap import group_members, rows_of_groups

UNLABELLED = "the clips have no labels"
MOST_CLIPS = 5000
"""Measures that need all distances are taken on this many clips, drawn by the seed."""
SHUFFLES = 100
_BLOCK = 10_000_000  # neighbours held at a time


def knn_accuracy(
    x: np.ndarray,
    labels: np.ndarray,
    k: int,
    *,
    groups: ArrayLike | None = None,
    persons: ArrayLike | None = None,
    space: Space = "map",
    seed: int = 0,
) -> MapMeasure:
    """Vote of the k nearest neighbours (Euclidean) of each clip, x (n, d), labels (n,).

    With `groups` (n,), e.g. persons, no clip of a clip's own group votes. Counts decide; of equal counts, the nearer clips.
    `persons` (n,), by default the groups, keep their labels together in the null, also where they may vote for themselves.
    `k` is lowered where fewer clips are left. At most 5,000 clips ask, all may answer. NaN where the map cannot matter:
    no labels (`NO_LABEL`), one class, no class of two clips (or groups), or so few clips that all others vote.

    Source: Cover and Hart 1967.

    Raises:
        InputError: one group alone.

    >>> clips = np.repeat([[0.0, 0.0], [9.0, 0.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 2))
    >>> knn_accuracy(clips, np.repeat([0, 1], 10), k=3).value
    1.0
    """
    n = len(x)
    members = group_members(groups, n)
    left = n - int(np.bincount(members).max())
    if left < 1:
        raise InputError("all clips are of one group, so no other group can vote; leave groups out")
    k = min(k, left)
    asking = np.arange(n) if x.shape[1] == 2 else sample(n, seed)
    name = "kNN accuracy" if groups is None else "kNN accuracy, other groups"
    if reason := _why_no_vote(labels, members, k, "clip" if groups is None else "group"):
        return MapMeasure(name, space, float("nan"), float("nan"), len(asking), k, reason)
    neighbours = np.concatenate([*_neighbours(x, asking, k, members)])

    def accuracy(y: np.ndarray) -> float:
        return float((vote(y[neighbours]) == y[asking]).mean())

    rng = np.random.default_rng(seed)
    together = members if persons is None else group_members(persons, n)
    null = float(np.mean([accuracy(shuffled(labels, together, rng)) for _ in range(SHUFFLES)]))
    return MapMeasure(name, space, accuracy(labels), null, len(asking), k)


def _why_no_vote(labels: np.ndarray, members: np.ndarray, k: int, unit: str) -> str:
    """Why the votes of k neighbours from other groups say nothing of a map; empty where they do."""
    classes = np.unique(labels)
    if classes[0] == NO_LABEL:
        return UNLABELLED
    if len(classes) < 2:
        return "all clips are of one class"
    if all(len(np.unique(members[labels == c])) < 2 for c in classes):
        return f"no class has two {unit}s"
    if k >= len(labels) - int(np.bincount(members).min()):
        return f"all other clips vote, wherever they lie: {len(labels)} clips, k = {k}"
    return ""


def shuffled(labels: np.ndarray, members: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels (n,) as if class had nothing to do with the clip: each person gets those of another one, in any order.

    What a person's clips have in common stays: a map that clusters by person looks no better than it is.
    """
    count = int(members.max()) + 1
    if count == len(labels):
        return rng.permutation(labels)
    own = rows_of_groups(members)
    dealt = np.empty_like(labels)
    for rows, giver in zip(own, rng.permutation(count), strict=True):
        dealt[rows] = np.resize(rng.permutation(labels[own[giver]]), len(rows))
    return dealt


def vote(labels: np.ndarray) -> np.ndarray:
    """Class (m,) that wins among neighbours with `labels` (m, k), nearest first; of equal counts, the nearer clips decide."""
    m, k = labels.shape
    classes = int(labels.max()) + 1
    weights = np.tile(k**2 - np.arange(k), m)  # whole numbers: equal sums are equal
    tally = np.bincount((labels + classes * np.arange(m)[:, None]).ravel(), weights, classes * m)
    return tally.reshape(m, classes).argmax(1)


def neighbourhoods(x: np.ndarray, xy: np.ndarray, k: int, *, seed: int = 0) -> tuple[MapMeasure, MapMeasure]:
    """Trustworthiness and continuity, in [0, 1], of a map xy (n, 2) of features x (n, d), on at most 5,000 clips.

    `k` is lowered below n / 2, where both are defined.
    Source: Venna and Kaski 2001; continuity is trustworthiness with the two spaces exchanged.
    """
    rows = sample(len(x), seed)
    n, k = len(rows), min(k, (len(rows) - 1) // 2)
    null = random_trust(n, k)
    there = float(trustworthiness(x[rows], xy[rows], n_neighbors=k))
    back = float(trustworthiness(xy[rows], x[rows], n_neighbors=k))
    return MapMeasure("trustworthiness", "map", there, null, n, k), MapMeasure("continuity", "map", back, null, n, k)


def random_trust(n: int, k: int) -> float:
    """Expected trustworthiness of a map that places its n clips at random, k neighbours.

    The rank of a random neighbour is uniform on 1 … n − 1, so its expected excess over k is (n − 1 − k)(n − k) / 2(n − 1).
    """
    return 1 - (n - 1 - k) * (n - k) / ((n - 1) * (2 * n - 3 * k - 1))


def silhouette(
    x: np.ndarray, labels: np.ndarray, *, persons: ArrayLike | None = None, space: Space = "map", seed: int = 0
) -> MapMeasure:
    """Mean silhouette, in [−1, 1], of x (n, d) by labels (n,), on at most 5,000 clips; NaN unless two classes occur, one twice.

    Source: Rousseeuw 1987; a class of one clip counts 0, as in scikit-learn.
    """
    rows = sample(len(x), seed)
    y = np.unique(labels[rows], return_inverse=True)[1]
    sizes = np.bincount(y)
    if len(sizes) < 2 or sizes.max() < 2:
        reason = "all clips are of one class" if len(sizes) < 2 else "no class has two clips"
        reason = UNLABELLED if labels[0] == NO_LABEL else reason
        return MapMeasure("silhouette", space, float("nan"), float("nan"), len(rows), None, reason)
    distances = pairwise_distances(x[rows])
    rng = np.random.default_rng(seed)
    members = np.unique(group_members(persons, len(x))[rows], return_inverse=True)[1]
    null = float(np.mean([_silhouette(distances, shuffled(y, members, rng), len(sizes)) for _ in range(SHUFFLES // 5)]))
    return MapMeasure("silhouette", space, _silhouette(distances, y, len(sizes)), null, len(rows), None)


def sample(n: int, seed: int) -> np.ndarray:
    """Indexes of at most 5,000 of n clips, in order."""
    return np.arange(n) if n <= MOST_CLIPS else np.sort(np.random.default_rng(seed).choice(n, MOST_CLIPS, replace=False))


def _neighbours(x: np.ndarray, asking: np.ndarray, k: int, members: np.ndarray) -> Iterator[np.ndarray]:
    """The k nearest clips of other groups (m, k), nearest first, a block of asking clips at a time."""
    wanted = k + int(np.bincount(members).max())  # however many of them are the clip's own group, k others remain
    index = NearestNeighbors(n_neighbors=min(wanted, len(x))).fit(x)
    size = max(1, _BLOCK // wanted)
    for first in range(0, len(asking), size):
        block = asking[first : first + size]
        found = index.kneighbors(x[block], return_distance=False)
        own = members[found] == members[block][:, None]
        yield np.take_along_axis(found, np.argsort(own, axis=1, kind="stable")[:, :k], axis=1)


def _silhouette(distances: np.ndarray, y: np.ndarray, classes: int) -> float:
    rows, sizes = np.arange(len(y)), np.bincount(y, minlength=classes)  # dealt labels may lack a class
    sums = distances @ np.eye(classes)[y]  # (n, classes): to all clips of a class
    own = sums[rows, y] / np.maximum(sizes[y] - 1, 1)
    others = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.inf)
    others[rows, y] = np.inf
    nearest = others.min(1)
    larger = np.maximum(own, nearest)
    values = np.divide(nearest - own, larger, out=np.zeros(len(y)), where=larger > 0)
    return float(np.where(sizes[y] > 1, values, 0.0).mean())
