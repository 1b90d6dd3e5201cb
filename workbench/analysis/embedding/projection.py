"""How do the classes cluster? A map of clip features in two dimensions, with numbers that say how far to trust it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA

from ifdd.errors import InputError
from workbench.analysis.embedding.methods import FITTERS, Settings
from workbench.analysis.embedding.quality import knn_accuracy, neighbourhoods, silhouette
from workbench.analysis.embedding.results import NO_LABEL, EmbeddingResult, MapMeasure, MapOptions, Method, Space
from workbench.results.checks import check_features, check_labels, check_names
from workbench.results.provenance import record

MIN_CLIPS = 5
PCA_DIMENSIONS = 50
DEFAULT = MapOptions()


def embed(
    features: ArrayLike,
    labels: ArrayLike | None,
    method: Method = "tsne",
    seed: int = 0,
    options: MapOptions = DEFAULT,
    *,
    label_names: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    start: ArrayLike | None = None,
    measured: bool = True,
) -> EmbeddingResult:
    """Map clip features to two dimensions and measure how good the map is.

    More than 50 features are first reduced to 50 by PCA. Distances are Euclidean. The same seed gives the same map on one thread.

    Args:
        features: (n, d), one row per clip, n ≥ 5, d ≥ 2; a feature map must be pooled first.
        labels: (n,) class indexes; they never influence the map. None where the clips have none: then kNN accuracy and silhouette
            say so instead of a number.
        method: "tsne" (openTSNE), "umap" (umap-learn) or "pca".
        seed: for PCA, the layout, the shuffled labels and the clips that are drawn for measures of all distances.
        options: perplexity (lowered to (n - 1) / 3 where n is small), neighbours (to n - 1) and k, as `notes` then say; threads.
        label_names: one name per class.
        groups: (n,) persons, for a kNN accuracy in which no clip of the same person votes.
        start: (n, 2) where the clips begin, e.g. another map of the same clips; not for PCA.
        measured: False leaves the figures out, which for tens of thousands of clips take longer than PCA's map itself.

    Raises:
        InputError: too few clips, wrong shapes, values that are not finite, all clips equal, an unknown method.

    Source: van der Maaten and Hinton 2008 (t-SNE); McInnes et al. 2018 (UMAP).

    >>> clips = np.repeat([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 3))
    >>> found = embed(clips, np.repeat([0, 1], 10), "pca", label_names=["happy", "sad"])
    >>> found.xy.shape, found.knn_accuracy
    ((20, 2), 1.0)
    """
    if method not in FITTERS:
        raise InputError(f"unknown embedding method {method!r}; use one of {', '.join(FITTERS)}")
    x = check_features(features, minimum=MIN_CLIPS)
    y = np.full(len(x), NO_LABEL) if labels is None else check_labels(labels, len(x))
    names = check_names(label_names, int(y.max()) + 1 if label_names is None else len(label_names))
    if y.max() >= len(names):
        raise InputError(f"labels go up to {y.max()}, label_names has only {len(names)} names; pass the checkpoint's own list")
    if np.ptp(x, axis=0).max() == 0:
        raise InputError(f"all {len(x)} clips have the same features; look whether the activation is constant")
    perplexity, neighbors, k, jobs = options.perplexity, options.neighbors, options.k, options.jobs
    if not perplexity > 0 or neighbors < 2 or k < 1 or jobs < 1:
        raise InputError(
            f"perplexity {perplexity:g} must be above 0, neighbors {neighbors} at least 2, k {k} and jobs {jobs} at least 1"
        )
    settings = Settings(seed, options, _check_start(start, len(x), method))

    parameters: dict[str, Any] = {"seed": seed, "features": x.shape[1], "pca_dimensions": None, "jobs": jobs}
    reduce: PCA | None = None
    reduced = x
    if x.shape[1] > PCA_DIMENSIONS and method != "pca":
        reduce = PCA(min(PCA_DIMENSIONS, len(x)), random_state=seed).fit(x)
        reduced = reduce.transform(x)
        parameters["pca_dimensions"] = reduce.n_components_
    fit = FITTERS[method](reduced, settings)

    measures = _measures(x, fit.xy, y, k, groups, seed) if measured else ()
    parameters |= fit.parameters | {"start": "own" if start is None else "given", "k": k}
    libraries = {"tsne": ["openTSNE"], "umap": ["umap-learn"], "pca": []}[method]
    return EmbeddingResult(
        method=method,
        xy=fit.xy,
        labels=y,
        label_names=names,
        measures=measures,
        parameters=parameters,
        notes=(*fit.notes, *(_notes(y, names, k, groups, measures) if measured else ())),
        provenance=record(
            "embedding.embed", {"method": method, **parameters}, {"features": x, "labels": y}, ["scikit-learn", *libraries]
        ),
        projection=partial(_project, reduce, fit.project),
    )


def _check_start(start: ArrayLike | None, n: int, method: Method) -> np.ndarray | None:
    if start is None:
        return None
    if method == "pca":
        raise InputError("PCA begins nowhere; leave start out, or use tsne or umap")
    array = np.asarray(start, np.float64)
    if array.shape != (n, 2) or not np.isfinite(array).all() or np.ptp(array, axis=0).max() == 0:
        raise InputError(f"start has shape {array.shape}; pass a place for each clip, ({n}, 2), finite and not all the same")
    return array


def _measures(
    x: np.ndarray, xy: np.ndarray, y: np.ndarray, k: int, groups: ArrayLike | None, seed: int
) -> tuple[MapMeasure, ...]:
    spaces: tuple[tuple[Space, np.ndarray], ...] = (("map", xy), ("features", x))
    by = [None] if groups is None else [None, groups]
    found = [knn_accuracy(values, y, k, groups=g, persons=groups, space=space, seed=seed) for g in by for space, values in spaces]
    found += neighbourhoods(x, xy, k, seed=seed)
    found += [silhouette(values, y, persons=groups, space=space, seed=seed) for space, values in spaces]
    return tuple(found)


def _notes(
    y: np.ndarray, names: tuple[str, ...], k: int, groups: ArrayLike | None, measures: tuple[MapMeasure, ...]
) -> list[str]:
    """What the figures cannot say."""
    used = measures[0].k
    if (y == NO_LABEL).all():
        return []
    notes = [] if used == k else [f"neighbours that vote lowered from {k} to {used}: {len(y)} clips"]
    counts = np.bincount(y, minlength=len(names))
    single = [names[c] for c in np.flatnonzero(counts == 1)]
    if single and not measures[0].reason:
        each, it = ("has one clip", "it") if len(single) == 1 else ("have one clip each", "they")
        notes.append(f"{', '.join(single)} {each}: {it} can only count as wrong in the {used}-NN accuracy")
    if groups is not None and not any(m.reason for m in measures if m.name.endswith("other groups")):
        people = np.asarray(groups)
        alone = [names[c] for c in np.flatnonzero(counts > 1) if len(np.unique(people[y == c])) == 1]
        each, its = ("is of one group alone", "its") if len(alone) == 1 else ("are of one group alone each", "their")
        notes += [f"{', '.join(alone)} {each}: {its} clips can only count as wrong from other groups"] if alone else []
    if np.count_nonzero(counts) == 1:
        notes.append(f"all clips are {names[int(y[0])]}: the {used}-NN accuracy says nothing")
    return notes


def _project(reduce: PCA | None, project: Callable[[np.ndarray], np.ndarray], new: np.ndarray) -> np.ndarray:
    return project(new if reduce is None else reduce.transform(new))
