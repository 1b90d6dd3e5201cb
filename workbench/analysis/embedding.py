"""How do the classes cluster? A map of clip features in two dimensions, with numbers that say how far to trust it."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from ifdd.errors import InputError
from workbench.analysis._inputs import check_labels, check_names
from workbench.analysis._result import Result
from workbench.provenance import Provenance, record

Method = Literal["tsne", "umap", "pca"]
MIN_CLIPS = 5
KNN = 5
PCA_DIMENSIONS = 50
TRUST_CLIPS = 5000
CHANCE_PERMUTATIONS = 100
METHOD_NAMES: dict[str, str] = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}


@dataclass(frozen=True, eq=False)
class EmbeddingResult(Result):
    """A two-dimensional map of n clips.

    `knn_accuracy`: share of clips whose class wins the vote of their `k` nearest neighbours in the map, the clip itself
    left out; `knn_chance`: the same with the labels shuffled. `trustworthiness` in [0, 1]: how far the `trust_k`
    nearest neighbours in the map are also near in the features (1 is best). `parameters` are those really used.
    """

    method: Method
    xy: np.ndarray  # (n, 2), no unit
    labels: np.ndarray  # (n,) class indexes
    label_names: tuple[str, ...]
    k: int
    knn_accuracy: float
    knn_chance: float
    trust_k: int
    trustworthiness: float
    parameters: dict[str, Any]
    notes: tuple[str, ...]
    provenance: Provenance
    projection: Callable[[np.ndarray], np.ndarray] = field(repr=False, compare=False)

    def transform(self, new: ArrayLike) -> np.ndarray:
        """Place further clips (m, d) on the finished map, (m, 2); the map itself does not move.

        Raises:
            InputError: another number of features than the map was fitted on, or values that are not finite.
        """
        array = _check_features(new, minimum=1)
        if array.shape[1] != self.parameters["features"]:
            raise InputError(
                f"new clips have {array.shape[1]} features, the map was fitted on {self.parameters['features']}; "
                "take the same activation of the same model"
            )
        return self.projection(array)

    @property
    def caption(self) -> str:
        """One sentence: method, parameters, n, and both quality figures."""
        settings = {
            "tsne": f"perplexity {self.parameters.get('perplexity', 0):.3g}, seed {self.parameters['seed']}",
            "umap": f"{self.parameters.get('neighbors')} neighbours, seed {self.parameters['seed']}",
            "pca": f"{self.parameters.get('explained_variance', 0):.0%} of the variance",
        }[self.method]
        return (
            f"{METHOD_NAMES[self.method]} ({settings}), n = {len(self.xy)}; {self.k}-NN accuracy {self.knn_accuracy:.2f} "
            f"(chance {self.knn_chance:.2f}), trustworthiness {self.trustworthiness:.2f}"
        )


def embed(
    features: ArrayLike,
    labels: ArrayLike,
    method: Method = "tsne",
    seed: int = 0,
    perplexity: float = 30.0,
    neighbors: int = 15,
    label_names: Sequence[str] | None = None,
) -> EmbeddingResult:
    """Map clip features to two dimensions and measure how good the map is.

    More than 50 features are first reduced to 50 by PCA. Distances are Euclidean. The same seed gives the same map.

    Args:
        features: (n, d), one row per clip, n ≥ 5, d ≥ 2; a feature map must be pooled first.
        labels: (n,) class indexes; they never influence the map.
        method: "tsne" (openTSNE), "umap" (umap-learn) or "pca".
        seed: for PCA, the layout, the shuffled labels and the subsample for trustworthiness.
        perplexity: t-SNE's; lowered to (n - 1) / 3 where n is small, which `notes` then say.
        neighbors: UMAP's; lowered to n - 1 where n is small, which `notes` then say.
        label_names: one name per class.

    Raises:
        InputError: too few clips, wrong shapes, values that are not finite, all clips equal, an unknown method.

    Source: van der Maaten and Hinton 2008 (t-SNE); McInnes et al. 2018 (UMAP); Venna and Kaski 2001 (trustworthiness).
    """
    if method not in _FITTERS:
        raise InputError(f"unknown embedding method {method!r}; use one of {', '.join(_FITTERS)}")
    x = _check_features(features, minimum=MIN_CLIPS)
    y = check_labels(labels, len(x))
    names = check_names(label_names, int(y.max()) + 1 if label_names is None else len(label_names))
    if y.max() >= len(names):
        raise InputError(f"labels go up to {y.max()}, label_names has only {len(names)} names; pass the checkpoint's own list")
    if np.ptp(x, axis=0).max() == 0:
        raise InputError(f"all {len(x)} clips have the same features; look whether the activation is constant")
    if not perplexity > 0 or neighbors < 2:
        raise InputError(f"perplexity {perplexity:g} and neighbors {neighbors} must be above 0 and at least 2")

    parameters: dict[str, Any] = {"seed": seed, "features": x.shape[1], "pca_dimensions": None}
    notes: list[str] = []
    reduce: PCA | None = None
    reduced = x
    if x.shape[1] > PCA_DIMENSIONS and method != "pca":
        reduce = PCA(min(PCA_DIMENSIONS, len(x)), random_state=seed).fit(x)
        reduced = reduce.transform(x)
        parameters["pca_dimensions"] = reduce.n_components_
    fit = _FITTERS[method](reduced, seed, perplexity, neighbors)

    k = min(KNN, len(x) - 1)
    accuracy, chance = _knn_accuracy(fit.xy, y, k, seed)
    counts = np.bincount(y, minlength=len(names))
    notes += [f"{names[c]} has one clip: it can only count as wrong in the {k}-NN accuracy" for c in np.flatnonzero(counts == 1)]
    if np.count_nonzero(counts) == 1:
        notes.append(f"all clips are {names[int(y[0])]}: the {k}-NN accuracy says nothing")
    trust, trust_k, trust_n = _trustworthiness(x, fit.xy, seed)
    parameters |= fit.parameters | {"trustworthiness_clips": trust_n}
    libraries = {"tsne": ["openTSNE"], "umap": ["umap-learn"], "pca": []}[method]
    return EmbeddingResult(
        method=method,
        xy=fit.xy,
        labels=y,
        label_names=names,
        k=k,
        knn_accuracy=accuracy,
        knn_chance=chance,
        trust_k=trust_k,
        trustworthiness=trust,
        parameters=parameters,
        notes=(*fit.notes, *notes),
        provenance=record(
            "embedding.embed", {"method": method, **parameters}, {"features": x, "labels": y}, ["scikit-learn", *libraries]
        ),
        projection=partial(_project, reduce, fit.project),
    )


class _Fit(NamedTuple):
    xy: np.ndarray
    project: Callable[[np.ndarray], np.ndarray]
    parameters: dict[str, Any]
    notes: tuple[str, ...] = ()


def _fit_tsne(x: np.ndarray, seed: int, perplexity: float, neighbors: int) -> _Fit:
    from openTSNE import TSNE  # here, because it takes seconds to load

    effective = min(float(perplexity), (len(x) - 1) / 3)
    notes = (f"perplexity lowered from {perplexity:g} to {effective:.3g}: {len(x)} clips",) if effective < perplexity else ()
    # one thread: sums in another order would give another map
    embedding = TSNE(perplexity=effective, initialization="pca", random_state=seed, n_jobs=1).fit(x)
    # openTSNE moves the middle of the map to 0, in place, when it first places further clips; done here, nothing moves then
    embedding -= (embedding.max(axis=0) + embedding.min(axis=0)) / 2
    project = partial(_project_tsne, embedding)
    return _Fit(np.array(embedding), project, {"perplexity": effective, "perplexity_asked": float(perplexity)}, notes)


def _project_tsne(embedding: Any, new: np.ndarray) -> np.ndarray:
    n = len(embedding)  # openTSNE's own defaults are 25 neighbours at perplexity 5
    return np.array(embedding.transform(new, perplexity=min(5.0, (n - 1) / 3), k=min(25, n - 1)))


def _fit_umap(x: np.ndarray, seed: int, perplexity: float, neighbors: int) -> _Fit:
    with warnings.catch_warnings():  # umap complains about a part that needs TensorFlow and is not used here
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        from umap import UMAP

    effective = min(neighbors, len(x) - 1)
    notes = (f"neighbours lowered from {neighbors} to {effective}: {len(x)} clips",) if effective < neighbors else ()
    # the spectral start fails on well-separated classes (a graph in pieces); UMAP is reproducible on one thread only
    model = UMAP(n_neighbors=effective, init="pca", random_state=seed, transform_seed=seed, n_jobs=1).fit(x)
    parameters = {"neighbors": effective, "neighbors_asked": neighbors, "min_dist": model.min_dist}
    return _Fit(np.asarray(model.embedding_, dtype=np.float64), partial(_project_umap, model), parameters, notes)


def _project_umap(model: Any, new: np.ndarray) -> np.ndarray:
    return np.asarray(model.transform(new), dtype=np.float64)


def _fit_pca(x: np.ndarray, seed: int, perplexity: float, neighbors: int) -> _Fit:
    model = PCA(2, random_state=seed).fit(x)
    return _Fit(model.transform(x), model.transform, {"explained_variance": float(model.explained_variance_ratio_.sum())})


_FITTERS: dict[str, Callable[[np.ndarray, int, float, int], _Fit]] = {"tsne": _fit_tsne, "umap": _fit_umap, "pca": _fit_pca}


def _project(reduce: PCA | None, project: Callable[[np.ndarray], np.ndarray], new: np.ndarray) -> np.ndarray:
    return project(new if reduce is None else reduce.transform(new))


def _check_features(features: ArrayLike, minimum: int) -> np.ndarray:
    x = np.asarray(features)
    if x.ndim != 2 or x.dtype.kind not in "fiu":
        raise InputError(
            f"features have shape {x.shape} and type {x.dtype}; pass numbers of shape (clips, features), pooled over positions"
        )
    if len(x) < minimum:
        raise InputError(f"{len(x)} clips are too few for a map; collect {minimum} or more")
    if x.shape[1] < 2:
        raise InputError(f"features have {x.shape[1]} columns; a map needs two or more")
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if bad.size:
        raise InputError(f"features[{bad[0]}] holds NaN or infinity ({bad.size} of {len(x)} clips); drop those clips")
    return x.astype(np.float64)


def _knn_accuracy(xy: np.ndarray, labels: np.ndarray, k: int, seed: int) -> tuple[float, float]:
    """Leave-one-out vote of the k nearest neighbours, and its mean over shuffled labels."""
    neighbours = (
        NearestNeighbors(n_neighbors=k).fit(xy).kneighbors(return_distance=False)
    )  # without an argument: never the clip itself
    votes = 1.0 - 1e-3 * np.arange(k)  # counts decide; of equal counts, the nearer clips

    def accuracy(y: np.ndarray) -> float:
        tally = np.zeros((len(y), int(y.max()) + 1))
        np.add.at(tally, (np.arange(len(y))[:, None], y[neighbours]), votes)
        return float((tally.argmax(axis=1) == y).mean())

    rng = np.random.default_rng(seed)
    return accuracy(labels), float(np.mean([accuracy(rng.permutation(labels)) for _ in range(CHANCE_PERMUTATIONS)]))


def _trustworthiness(x: np.ndarray, xy: np.ndarray, seed: int) -> tuple[float, int, int]:
    """Scikit-learn's trustworthiness on at most 5,000 clips (it holds an n × n matrix): value, neighbours, clips."""
    if len(x) > TRUST_CLIPS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(x), TRUST_CLIPS, replace=False))
        x, xy = x[chosen], xy[chosen]
    k = min(KNN, (len(x) - 1) // 2)
    return float(trustworthiness(x, xy, n_neighbors=k)), k, len(x)
