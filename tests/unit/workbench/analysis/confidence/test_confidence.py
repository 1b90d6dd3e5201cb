"""Confidence densities against the folded Gaussian and their integral; calibration against hand counts and torchmetrics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import foldnorm, norm
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.classification import multiclass_calibration_error

from ifdd.errors import InputError
from ifdd.metrics import count_units
from workbench.analysis.confidence import calibration, density, separation
from workbench.analysis.confidence.densities import reflected_kde, separation_interval
from workbench.analysis.confidence.results import Density


def random_probs(n: int, classes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.4), n)


def integral(curve: np.ndarray, grid: np.ndarray) -> float:
    return float(np.trapezoid(curve, grid))


def two_classes(first: np.ndarray) -> np.ndarray:
    return np.stack([first, 1 - first], axis=1)


@given(
    values=st.lists(st.floats(0, 1), min_size=2, max_size=30),
    bandwidth=st.floats(1e-3, 20.0) | st.none(),
)
@settings(max_examples=60, deadline=None)
def test_every_density_integrates_to_one(values: list[float], bandwidth: float | None) -> None:
    result = density(two_classes(np.array(values)), np.zeros(len(values), int), bandwidth=bandwidth)
    curve = result.classes[0].positives.density
    if np.std(values, ddof=1) < 1e-8:
        assert curve is None
        assert "no density from equal values" in result.notes[0]
    else:
        assert curve is not None
        assert (curve >= 0).all()
        assert integral(curve, result.grid) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("bandwidth", [0.02, 0.1])
def test_one_point_at_the_edge_is_the_folded_gaussian(bandwidth: float) -> None:
    x = np.linspace(0, 1, 201)
    value = 0.07  # so far from 1 that only the mirror at 0 matters
    expected = foldnorm(value / bandwidth, scale=bandwidth).pdf(x)
    np.testing.assert_allclose(reflected_kde(np.array([value]), x, bandwidth), expected, rtol=1e-9, atol=1e-9)


def test_one_point_with_both_mirrors() -> None:
    x = np.linspace(0, 1, 101)
    wide = 0.9
    expected = sum(norm(2 * m + sign * 0.3, wide).pdf(x) for m in range(-20, 21) for sign in (1, -1))
    np.testing.assert_allclose(reflected_kde(np.array([0.3]), x, wide), expected, rtol=1e-12)


def test_a_very_wide_kernel_is_uniform() -> None:
    np.testing.assert_allclose(reflected_kde(np.array([0.1, 0.9]), np.linspace(0, 1, 50), 1e6), 1.0, rtol=1e-12)


def test_blocks_do_not_change_the_sum() -> None:
    values = np.random.default_rng(0).uniform(size=9000)
    x = np.linspace(0, 1, 16)
    halves = (reflected_kde(values[:4500], x, 0.1) + reflected_kde(values[4500:], x, 0.1)) / 2
    np.testing.assert_allclose(reflected_kde(values, x, 0.1), halves, rtol=1e-12)


def test_uniform_values_have_no_dip_at_the_edges() -> None:
    """What the reflection is for: a plain kernel density would fall to a half at 0 and 1."""
    values = (np.arange(2000) + 0.5) / 2000
    np.testing.assert_allclose(reflected_kde(values, np.linspace(0, 1, 101), 0.05), 1.0, atol=1e-3)


def test_positives_and_negatives_are_one_against_the_rest() -> None:
    probs = random_probs(50, 3)
    labels = np.arange(50) % 3
    result = density(probs, labels, ("happy", "sad", "fear"))
    for c, item in enumerate(result.classes):
        assert item.name == ("happy", "sad", "fear")[c]
        np.testing.assert_array_equal(item.positives.values, probs[labels == c, c])
        np.testing.assert_array_equal(item.negatives.values, probs[labels != c, c])
        np.testing.assert_array_equal(item.negatives.rows, np.flatnonzero(labels != c))
        assert item.positives.n + item.negatives.n == 50
    assert result.notes == ()


def test_scott_rule() -> None:
    probs = random_probs(40, 2)
    values = probs[:30, 0]
    result = density(probs, np.repeat([0, 1], [30, 10]))
    positives = result.classes[0].positives
    assert positives.bandwidth == pytest.approx(values.std(ddof=1) * 30 ** (-1 / 5))
    np.testing.assert_allclose(positives.density, reflected_kde(values, result.grid, positives.bandwidth))


def test_bandwidth_never_below_one_step_of_the_grid() -> None:
    """A sure model: nearly all values at 1. The curve stays visible on the grid, and the note says why."""
    first = 1 - np.linspace(0, 1e-4, 50)
    result = density(two_classes(first), np.zeros(50, int), grid=101)
    positives = result.classes[0].positives
    assert positives.bandwidth == pytest.approx(0.01)
    assert "class 0, positives: bandwidth by Scott's rule raised to" in result.notes[0]
    assert integral(positives.density, result.grid) == pytest.approx(1, abs=1e-6)


def test_a_fine_bandwidth_refines_the_grid() -> None:
    result = density(random_probs(20, 2), np.arange(20) % 2, bandwidth=5e-4)
    assert len(result.grid) == 2001
    assert integral(result.classes[0].positives.density, result.grid) == pytest.approx(1, abs=1e-6)


def test_classes_with_no_or_one_clip() -> None:
    result = density(random_probs(9, 3), np.array([0] * 8 + [1]), ("happy", "sad", "fear"))
    happy, sad, fear = result.classes
    assert happy.positives.density is not None
    assert (sad.positives.n, sad.positives.density, sad.positives.bandwidth) == (1, None, None)
    assert (fear.positives.n, fear.positives.density) == (0, None)
    assert happy.negatives.n == 1
    assert fear.negatives.n == 9
    assert "fear: no clip has this label" in result.notes
    assert sad.separation is None  # the one clip lies somewhere among the others: 0.00 or 1.00 would mean nothing
    assert "sad, positives: no density and no AUC from one clip (n = 1)" in result.notes


def test_integral_agrees_with_adaptive_quadrature() -> None:
    values = np.concatenate([np.zeros(5), np.ones(3), np.random.default_rng(0).uniform(size=20)])
    result = density(two_classes(values), np.zeros(28, int))
    curve = result.classes[0].positives
    fine, _ = quad(lambda x: reflected_kde(values, np.array([x]), curve.bandwidth)[0], 0, 1, limit=200)
    assert fine == pytest.approx(1, abs=1e-9)
    assert integral(curve.density, result.grid) == pytest.approx(fine, abs=1e-3)


def test_overlap_is_the_shared_area() -> None:
    rng = np.random.default_rng(0)
    probs, labels = two_classes(np.concatenate([rng.beta(5, 2, 60), rng.beta(2, 5, 40)])), np.repeat([0, 1], [60, 40])
    item = density(probs, labels).classes[0]
    wider = max(item.positives.bandwidth, item.negatives.bandwidth)
    sides = [(side.values, wider) for side in (item.positives, item.negatives)]
    shared = quad(lambda x: min(reflected_kde(v, np.array([x]), h)[0] for v, h in sides), 0, 1, limit=500)[0]
    assert item.overlap == pytest.approx(shared, abs=1e-3)
    assert item.separation == pytest.approx(roc_auc_score(labels == 0, probs[:, 0]))


def test_overlap_of_equal_densities_is_its_null() -> None:
    """20 clips of a kind and 120 of the same: not 1, and that is what the null says; clips apart stay below it."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [20, 120])
    same = [density(two_classes(rng.beta(2, 3, 140)), labels).classes[0] for _ in range(20)]
    assert np.mean([item.overlap for item in same]) == pytest.approx(np.mean([item.overlap_null for item in same]), abs=0.02)
    assert all(item.overlap_null < 0.99 for item in same)
    apart = density(two_classes(np.concatenate([rng.beta(8, 2, 20), rng.beta(2, 8, 120)])), labels).classes[0]
    assert apart.overlap < 0.3 < 0.8 < apart.overlap_null


def test_calibration_error_has_an_interval_and_a_null() -> None:
    """A perfect model has the error of its null; one that is too sure is above it, and so is its interval."""
    rng = np.random.default_rng(0)
    persons = np.repeat(np.arange(40), 10)
    sure = rng.uniform(0.5, 1, 400)
    probs = np.column_stack([sure, 1 - sure])
    found = [calibration(probs, (rng.random(400) > sure).astype(int), groups=persons, seed=s) for s in range(20)]
    assert np.mean([f.ece for f in found]) == pytest.approx(np.mean([f.ece_null for f in found]), abs=0.006)
    over = calibration(probs, (rng.random(400) > sure - 0.25).astype(int), groups=persons)
    assert over.ece_interval.low > 3 * over.ece_null
    assert over.ece_interval.low < 0.25 < over.ece_interval.high
    assert over.units == "over 40 persons"
    assert calibration(probs, np.zeros(400, int), groups=["a"] * 400).notes


def test_bins_by_the_number_of_clips() -> None:
    rng = np.random.default_rng(1)
    probs = random_probs(140, 3)
    labels = rng.integers(0, 3, 140)
    few = calibration(probs, labels)
    assert (few.binning, len(few.counts)) == ("mass", 7)
    assert (few.counts == 20).all()
    low, high = few.accuracy_bounds.T
    assert ((low <= few.accuracy) & (few.accuracy <= high) & (high - low > 0.2)).all()  # twenty clips say little
    wide = calibration(probs, labels, binning="width", bins=15)
    assert (wide.binning, len(wide.counts)) == ("width", 15)
    assert np.isnan(wide.accuracy_bounds[wide.counts == 0]).all()
    assert calibration(np.tile(probs, (12, 1)), np.tile(labels, 12)).binning == "width"
    certain = calibration(np.tile([1.0, 0.0], (100, 1)), np.zeros(100, int))  # all confidences are ties
    assert certain.counts.sum() == 100
    with pytest.raises(InputError, match="unknown binning 'even'"):
        calibration(probs, labels, binning="even")


def test_overlap_and_separation_at_their_ends() -> None:
    same = density(two_classes(np.tile([0.2, 0.5, 0.9], 2)), np.repeat([0, 1], 3)).classes[0]
    assert (same.overlap, same.separation) == (pytest.approx(1, abs=1e-3), 0.5)
    apart = density(two_classes(np.array([0.99, 0.97, 0.01, 0.03])), [0, 0, 1, 1]).classes[0]
    assert apart.overlap < 1e-3
    assert apart.separation == 1
    alone = density(two_classes(np.array([0.5, 0.5, 0.4])), [0, 0, 0]).classes[0]
    assert (alone.overlap, alone.separation) == (None, None)
    assert separation(np.array([0.5, 0.5]), np.array([0.5])) == 0.5  # all equal: chance, by ties


def test_separation_has_an_interval_over_persons() -> None:
    """Of clips that are one another's copies, an interval over persons is that of the clips without their copies, but for t."""
    rng = np.random.default_rng(0)
    probs, labels = two_classes(rng.uniform(size=60)), np.arange(60) % 2
    alone = density(probs, labels).classes[0].separation_interval
    copies = density(np.repeat(probs, 5, 0), np.repeat(labels, 5), groups=np.repeat(np.arange(60), 5)).classes[0]
    assert copies.separation_interval.value == pytest.approx(alone.value)
    assert copies.separation_interval.low == pytest.approx(alone.low, abs=0.015)
    assert copies.separation_interval.high == pytest.approx(alone.high, abs=0.015)
    taken_as_clips = density(np.repeat(probs, 5, 0), np.repeat(labels, 5)).classes[0].separation_interval
    assert taken_as_clips.high - taken_as_clips.low < 0.6 * (alone.high - alone.low)


@pytest.mark.parametrize("apart", [0.0, 2.5])
@pytest.mark.parametrize(("persons", "each"), [(60, 1), (20, 7)])
def test_interval_of_the_separation_holds_the_truth(apart: float, persons: int, each: int) -> None:
    rng, held, sets = np.random.default_rng(0), 0, 200
    names = np.repeat(np.arange(persons), each)
    for _ in range(sets):
        labels = (rng.random(persons * each) < 0.8).astype(int)
        labels[:2] = 0
        values = np.sqrt(0.2) * rng.normal(size=persons)[names] + np.sqrt(0.8) * rng.normal(size=len(names))
        sides = [
            Density(norm.cdf(values[rows] + apart * (labels[rows] == 0)), rows, None, None)
            for rows in (np.flatnonzero(labels == 0), np.flatnonzero(labels == 1))
        ]
        found = separation_interval(*sides, count_units(names, len(names)))
        held += found.low <= norm.cdf(apart / np.sqrt(2)) <= found.high
    assert held / sets >= 0.92


def test_interval_of_the_separation_at_its_ends() -> None:
    apart = density(two_classes(np.array([0.99, 0.97, 0.01, 0.03])), [0, 0, 1, 1]).classes[0].separation_interval
    assert (apart.value, apart.high) == (1, 1)
    assert 0.2 < apart.low < 0.8  # two clips against two
    one_person = density(random_probs(8, 2), [0, 1] * 4, groups=["a"] * 8)
    assert one_person.units == "over 8 clips, taken as independent"
    nobody = density(two_classes(np.array([0.5, 0.5])), [0, 0]).classes[0].separation_interval
    assert np.isnan(nobody.value)


def test_many_values_are_counted_in_cells() -> None:
    """A density and an overlap of many clips differ from those of every single clip by less than a picture shows."""
    rng = np.random.default_rng(0)
    values, labels = np.concatenate([rng.beta(9, 1, 5000), rng.beta(1, 9, 5000)]), np.repeat([0, 1], 5000)
    many = density(two_classes(values), labels).classes[0]
    points, halves = np.linspace(0, 1, 512), values[:5000].reshape(2, -1)
    exact = np.mean([reflected_kde(half, points, many.positives.bandwidth) for half in halves], axis=0)
    assert np.abs(many.positives.density - exact).max() < 0.002 * exact.max()
    few = density(two_classes(values[::5]), labels[::5], bandwidth=many.positives.bandwidth).classes[0]
    assert many.overlap == pytest.approx(few.overlap, abs=0.01)


def test_table_names_n_and_bandwidth() -> None:
    result = density(random_probs(30, 3), np.arange(30) % 3, bandwidth=0.05)
    assert result.table[1]["n negatives"] == 20
    assert {row["bandwidth positives"] for row in result.table} == {0.05}


def test_calibration_by_hand() -> None:
    probs = np.array([[0.95, 0.05], [0.85, 0.15], [0.45, 0.55], [0.35, 0.65], [0.9, 0.1]])
    labels = np.array([0, 1, 1, 0, 0])
    result = calibration(probs, labels, bins=5, label_names=("happy", "sad"))
    # winning confidences .95 .85 .55 .65 .9, hits 1 0 1 0 1; bins end at .2 .4 .6 .8 1
    np.testing.assert_array_equal(result.counts, [0, 0, 1, 1, 3])
    np.testing.assert_allclose(result.mean_confidence, [np.nan, np.nan, 0.55, 0.65, 0.9])
    np.testing.assert_allclose(result.accuracy, [np.nan, np.nan, 1, 0, 2 / 3])
    assert result.ece == pytest.approx((0.45 + 0.65 + 3 * (0.9 - 2 / 3)) / 5)
    # class 0: p .95 .85 .9 | .45 | .35, true 1 0 1 | 0 | 1
    assert result.classwise_ece[0] == pytest.approx((3 * abs(2 / 3 - 0.9) + 0.45 + 0.65) / 5)
    assert result.classwise_ece[1] == pytest.approx((3 * abs(1 / 3 - 0.1) + 0.45 + 0.65) / 5)
    assert result.caption.startswith("n = 5; expected calibration error 0.360")


def test_ece_is_that_of_torchmetrics() -> None:
    probs = random_probs(400, 7, seed=3)
    labels = np.random.default_rng(4).integers(0, 7, 400)
    expected = multiclass_calibration_error(torch.tensor(probs), torch.tensor(labels), 7, n_bins=15, norm="l1")
    assert calibration(probs, labels, bins=15).ece == pytest.approx(float(expected), abs=1e-6)  # float32 there


def test_a_calibrated_model_has_a_small_error() -> None:
    rng = np.random.default_rng(1)
    probs = random_probs(20000, 3, seed=2)
    labels = (rng.uniform(size=(20000, 1)) > probs.cumsum(axis=1)).sum(axis=1).clip(max=2)
    result = calibration(probs, labels)
    assert result.ece < 0.02
    assert result.classwise_ece.max() < 0.02


def test_bins_at_their_edges() -> None:
    """Edges belong to the lower bin; confidence 1 to the last and probability 0 to the first."""
    result = calibration(np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([0, 0]), bins=2)
    np.testing.assert_array_equal(result.counts, [1, 1])
    assert result.classwise_ece[1] == pytest.approx(0.5 * 2 * 0.25)


@pytest.mark.parametrize("function", [density, calibration])
@pytest.mark.parametrize(
    ("probs", "labels", "message"),
    [
        ([[0.5, 0.6]], [0], r"probs\[0\] sums to 1.1"),
        ([[0.5, 0.5], [2.0, -1.0]], [0, 0], r"probs\[1\] holds 2, outside \[0, 1\]; these look like logits"),
        ([[np.nan, 1.0]], [0], r"probs\[0\] is not finite"),
        ([[0.5, 0.5]], [2], r"labels\[0\] is 2, allowed is 0 to 1"),
        ([[0.5, 0.5]], [0, 1], r"labels has shape \(2,\) for 1 clips"),
        ([0.5, 0.5], [0, 1], "shape"),
        (np.empty((0, 2)), [], "shape"),
    ],
)
def test_bad_input(function, probs, labels, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        function(probs, labels)


def test_bad_settings() -> None:
    probs, labels = random_probs(4, 2), [0, 1, 0, 1]
    for bandwidth in (0.0, -1.0, np.nan, 1e-6):
        with pytest.raises(InputError, match="bandwidth"):
            density(probs, labels, bandwidth=bandwidth)
    with pytest.raises(InputError, match="grid 2"):
        density(probs, labels, grid=2)
    with pytest.raises(InputError, match="bins is 0"):
        calibration(probs, labels, bins=0)
    with pytest.raises(InputError, match="label_names has 3 names for 2 classes"):
        calibration(probs, labels, label_names=("a", "b", "c"))


def test_float16_probabilities_are_fine() -> None:
    probs = random_probs(200, 7).astype(np.float16)
    assert density(probs, np.arange(200) % 7).classes[0].negatives.n == 171


def test_a_note_that_holds_for_several_classes_is_told_once() -> None:
    result = density(random_probs(4, 5), np.arange(4), ("happy", "sad", "fear", "angry", "disgust"))
    assert result.notes == (
        "happy, sad, fear, angry, positives: no density and no AUC from one clip (n = 1)",
        "disgust: no clip has this label",
    )
    assert all(item.separation is None for item in result.classes)
