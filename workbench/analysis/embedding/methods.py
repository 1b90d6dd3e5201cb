"""The three methods behind `embedding.embed`: each fits a map and says how further clips are placed on it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from workbench.analysis.embedding.results import MapOptions


@dataclass(frozen=True, eq=False)
class Settings:
    """What the methods may ask for; `start` (n, 2) is where the clips begin, None the method's own choice."""

    seed: int
    options: MapOptions
    start: np.ndarray | None


class Fit(NamedTuple):
    """A map (n, 2), a function that places further clips, and what was really used."""

    xy: np.ndarray
    project: Callable[[np.ndarray], np.ndarray]
    parameters: dict[str, Any]
    notes: tuple[str, ...] = ()


def fit_tsne(x: np.ndarray, settings: Settings) -> Fit:
    """t-SNE by openTSNE with its own defaults, from the first two principal components or from `start`."""
    from openTSNE import TSNE, initialization  # here, because it takes seconds to load

    asked = float(settings.options.perplexity)
    effective = min(asked, (len(x) - 1) / 3)
    notes = (f"perplexity lowered from {asked:g} to {effective:.3g}: {len(x)} clips",) if effective < asked else ()
    start = "pca" if settings.start is None else initialization.rescale(settings.start.copy())
    # with several threads sums come in another order and give another map
    embedding = TSNE(perplexity=effective, initialization=start, random_state=settings.seed, n_jobs=settings.options.jobs).fit(x)
    # openTSNE moves the middle of the map to 0, in place, when it first places further clips; done here, nothing moves then
    embedding -= (embedding.max(axis=0) + embedding.min(axis=0)) / 2
    parameters = {"perplexity": effective, "perplexity_asked": asked, "kl_divergence": float(embedding.kl_divergence)}
    return Fit(np.array(embedding), partial(_place_tsne, embedding), parameters, notes)


def _place_tsne(embedding: Any, new: np.ndarray) -> np.ndarray:
    n = len(embedding)  # openTSNE's own defaults are 25 neighbours at perplexity 5
    return np.array(embedding.transform(new, perplexity=min(5.0, (n - 1) / 3), k=min(25, n - 1)))


def fit_umap(x: np.ndarray, settings: Settings) -> Fit:
    """UMAP by umap-learn; with several threads it takes no seed."""
    with warnings.catch_warnings():  # umap complains about a part that needs TensorFlow and is not used here
        warnings.filterwarnings("ignore", message="Tensorflow not installed", category=ImportWarning)
        from umap import UMAP

    asked, seed = settings.options.neighbors, settings.seed if settings.options.jobs == 1 else None
    effective = min(asked, len(x) - 1)
    notes = [f"neighbours lowered from {asked} to {effective}: {len(x)} clips"] if effective < asked else []
    if seed is None:
        notes.append(f"UMAP on {settings.options.jobs} threads takes no seed: another run gives another map")
    # the spectral start fails on well-separated classes (a graph in pieces)
    start = "pca" if settings.start is None else settings.start.astype(np.float32)
    model = UMAP(
        n_neighbors=effective,
        init=start,
        random_state=seed,
        transform_seed=settings.seed,
        n_jobs=settings.options.jobs,
    ).fit(x)
    parameters = {"neighbors": effective, "neighbors_asked": asked, "min_dist": model.min_dist}
    return Fit(np.asarray(model.embedding_, dtype=np.float64), partial(_place_umap, model), parameters, tuple(notes))


def _place_umap(model: Any, new: np.ndarray) -> np.ndarray:
    return np.asarray(model.transform(new), dtype=np.float64)


def fit_pca(x: np.ndarray, settings: Settings) -> Fit:
    """The first two principal components."""
    model = PCA(2, random_state=settings.seed).fit(x)
    return Fit(model.transform(x), model.transform, {"explained_variance": float(model.explained_variance_ratio_.sum())})


FITTERS: dict[str, Callable[[np.ndarray, Settings], Fit]] = {"tsne": fit_tsne, "umap": fit_umap, "pca": fit_pca}
