"""Further clips on a finished map: where they fall, and whether the old clips around them tell their class."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors

from ifdd.errors import InputError
from workbench.analysis.embedding.quality import SHUFFLES, UNLABELLED, vote
from workbench.analysis.embedding.results import NO_LABEL, EmbeddingResult, MapMeasure, PlacedClips
from workbench.results.checks import check_labels
from workbench.results.provenance import record


def place(result: EmbeddingResult, features: ArrayLike, labels: ArrayLike | None, *, seed: int = 0) -> PlacedClips:
    """Place clips (m, d) with class indexes `labels` (m,), or None, on a map: t-SNE and UMAP transform, projection for PCA.

    Source: Poličar et al. 2021 (new points in t-SNE); McInnes et al. 2018 (UMAP).

    Raises:
        InputError: other features than the map's, or a class that the map has no name for.

    >>> from workbench.analysis.embedding import embed
    >>> clips = np.repeat([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 3))
    >>> place(embed(clips, np.repeat([0, 1], 10), "pca"), clips[:2], [0, 0]).accuracy.value
    1.0
    """
    xy = result.transform(features)
    y = np.full(len(xy), NO_LABEL) if labels is None else check_labels(labels, len(xy))
    if y.max() >= len(result.label_names):
        raise InputError(f"labels go up to {y.max()}, the map has {len(result.label_names)} classes; use one list of labels")
    k = result.k
    nearest = NearestNeighbors(n_neighbors=k).fit(result.xy).kneighbors(xy, return_distance=False)
    old = result.labels
    rng = np.random.default_rng(seed)
    reason = "all clips of the map are of one class" if len(np.unique(old)) < 2 else ""
    reason = UNLABELLED if labels is None or not result.has_labels else reason
    value = null = float("nan")
    if not reason:
        value = float((vote(old[nearest]) == y).mean())
        null = float(np.mean([(vote(rng.permutation(old)[nearest]) == y).mean() for _ in range(SHUFFLES)]))
    return PlacedClips(
        xy=xy,
        labels=y,
        accuracy=MapMeasure("kNN accuracy of placed clips", "map", value, null, len(y), k, reason),
        provenance=record(
            "placing.place",
            {"k": k, "seed": seed},
            {"features": np.asarray(features), "labels": y, "map": result.xy},
            ["scikit-learn"],
        ),
    )
