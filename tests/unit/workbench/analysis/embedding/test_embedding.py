"""The map of clip features: its quality figures against oracles, its seed, its placing of further clips."""

import json
import logging
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

from ifdd.errors import InputError
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.results import MapOptions

NAMES = ("happy", "sad", "neutral")


def blobs(n_per_class: int = 30, classes: int = 3, d: int = 10, gap: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    """Classes that are `gap` standard deviations apart along their own axis."""
    labels = np.repeat(np.arange(classes), n_per_class)
    features = np.random.default_rng(7).normal(size=(len(labels), d))
    features[np.arange(len(labels)), labels] += gap
    return features, labels


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_separated_classes(method: str) -> None:
    features, labels = blobs()
    result = embed(features, labels, method=method, label_names=NAMES)  # type: ignore[arg-type]
    assert result.xy.shape == (90, 2)
    assert result.knn_accuracy == 1.0
    assert result.k == 5
    assert result.knn_chance == pytest.approx(1 / 3, abs=0.03)
    assert result.trustworthiness == trustworthiness(features, result.xy, n_neighbors=5)


def test_labels_without_meaning_are_at_chance() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 1000)
    result = embed(rng.normal(size=(1000, 6)), labels, method="pca")
    standard_error = np.sqrt(0.25 * 0.75 / 1000)
    assert abs(result.knn_accuracy - result.knn_chance) < 4 * standard_error
    assert abs(result.knn_chance - 0.25) < 0.01


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_the_seed_decides(method: str) -> None:
    features, labels = blobs(20, d=60)
    assert embed(features, labels, method=method, seed=3) == embed(features, labels, method=method, seed=3)  # type: ignore[arg-type]
    assert embed(features, labels, method=method, seed=3) != embed(features, labels, method=method, seed=4)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["tsne", "pca"])
@pytest.mark.parametrize("d", [10, 70])
def test_training_clips_are_placed_where_they_are(method: str, d: int) -> None:
    features, labels = blobs(d=d)
    result = embed(features, labels, method=method)  # type: ignore[arg-type]
    again = result.transform(features)
    distances = np.linalg.norm(again[:, None] - result.xy[None], axis=2)
    assert (labels[distances.argmin(axis=1)] == labels).all()
    spread = np.linalg.norm(result.xy - result.xy.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(again - result.xy, axis=1).max() < 0.1 * spread
    np.testing.assert_allclose(result.transform(features), again, atol=1e-3 * spread)  # placing clips does not move the map


def test_umap() -> None:
    """All of UMAP in one test: compiling it takes most of the time."""
    features, labels = blobs()
    result = embed(features, labels, method="umap", label_names=NAMES)
    assert result == embed(features, labels, method="umap", label_names=NAMES)
    assert result.knn_accuracy == 1.0
    assert result.trustworthiness == trustworthiness(features, result.xy, n_neighbors=5)
    assert result.caption.startswith("UMAP (15 neighbours, seed 0), n = 90; 5-NN accuracy 1.00")
    centres = np.array([result.xy[labels == c].mean(axis=0) for c in range(3)])
    placed = result.transform(features)
    assert (np.linalg.norm(placed[:, None] - centres, axis=2).argmin(axis=1) == labels).all()
    few = embed(features[::15], labels[::15], method="umap")
    assert few.parameters["neighbors"] == 5
    assert "neighbours lowered from 15 to 5: 6 clips" in few.notes


def test_caption_and_parameters() -> None:
    features, labels = blobs(34, d=64)
    result = embed(features, labels, label_names=NAMES, seed=2)
    assert result.caption == (
        f"t-SNE (perplexity 30, seed 2), n = 102; 5-NN accuracy 1.00 (chance {result.knn_chance:.2f}), "
        f"trustworthiness {result.trustworthiness:.2f}, continuity {result.measure('continuity').value:.2f}, "
        f"silhouette {result.measure('silhouette').value:.2f}"
    )
    assert result.parameters["pca_dimensions"] == 50
    assert result.parameters["perplexity"] == result.parameters["perplexity_asked"] == 30
    assert result.notes == ()


def test_few_clips_lower_the_perplexity_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    features, labels = blobs(2)
    with caplog.at_level(logging.WARNING):
        result = embed(features, labels)
    assert result.parameters["perplexity"] == pytest.approx(5 / 3)
    assert "perplexity lowered from 30 to 1.67: 6 clips" in result.notes
    assert not caplog.records  # what openTSNE would only log is in the notes
    assert np.isfinite(result.transform(features[:1])).all()


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_smallest_map(method: str) -> None:
    features, labels = blobs(5, classes=1, d=2)
    result = embed(features, labels, method=method, label_names=("sad",))  # type: ignore[arg-type]
    assert np.isfinite(result.xy).all()
    assert (result.k, result.trust_k) == (4, 2)
    assert "all clips are sad: the 4-NN accuracy says nothing" in result.notes


def test_a_class_of_one_clip_is_noted() -> None:
    features, labels = blobs()
    labels = np.where(np.arange(90) == 0, 3, labels)
    result = embed(features, labels, method="pca", label_names=(*NAMES, "fear"))
    assert "fear has one clip: it can only count as wrong in the 5-NN accuracy" in result.notes
    assert result.knn_accuracy == pytest.approx(89 / 90)
    labels[1] = 4
    result = embed(features, labels, method="pca", label_names=(*NAMES, "fear", "angry"))
    assert "fear, angry have one clip each: they can only count as wrong in the 5-NN accuracy" in result.notes


def test_a_map_of_one_clip_a_class_says_that_nothing_can_be_measured() -> None:
    features, _ = blobs(2)
    result = embed(features, np.arange(6), method="pca", label_names=list("abcdef"), groups=[0, 0, 1, 1, 2, 2])
    assert (
        "5-NN accuracy – (no class has two clips), 4-NN accuracy from other groups – (no class has two groups)" in result.caption
    )
    assert "silhouette – (no class has two clips)" in result.caption
    assert "0.00" not in result.caption
    assert not [note for note in result.notes if "one clip" in note]


def test_result_is_frozen_plain_and_picklable() -> None:
    features, labels = blobs()
    result = embed(features, labels)
    with pytest.raises(FrozenInstanceError):
        result.k = 3  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result.xy[0] = 0
    plain = json.loads(json.dumps(result.to_dict()))
    assert "projection" not in plain
    assert plain["xy"] == result.xy.tolist()
    assert plain["provenance"]["parameters"]["seed"] == 0
    copy = pickle.loads(pickle.dumps(result))  # an app's cache does this
    assert copy == result
    np.testing.assert_array_equal(copy.transform(features[:3]), result.transform(features[:3]))


def exact_affinities(x: np.ndarray, perplexity: float) -> np.ndarray:
    """P of van der Maaten and Hinton 2008, equation 1, of all pairs, with bandwidths found by bisection."""
    squared = ((x[:, None] - x[None]) ** 2).sum(-1)
    conditional = np.zeros_like(squared)
    for i, row in enumerate(squared):
        others = np.delete(row, i)
        low, high = 1e-12, 1e6
        for _ in range(70):  # 1e18 = 2⁶⁰: then it is as narrow as numbers are
            beta = np.sqrt(low * high)
            p = np.exp(-beta * (others - others.min()))
            p /= p.sum()
            entropy = -(p * np.log2(np.maximum(p, 1e-300))).sum()
            low, high = (beta, high) if 2**entropy > perplexity else (low, beta)
        conditional[i, np.arange(len(x)) != i] = p
    found: np.ndarray = (conditional + conditional.T) / (2 * len(x))
    return found


def exact_divergence(joint: np.ndarray, xy: np.ndarray) -> float:
    """KL(P || Q) of van der Maaten and Hinton 2008, with Q of equation 4."""
    kernel = 1 / (1 + ((xy[:, None] - xy[None]) ** 2).sum(-1))
    np.fill_diagonal(kernel, 0)
    q = kernel / kernel.sum()
    inside = joint > 1e-12
    return float((joint[inside] * np.log(joint[inside] / q[inside])).sum())


def test_tsne_is_as_good_as_that_of_scikit_learn() -> None:
    """On the digits, both scored by the divergence they minimise, over all pairs, and by trustworthiness."""
    x, labels = load_digits(return_X_y=True)
    x, labels = x[:600].astype(float), labels[:600]
    ours = embed(x, labels, options=MapOptions(perplexity=30))
    theirs = TSNE(perplexity=30, random_state=0).fit_transform(PCA(50, random_state=0).fit_transform(x))
    joint = exact_affinities(x, 30)
    assert exact_divergence(joint, ours.xy) < exact_divergence(joint, theirs) + 0.03
    assert ours.trustworthiness > trustworthiness(x, theirs) - 0.005
    assert ours.knn_accuracy > 0.93


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_unseen_clips_are_placed_with_their_class(method: str) -> None:
    features, labels = blobs(d=70)
    old = np.arange(90) % 3 > 0
    result = embed(features[old], labels[old], method=method)  # type: ignore[arg-type]
    placed = result.transform(features[~old])
    distances = np.linalg.norm(placed[:, None] - result.xy[None], axis=2)
    assert (labels[old][distances.argmin(axis=1)] == labels[~old]).all()


def test_another_start_is_kept_to() -> None:
    """Two classes far apart: the one that begins on the left stays there."""
    features, labels = blobs(classes=2)
    start = np.random.default_rng(0).normal(size=(60, 2)) + np.where(labels == 1, -10, 10)[:, None] * [1, 0]
    for side in (1, -1):
        result = embed(features, labels, start=start * [side, 1])
        assert (np.sign(result.xy[:, 0]) == np.where(labels == 1, -side, side)).all()
        assert result.parameters["start"] == "given"


def test_measures_come_with_n_and_chance() -> None:
    features, labels = blobs()
    people = np.arange(90) % 6
    result = embed(features, labels, method="pca", groups=people, options=MapOptions(k=7))
    names = [(m.name, m.space, m.n, m.k) for m in result.measures]
    assert names == [
        ("kNN accuracy", "map", 90, 7),
        ("kNN accuracy", "features", 90, 7),
        ("kNN accuracy, other groups", "map", 90, 7),
        ("kNN accuracy, other groups", "features", 90, 7),
        ("trustworthiness", "map", 90, 7),
        ("continuity", "map", 90, 7),
        ("silhouette", "map", 90, None),
        ("silhouette", "features", 90, None),
    ]
    assert all(m.null < m.value for m in result.measures)
    assert "7-NN accuracy from other groups 1.00" in result.caption
    with pytest.raises(InputError, match=r"no measure 'stress' of the map; there are kNN accuracy \(map\)"):
        result.measure("stress")


def test_a_class_of_one_person_and_fewer_neighbours_are_noted() -> None:
    features, labels = blobs(4)
    result = embed(
        features,
        labels,
        method="pca",
        options=MapOptions(k=20),
        groups=np.where(labels == 0, 0, np.arange(12)),
        label_names=NAMES,
    )
    assert "neighbours that vote lowered from 20 to 11: 12 clips" in result.notes
    assert "happy is of one group alone: its clips can only count as wrong from other groups" in result.notes


def test_the_inputs_are_left_alone() -> None:
    features, labels = blobs()
    before = features.copy()
    result = embed(features, labels, method="pca")
    labels[0] = 2
    assert result.labels[0] == 0
    assert features.flags.writeable
    np.testing.assert_array_equal(features, before)


def good() -> tuple[np.ndarray, np.ndarray]:
    return blobs(4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, y: {"features": f[:4], "labels": y[:4]}, "4 clips are too few"),
        (lambda f, y: {"features": np.where(f == f[3, 0], np.nan, f)}, r"features\[3\] holds NaN"),
        (lambda f, y: {"features": f * np.inf}, "holds NaN or infinity"),
        (lambda f, y: {"features": f[:, :1]}, "1 columns"),
        (lambda f, y: {"features": f[:, None]}, r"pooled over positions"),
        (lambda f, y: {"features": np.ones_like(f)}, "all 12 clips have the same features"),
        (lambda f, y: {"labels": y[:-1]}, r"labels has shape \(11,\) for 12 clips"),
        (lambda f, y: {"labels": y - 1}, r"labels\[0\] is -1"),
        (lambda f, y: {"labels": y + 0.5}, "whole class indexes, not 0.5"),
        (lambda f, y: {"labels": np.array(NAMES)[y]}, "whole class indexes, not 'happy'"),
        (lambda f, y: {"label_names": ("a", "b")}, "labels go up to 2, label_names has only 2"),
        (lambda f, y: {"label_names": ("a", "a", "b")}, "names a class twice"),
        (lambda f, y: {"method": "isomap"}, "unknown embedding method 'isomap'; use one of tsne, umap, pca"),
        (lambda f, y: {"options": MapOptions(perplexity=0.0)}, "perplexity 0"),
        (lambda f, y: {"options": MapOptions(k=0)}, "k 0 and jobs 1 at least 1"),
        (lambda f, y: {"start": np.zeros((12, 2))}, r"pass a place for each clip, \(12, 2\)"),
        (lambda f, y: {"start": f[:, :2], "method": "pca"}, "PCA begins nowhere"),
        (lambda f, y: {"groups": y[:-1]}, r"groups has shape \(11,\) for 12 clips"),
        (lambda f, y: {"groups": np.zeros(12)}, "all clips are of one group"),
    ],
)
def test_bad_input(change, message: str) -> None:  # type: ignore[no-untyped-def]
    features, labels = good()
    with pytest.raises(InputError, match=message) as caught:
        embed(**{"features": features, "labels": labels, **change(features, labels)})
    assert "\n" not in str(caught.value)


def test_transform_checks_the_number_of_features() -> None:
    result = embed(*good(), method="pca")
    with pytest.raises(InputError, match="new clips have 3 features, the map was fitted on 10"):
        result.transform(np.zeros((1, 3)))
