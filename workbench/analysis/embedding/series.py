"""Several maps of the same clips, one beside or after the other: of several models, or of the stages of one network.

The axes of a map mean nothing, so each map is turned and mirrored onto its neighbour (orthogonal Procrustes), moved to the origin
and scaled to a root mean square radius of 1. None of that changes the quality figures of a map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import orthogonal_procrustes

from ifdd.errors import InputError
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.results import EmbeddingResult, EmbeddingSeries, Method, Onto, Start
from workbench.results.provenance import record

SHUFFLES = 20


def embed_series(
    features: Mapping[str, ArrayLike],
    labels: ArrayLike | None,
    method: Method = "tsne",
    *,
    clip_ids: Mapping[str, Sequence[str]] | None = None,
    onto: Onto = "previous",
    start: Start = "own",
    seed: int = 0,
    **options: Any,
) -> EmbeddingSeries:
    """Map each entry of `features`, name → (n, d), and align the maps in their order.

    Args:
        features: of several models, or of several stages; d may differ, the clips must not.
        labels: (n,) class indexes of the clips, None where they have none.
        method: as `embed`, which `options` go to.
        clip_ids: name → (n,) ids; they must be the same everywhere.
        onto: align each map to the one before (a film) or to the first one (models side by side).
        start: "previous" begins each t-SNE or UMAP map from the one before, so that clips move no more than they have to.

    Raises:
        InputError: as `embed`, with the name of the entry; other clips in one entry than in the first.

    Source: Schönemann 1966 (orthogonal Procrustes problem).

    >>> clips = np.repeat([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 3))
    >>> embed_series({"early": clips[:, :2], "late": clips}, np.repeat([0, 1], 10), "pca").names
    ('early', 'late')
    """
    if len(features) < 2:
        raise InputError(f"a series needs two maps or more, not {len(features)}; use embed for one")
    if onto not in ("first", "previous") or start not in ("own", "previous"):
        raise InputError(f"onto={onto!r} must be first or previous, start={start!r} own or previous")
    ids = None if clip_ids is None else _same_clips(clip_ids, list(features))
    counts = {name: len(np.asarray(values)) for name, values in features.items()}
    first = next(iter(counts))
    if other := [name for name, count in counts.items() if count != counts[first]]:
        raise InputError(f"{other[0]} has {counts[other[0]]} clips, {first} has {counts[first]}; pass the same clips")
    maps: list[EmbeddingResult] = []
    moved, null = [], []
    rng = np.random.default_rng(seed)
    for name, values in features.items():
        begin = maps[-1].xy if maps and start == "previous" else None
        try:
            found = embed(values, labels, method, seed, start=begin, **options)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        reference = maps[0 if onto == "first" else -1].xy if maps else None
        found = _aligned(found, reference)
        if reference is not None:
            moved.append(disparity(reference, found.xy))
            null.append(float(np.mean([disparity(reference, rng.permutation(found.xy)) for _ in range(SHUFFLES)])))
        maps.append(found)
    return EmbeddingSeries(
        names=tuple(features),
        maps=tuple(maps),
        clip_ids=ids,
        onto=onto,
        start=start,
        moved=tuple(moved),
        moved_null=tuple(null),
        provenance=record(
            "embedding_series.embed_series",
            {"method": method, "seed": seed, "onto": onto, "start": start, "names": list(features)},
            {name: np.asarray(values) for name, values in features.items()} | {"labels": maps[0].labels},
            ["scikit-learn", "scipy"],
        ),
    )


def disparity(reference: np.ndarray, other: np.ndarray) -> float:
    """Share of the spread of `other` (n, 2) that no turning, mirroring, moving or scaling takes onto `reference`, in [0, 1].

    As scipy.spatial.procrustes. Source: Gower 1975.
    """
    shared = np.linalg.svd(_standard(reference)[0].T @ _standard(other)[0], compute_uv=False).sum() / len(other)
    return float(max(0.0, 1 - shared**2))


def _aligned(result: EmbeddingResult, reference: np.ndarray | None) -> EmbeddingResult:
    """The same map turned onto `reference`; further clips are turned with it."""
    standard, middle, radius = _standard(result.xy)
    turn = np.eye(2) if reference is None else orthogonal_procrustes(standard, _standard(reference)[0])[0]
    project = partial(_moved, result.projection, middle, radius, turn)
    return replace(result, xy=standard @ turn, projection=project)


def _moved(project: Any, middle: np.ndarray, radius: float, turn: np.ndarray, new: np.ndarray) -> np.ndarray:
    return (project(new) - middle) / radius @ turn


def _standard(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """A map about its mean, with a root mean square radius of 1; the mean and the radius it had."""
    middle = xy.mean(0)
    radius = float(np.sqrt(((xy - middle) ** 2).sum(1).mean()))
    return (xy - middle) / radius, middle, radius


def _same_clips(clip_ids: Mapping[str, Sequence[str]], names: list[str]) -> tuple[str, ...]:
    if missing := [name for name in names if name not in clip_ids]:
        raise InputError(f"clip_ids has no ids of {missing[0]}; pass ids for all or for none")
    expected = [str(clip) for clip in clip_ids[names[0]]]
    for name in names[1:]:
        found = [str(clip) for clip in clip_ids[name]]
        if len(found) != len(expected):
            raise InputError(f"{name} has {len(found)} clips, {names[0]} has {len(expected)}; collect both from one manifest")
        for i, (a, b) in enumerate(zip(expected, found, strict=True)):
            if a != b:
                raise InputError(f"clip {i} of {name} is {b}, of {names[0]} it is {a}; collect both from one manifest")
    return tuple(expected)
