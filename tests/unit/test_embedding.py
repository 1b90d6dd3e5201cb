"""The map of clip features: its quality figures against oracles, its seed, its placing of further clips."""

import json
import logging
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from ifdd.errors import InputError
from workbench.analysis import embedding
from workbench.analysis.embedding import embed

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


def test_knn_accuracy_by_hand() -> None:
    # on a line, three neighbours: only the a at 10 sits among b
    xy = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [10, 0], [10.5, 0], [11, 0], [9, 0]], dtype=float)
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    accuracy, _ = embedding._knn_accuracy(xy, labels, 3, seed=0)
    assert accuracy == 7 / 8


def test_tied_votes_go_to_the_nearer_class() -> None:
    xy = np.array([[0.0, 0], [1, 0], [-1.5, 0], [50, 0], [50.1, 0], [50.2, 0]])
    labels = np.array([1, 1, 0, 0, 0, 0])
    accuracy, _ = embedding._knn_accuracy(xy, labels, 2, seed=0)
    # clip 0 has neighbours 1 (its class, nearer) and 2; clip 1: 0 and 2, also right; clip 2: both of class 1, wrong
    assert accuracy == 5 / 6


def test_duplicates_do_not_vote_for_themselves() -> None:
    xy = np.zeros((6, 2))
    accuracy, _ = embedding._knn_accuracy(xy, np.arange(6), 5, seed=0)
    assert accuracy == 0.0


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
        f"trustworthiness {result.trustworthiness:.2f}"
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


def test_trustworthiness_of_many_clips_is_subsampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "TRUST_CLIPS", 50)
    features, labels = blobs()
    result = embed(features, labels, method="pca", seed=5)
    chosen = np.sort(np.random.default_rng(5).choice(90, 50, replace=False))
    assert result.parameters["trustworthiness_clips"] == 50
    assert result.trustworthiness == trustworthiness(features[chosen], result.xy[chosen], n_neighbors=5)


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
        (lambda f, y: {"perplexity": 0.0}, "perplexity 0"),
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
