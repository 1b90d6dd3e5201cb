"""Maps of the same clips side by side: their alignment, their disparity, and what is refused."""

import numpy as np
import pytest
from scipy.spatial import procrustes

from ifdd.errors import InputError
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.series import disparity, embed_series


def clips(n: int = 60, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % 3
    features = np.random.default_rng(2).normal(size=(n, d)) * np.linspace(3, 1, d)
    features[np.arange(n), labels] += 9
    return features, labels


def turned(features: np.ndarray, seed: int) -> np.ndarray:
    """The same clips in axes of another model: turned, mirrored, moved and scaled."""
    rng = np.random.default_rng(seed)
    return 7.0 * features @ np.linalg.qr(rng.normal(size=(features.shape[1],) * 2))[0] + rng.normal(size=features.shape[1])


def test_maps_that_differ_by_turning_alone_fall_on_each_other() -> None:
    features, labels = clips()
    series = embed_series({"a": features, "b": turned(features, 1), "c": turned(features, 2)}, labels, "pca")
    first = series.maps[0].xy
    for found in series.maps:
        np.testing.assert_allclose(found.xy, first, atol=1e-9)
        np.testing.assert_allclose((found.xy**2).sum(1).mean(), 1)
        np.testing.assert_allclose(found.xy.mean(0), 0, atol=1e-12)
    assert series.moved == pytest.approx((0, 0), abs=1e-12)
    assert min(series.moved_null) > 0.8


def test_disparity_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    for _ in range(10):
        a, b = rng.normal(size=(2, 20, 2)) * rng.uniform(0.1, 9, (2, 1, 1)) + rng.normal(size=(2, 1, 2))
        assert disparity(a, b) == pytest.approx(procrustes(a, b)[2])


def test_moved_is_against_the_map_it_was_turned_onto() -> None:
    features, labels = clips()
    noise = np.random.default_rng(0).normal(size=features.shape)
    stages = {"first": features, "second": features + 3 * noise, "third": features + 3.1 * noise}
    alone = {name: embed(values, labels, "pca").xy for name, values in stages.items()}
    film = embed_series(stages, labels, "pca", onto="previous")
    models = embed_series(stages, labels, "pca", onto="first")
    assert film.moved[1] == pytest.approx(disparity(alone["second"], alone["third"]))
    assert models.moved[1] == pytest.approx(disparity(alone["first"], alone["third"]))
    assert film.moved[1] < film.moved[0]


def test_alignment_leaves_quality_and_placing_alone() -> None:
    features, labels = clips()
    series = embed_series({"a": features, "b": turned(features, 1)}, labels, "pca", seed=3)
    plain = embed(turned(features, 1), labels, "pca", seed=3)
    assert series.map("b").measures == plain.measures
    np.testing.assert_allclose(series.map("b").transform(turned(features, 1)[:5]), series.map("b").xy[:5], atol=1e-9)
    with pytest.raises(InputError, match="no map of 'd'; there are a, b"):
        series.map("d")


def test_a_chained_film_moves_less() -> None:
    rng = np.random.default_rng(9)
    features = rng.normal(size=(80, 5))
    labels = np.arange(80) % 2
    stages = {str(i): features + 0.05 * i * rng.normal(size=features.shape) for i in range(3)}
    own, chained = (embed_series(stages, labels, start=start) for start in ("own", "previous"))  # type: ignore[arg-type]
    assert [found.parameters["start"] for found in chained.maps] == ["own", "given", "given"]
    assert sum(chained.moved) < sum(own.moved)


def test_ids_have_to_agree() -> None:
    features, labels = clips(12)
    names = [f"clip {i}" for i in range(12)]
    pair = {"a": features, "b": features}
    assert embed_series(pair, labels, "pca", clip_ids={"a": names, "b": names}).clip_ids == tuple(names)
    swapped = [names[1], names[0], *names[2:]]
    with pytest.raises(InputError, match="clip 0 of b is clip 1, of a it is clip 0"):
        embed_series(pair, labels, "pca", clip_ids={"a": names, "b": swapped})
    with pytest.raises(InputError, match="b has 11 clips, a has 12"):
        embed_series(pair, labels, "pca", clip_ids={"a": names, "b": names[:-1]})
    with pytest.raises(InputError, match="clip_ids has no ids of b"):
        embed_series(pair, labels, "pca", clip_ids={"a": names})


def test_bad_series() -> None:
    features, labels = clips(12)
    with pytest.raises(InputError, match="b: all 12 clips have the same features"):
        embed_series({"a": features, "b": np.ones((12, 3))}, labels, "pca")
    with pytest.raises(InputError, match=r"b: features\[2\] holds NaN"):
        embed_series({"a": features, "b": np.where(np.arange(12)[:, None] == 2, np.nan, features)}, labels, "pca")
    with pytest.raises(InputError, match="b has 11 clips, a has 12"):
        embed_series({"a": features, "b": features[1:]}, labels, "pca")
    with pytest.raises(InputError, match="two maps or more, not 1"):
        embed_series({"a": features}, labels, "pca")
    with pytest.raises(InputError, match="onto='last'"):
        embed_series({"a": features, "b": features}, labels, "pca", onto="last")  # type: ignore[arg-type]
