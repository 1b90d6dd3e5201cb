"""Measures of disentanglement on features and maps whose answer is known."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from ifdd.errors import InputError
from workbench.analysis import disentanglement
from workbench.analysis.disentanglement.probes import _class_score
from workbench.analysis.disentanglement.results import GROUPS

STEPS = 8


def reading(frames: list[list[int]]) -> np.ndarray:
    """Weights (n, K, T') of steps that read whole frames."""
    return np.eye(STEPS)[np.array(frames)]


def split_of(dynamic: list[int], clips: int = 6) -> tuple[np.ndarray, np.ndarray]:
    static = [t for t in range(STEPS) if t not in dynamic]
    return reading([dynamic] * clips), reading([static] * clips)


TRUTH = np.tile([0, 0, 0, 0.3, 1, 1, 0.8, 0], (6, 1)).astype(float)


class TestSplitQuality:
    def test_reading_the_active_frames_is_perfect_and_the_others_is_worst(self) -> None:
        best = disentanglement.split_quality(*split_of([3, 4, 5, 6]), TRUTH)
        assert (best.score().auroc.value, best.score().ap.value) == (1, 1)
        assert [best.score(group=group).auroc.value for group in GROUPS] == [1, 0, 1]
        assert disentanglement.split_quality(*split_of([0, 1, 2, 7]), TRUTH).score().auroc.value == 0
        assert best.intensity_D.value == pytest.approx((0.3 + 1 + 1 + 0.8) / 4)
        assert best.intensity_S.value == 0
        np.testing.assert_array_equal(best.occupancy_D, [0, 0, 0, 1, 1, 1, 1, 0])

    def test_each_group_by_itself_may_be_above_chance_where_the_difference_is_below(self) -> None:
        """Both groups read the emotion more often than not, the static one still more: no finding about D."""
        dynamic, static = reading([[3, 4, 5, 0]] * 6), reading([[3, 4, 5, 6]] * 6)
        result = disentanglement.split_quality(dynamic, static, TRUTH)
        alone, other, difference = (result.score(group=group).auroc.value for group in GROUPS)
        assert other == 1
        assert alone > 0.5 > difference
        shown = TRUTH[0] > 0.25
        assert alone == pytest.approx(roc_auc_score(shown, dynamic[0].sum(0)))
        assert difference == pytest.approx(roc_auc_score(shown, dynamic[0].sum(0) - static[0].sum(0)))

    def test_readers_to_compare_with(self) -> None:
        result = disentanglement.split_quality(*split_of([1, 3, 5, 7]), TRUTH, frame_difference=TRUTH)
        even_odd = result.score("even-odd").auroc.value
        assert result.score().auroc.value == even_odd
        shown = TRUTH[0] > 0.25
        assert even_odd == pytest.approx(roc_auc_score(shown, np.arange(8) % 2))
        assert result.score("half-way").auroc.value == 0.5  # it reads every frame alike
        assert result.score("uniform").auroc.value == 0.5
        assert result.score("middle").auroc.value == pytest.approx(roc_auc_score(shown, -np.abs(np.arange(8) - 3.5)))
        assert result.score("uniform").ap.value == pytest.approx(0.5)
        assert result.score("largest difference").auroc.value == 1
        assert even_odd < result.score("oracle").auroc.value <= 1
        # with the whole clip in reach every dynamic step can read an active frame
        far = disentanglement.split_quality(*split_of([1, 3, 5, 7]), TRUTH, offset_range=8)
        assert far.score("oracle").auroc.value == 1
        with pytest.raises(InputError, match="no score of nobody"):
            result.score("nobody")

    def test_told_is_high_other_clips_and_uniform_are_at_chance(self) -> None:
        """Positive and negative control, of areas and of the intensity read: a model that finds every clip's own emotion."""
        rng = np.random.default_rng(0)
        starts = rng.integers(0, 8, 210)
        truth = np.array([np.roll([1, 1, 1, 1, 0, 0, 0, 0], s) for s in starts], float)
        frames = np.argsort(-truth, axis=1, kind="stable")
        dynamic, static = np.eye(STEPS)[frames[:, :4]], np.eye(STEPS)[frames[:, 4:]]
        result = disentanglement.split_quality(dynamic, static, truth, groups=np.arange(210) // 7)
        for group, best in zip(GROUPS, (1, 0, 1), strict=True):
            assert result.score(group=group).auroc.value == best
            assert result.score("told", group=group).auroc.value == best
            assert result.score("other clips", group=group).auroc.value == pytest.approx(0.5, abs=0.05)
        reference = {name: found.value for name, found in result.intensity_reference.items()}
        assert (result.intensity_D.value, result.intensity_S.value, reference["uniform"]) == (1, 0, 0.5)
        assert (reference["D, told"], reference["S, told"]) == (1, 0)
        assert reference["D, other clips"] == pytest.approx(0.5, abs=0.05)
        assert reference["S, other clips"] == pytest.approx(0.5, abs=0.05)

    @pytest.mark.parametrize("values", [3, 1000])  # with many ties, and with hardly any
    def test_areas_are_those_of_scikit_learn(self, values: int) -> None:
        rng = np.random.default_rng(0)
        dynamic, static = rng.integers(0, values, (2, 40, 4, STEPS)).astype(float)
        truth = rng.uniform(0, 1, (40, STEPS)) ** 3
        found = disentanglement.split_quality(dynamic, static, truth)
        shown = truth > 0.25 * truth.max(1, keepdims=True)
        some = [i for i in range(40) if not shown[i].all()]
        for group, score in zip(GROUPS, (dynamic.sum(1), static.sum(1), (dynamic - static).sum(1)), strict=True):
            result = found.score(group=group)
            assert result.clips == len(some)
            assert result.auroc.value == pytest.approx(np.mean([roc_auc_score(shown[i], score[i]) for i in some]), abs=1e-12)
            precision = [average_precision_score(shown[i], score[i]) for i in some]
            assert result.ap.value == pytest.approx(np.mean(precision), abs=1e-12)

    def test_motion_is_the_slope_and_not_the_level(self) -> None:
        ramp = np.tile(np.r_[np.zeros(4), np.linspace(0, 1, 8), np.ones(4)], (3, 1))  # (3, 16): two values a feature frame
        weights = split_of([2, 3, 4, 5], clips=3)
        moving = disentanglement.split_quality(*weights, ramp)
        assert moving.score(target="motion").auroc.value == 1
        assert moving.score(target="intensity").auroc.value < 1

    def test_neutral_clips_are_left_out_and_counted_and_levels_have_rows(self) -> None:
        truth = TRUTH.copy()
        truth[0] = 0
        result = disentanglement.split_quality(*split_of([3, 4, 5, 6]), truth, levels=["a", "a", "b", "b", "b", "b"])
        assert (result.clips, result.without) == (6, 1)
        assert [result.score(level=level).clips for level in ("all", "a", "b")] == [5, 1, 4]

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10**6))
    def test_swapping_the_groups_mirrors_the_auroc(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        dynamic, static = rng.dirichlet(np.ones(STEPS), (2, 5, STEPS // 2))
        truth = rng.random((5, STEPS))
        one, other = (
            disentanglement.split_quality(*pair, truth, resamples=20).score(group="D − S").auroc.value
            for pair in ((dynamic, static), (static, dynamic))
        )
        assert one + other == pytest.approx(1)

    @pytest.mark.parametrize(
        ("truth", "message"),
        [
            (np.zeros((6, 8)), "truth is zero in every clip"),
            (np.ones((6, 12)), "multiple of 8"),
            (np.ones((5, 8)), r"shape \(5, 8\) for 6 clips"),
            (np.full((6, 8), np.nan), "truth holds NaN"),
        ],
    )
    def test_bad_truth(self, truth: np.ndarray, message: str) -> None:
        with pytest.raises(InputError, match=message):
            disentanglement.split_quality(*split_of([3, 4, 5, 6]), truth)


def people(clips: int = 700, persons: int = 50, seed: int = 0) -> dict[str, np.ndarray]:
    """Seven emotions, three lights, an angle; every person shows everything."""
    rng = np.random.default_rng(seed)
    return {
        "emotion": np.arange(clips) % 7,
        "light": rng.integers(0, 3, clips),
        "pose": rng.normal(size=clips),
        "person": np.arange(clips) // 7 % persons,
    }


def codes(factors: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    columns = [np.eye(7)[factors["emotion"]], np.eye(3)[factors["light"]], factors["pose"][:, None]]
    kept = {"emotion": columns[0], "light": columns[1], "pose": columns[2]}
    return np.concatenate([kept[name] for name in names], 1)


class TestProbes:
    FACTORS = ("emotion", "light", "pose")

    def matrix(self, dynamic: np.ndarray, static: np.ndarray, factors: dict[str, np.ndarray]) -> disentanglement.ProbeMatrix:
        wanted = {name: factors[name] for name in self.FACTORS}
        return disentanglement.probe_matrix({"D": dynamic, "S": static}, wanted, factors["person"], resamples=200, shuffles=1)

    def test_perfectly_split_features_score_a_gap_of_one(self) -> None:
        factors = people()
        rng = np.random.default_rng(1)
        noise = rng.normal(size=(700, 4))
        dynamic = np.c_[codes(factors, ("emotion",)), noise]
        static = np.c_[codes(factors, ("light", "pose")), noise]
        result = self.matrix(dynamic, static, factors)
        gap = result.gap("D", "S", "emotion", ("light", "pose"))
        assert gap.value == pytest.approx(1, abs=0.05)
        assert result.gap("S", "D", "emotion", ("light", "pose")).value == pytest.approx(-gap.value)
        assert result.leakage("D", ("light", "pose")).value == pytest.approx(0, abs=0.05)
        assert result.probe("S", "pose").classes is None
        assert result.probe("S", "pose").score.value > 0.98

    def test_told_is_the_most_and_other_clips_give_nothing(self) -> None:
        """Oracle: what is planted, and the same features of persons who are not the clips' own, scored by hand."""
        rng = np.random.default_rng(5)
        persons, emotion = np.repeat(np.arange(24), 7), np.tile(np.arange(7), 24)
        pose = rng.normal(size=168)
        of_person = rng.normal(size=(24, 12))[persons]
        knows = {"all": np.c_[of_person, 3 * np.eye(7)[emotion], 3 * pose], "nothing": rng.normal(size=(168, 20))}
        factors = {"emotion": emotion, "person": persons, "pose": pose}
        found = disentanglement.probe_matrix(knows, factors, persons, identity=("person", "emotion"), resamples=50)
        for factor in factors:
            assert found.told[factor].value > 0.97
            assert found.told[factor].value >= found.probe("all", factor).score.value - 0.02 > 0.7
            for feature in knows:  # a person's features stay those of one person among other clips that are kept together
                assert abs(found.probe(feature, factor).null) < 0.12, (feature, factor)
                assert found.probe("nothing", factor).score.value < 0.12
        wanted = "all", "nothing", "emotion", ("person", "pose")
        assert found.gap_told("emotion", ("person", "pose")) == pytest.approx(
            0.5 * (found.told["emotion"].value + (found.told["person"].value + found.told["pose"].value) / 2)
        )
        cell = {(f, n): found.probe(f, n).null for f in knows for n in factors}
        leaks = {f: (cell[f, "person"] + cell[f, "pose"]) / 2 for f in knows}
        by_hand = 0.5 * (cell["all", "emotion"] - cell["nothing", "emotion"] + leaks["nothing"] - leaks["all"])
        assert found.gap_null(*wanted) == pytest.approx(by_hand)
        assert found.leakage_null("all", ("person", "pose")) == pytest.approx(leaks["all"])
        with pytest.raises(InputError, match="no probe of 'weather'; factors: emotion"):
            found.gap_told("weather", ())
        with pytest.raises(InputError, match="shuffles is 0"):
            disentanglement.probe_matrix(knows, factors, persons, shuffles=0)

    def test_shuffled_features_score_a_gap_of_zero(self) -> None:
        factors = people()
        rng = np.random.default_rng(2)
        both = codes(factors, self.FACTORS)
        result = self.matrix(rng.permutation(both), rng.permutation(both), factors)
        gap = result.gap("D", "S", "emotion", ("light", "pose"))
        assert gap.low < 0 < gap.high
        assert abs(gap.value) < 0.1

    def test_rotation_between_the_branches_lowers_the_gap_monotonously(self) -> None:
        factors = people()
        rng = np.random.default_rng(3)
        own = codes(factors, ("emotion",)) @ rng.normal(size=(7, 12))
        other = codes(factors, ("light", "pose")) @ rng.normal(size=(4, 12))
        own, other = own + 0.5 * rng.normal(size=own.shape), other + 0.5 * rng.normal(size=other.shape)
        gaps = []
        for angle in np.linspace(0, np.pi / 4, 4):
            turned = np.cos(angle) * own + np.sin(angle) * other, np.cos(angle) * other - np.sin(angle) * own
            gaps.append(self.matrix(*turned, factors).gap("D", "S", "emotion", ("light", "pose")).value)
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[0] > 0.8
        assert abs(gaps[-1]) < 0.15

    def test_a_person_is_recognised_through_another_expression(self) -> None:
        factors = people(clips=350, persons=10)
        who = np.eye(10)[factors["person"]]
        probe = disentanglement.probe_matrix(
            {"who": who, "none": np.random.default_rng(0).normal(size=(350, 5))},
            {"person": factors["person"], "emotion": factors["emotion"]},
            factors["person"],
            identity=("person", "emotion"),
            resamples=50,
        )
        assert probe.probe("who", "person").score.value == pytest.approx(1)
        assert probe.probe("who", "person").held_out == "emotion"
        assert abs(probe.probe("none", "person").score.value) < 0.1
        # people give no emotion away: held out by person
        assert abs(probe.probe("who", "emotion").score.value) < 0.15

    def test_a_feature_of_few_dimensions_is_not_drowned_by_rounding(self) -> None:
        """Columns that repeat others, or never change, are no dimensions: what is known stays known."""
        factors = people(clips=140, persons=20)
        rng = np.random.default_rng(8)
        known = np.eye(7)[factors["emotion"]]
        repeated = np.c_[known @ rng.normal(size=(7, 24)), np.ones((140, 4))]
        found = disentanglement.probe_matrix(
            {"once": known, "repeated": repeated, "never": np.full((140, 28), 0.1)},
            {"emotion": factors["emotion"]},
            factors["person"],
            resamples=20,
            shuffles=1,
        )
        assert found.probe("repeated", "emotion").score.value == found.probe("once", "emotion").score.value == 1
        assert found.probe("never", "emotion").score.value == pytest.approx(0)

    def test_a_person_known_from_two_emotions_is_found_in_the_other(self) -> None:
        who = np.repeat(np.arange(21), 2)
        emotion = np.array([(i, j) for i in range(7) for j in range(i + 1, 7)]).ravel()
        probe = disentanglement.probe_matrix(
            {"who": np.eye(21)[who]}, {"person": who, "emotion": emotion}, who, identity=("person", "emotion"), resamples=20
        )
        assert probe.probe("who", "person").score.value == pytest.approx(1)

    def test_a_factor_that_cannot_be_held_out_is_named(self) -> None:
        known = np.full(70, np.nan)
        known[people(70, 10)["person"] == 3] = 1.5
        known[np.flatnonzero(np.isfinite(known))[0]] = 2.5
        with pytest.raises(InputError, match="factor pose: it is known for one group alone"):
            disentanglement.probe_matrix({"X": np.eye(70)}, {"pose": known}, people(70, 10)["person"])

    def test_balanced_accuracy_by_hand(self) -> None:
        truth, guess = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
        score, raw = _class_score(truth, guess, np.ones((1, 4)))
        assert raw[0] == pytest.approx((2 / 3 + 1) / 2)
        assert score[0] == pytest.approx((raw[0] - 0.5) / 0.5)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"groups": np.zeros(70)}, "all clips are of one group"),
            ({"factors": {"emotion": np.zeros(70, int)}}, "factor emotion has the one value 0"),
            ({"factors": {"emotion": np.arange(69)}}, r"factor emotion has shape \(69,\) for 70 clips"),
            ({"features": {"X": np.zeros((70, 2, 2))}}, r"feature X has shape \(70, 2, 2\)"),
            ({"features": {"X": np.full((70, 2), np.nan)}}, "feature X holds NaN"),
            ({"identity": ("who", "emotion")}, r"identity=\('who', 'emotion'\) must name two factors"),
        ],
    )
    def test_bad_input(self, change: dict, message: str) -> None:
        factors = people(70, 10)
        given = {"features": {"X": np.zeros((70, 2))}, "factors": {"emotion": factors["emotion"]}, "groups": factors["person"]}
        with pytest.raises(InputError, match=message):
            disentanglement.probe_matrix(**(given | change))


class TestLocalisation:
    def test_shares_by_hand(self) -> None:
        masks = np.zeros((2, 3, 4, 4), bool)
        masks[:, 1, :2, :2] = True  # a quarter of one frame
        inside, outside = masks.astype(float), (~masks).astype(float)
        result = disentanglement.localisation({"in": inside, "out": outside, "even": np.ones(masks.shape)}, masks)
        assert (result.clips, result.frames, result.without) == (2, 2, 0)
        assert [result.score(name).share.value for name in ("in", "out", "even")] == [1, 0, 0.25]
        assert [result.score(name).ratio.value for name in ("in", "out", "even")] == [4, 0, 1]
        assert result.score("in").pointing.value == 1
        assert np.isnan(result.score("even").pointing.value)

    def test_random_maps_are_at_chance_and_regions_share_the_energy(self) -> None:
        rng = np.random.default_rng(0)
        masks = np.zeros((20, 4, 16, 16), bool)
        masks[:, :, 4:8, 2:14] = True
        regions = np.zeros(masks.shape, int)
        regions[..., 8:, :] = 1
        result = disentanglement.localisation(
            rng.random(masks.shape), masks, pixels=rng.random((*masks.shape, 3)), regions=regions, region_names=("top", "bottom")
        )
        for name in ("maps", "random", "frame difference"):
            assert result.score(name).ratio.value == pytest.approx(1, abs=0.03)
            assert result.score(name).regions["top"].value == pytest.approx(1, abs=0.03)
        assert result.score("centre").ratio.value > 1.1

    def test_told_is_the_most_and_maps_of_other_clips_are_at_chance(self) -> None:
        rng = np.random.default_rng(1)
        masks = np.zeros((40, 2, 16, 16), bool)
        for mask, (y, x) in zip(masks, rng.integers(0, 12, (40, 2)), strict=True):
            mask[:, y : y + 4, x : x + 4] = True
        result = disentanglement.localisation({"D": masks.astype(float)}, masks, groups=np.arange(40) // 4)
        assert [result.score(name).share.value for name in ("D", "told")] == [1, 1]
        assert result.score("D, other clips").ratio.value == pytest.approx(1, abs=0.9)
        assert result.score("D, other clips").ratio.value < result.score("told").ratio.value / 4

    def test_bad_input(self) -> None:
        masks = np.ones((1, 2, 4, 4), bool)
        with pytest.raises(InputError, match="negative or undefined"):
            disentanglement.localisation(-np.ones(masks.shape), masks)
        with pytest.raises(InputError, match="every mask is empty"):
            disentanglement.localisation(np.ones(masks.shape), ~masks)
        with pytest.raises(InputError, match=r"maps has shape \(1, 2, 4\)"):
            disentanglement.localisation(np.ones((1, 2, 4)), masks)


class TestDependence:
    def test_equal_up_to_rotation_is_one_and_unrelated_is_zero_with_more_dimensions_than_clips(self) -> None:
        rng = np.random.default_rng(0)
        first = rng.normal(size=(40, 300))
        turn = np.linalg.qr(rng.normal(size=(300, 300)))[0]
        assert disentanglement.dependence(first, 3 * first @ turn + 5).cka.value == pytest.approx(1)
        unrelated = disentanglement.dependence(first, rng.normal(size=(40, 300))).cka
        assert unrelated.low < 0 < unrelated.high
        assert abs(unrelated.value) < 0.1  # plain CKA would be 0.9
        equal = disentanglement.dependence(first, first, groups=np.arange(40) // 4)
        assert equal.cka.value == pytest.approx(1)
        assert abs(equal.null) < 0.1  # of other people's clips

    def test_the_interval_of_few_groups_is_students_jackknife_within_what_cka_can_be(self) -> None:
        """By hand: each group left out once; six groups have five degrees of freedom."""
        rng = np.random.default_rng(2)
        shared = rng.normal(size=(60, 4))
        first, second = (np.c_[shared, rng.normal(size=(60, 4))] for _ in "ab")
        groups = np.arange(60) // 10
        found = disentanglement.dependence(first, second, groups=groups).cka
        left = np.array([disentanglement.dependence(first[groups != g], second[groups != g]).cka.value for g in range(6)])
        error = np.sqrt(5 / 6 * np.square(left - left.mean()).sum())
        assert [found.value - found.low, found.high - found.value] == pytest.approx([scipy.stats.t.ppf(0.975, 5) * error] * 2)
        few = disentanglement.dependence(first[:6], second[:6]).cka
        assert few.low >= -1
        assert few.high == 1  # it was above

    def test_a_shared_part_lies_between(self) -> None:
        rng = np.random.default_rng(1)
        shared = rng.normal(size=(200, 5))
        values = [
            disentanglement.dependence(
                np.c_[shared, rng.normal(size=(200, extra))], np.c_[shared, rng.normal(size=(200, extra))]
            ).cka.value
            for extra in (0, 5, 20)
        ]
        assert values[0] > values[1] > values[2] > 0

    def test_bad_input(self) -> None:
        with pytest.raises(InputError, match="same for every clip"):
            disentanglement.dependence(np.full((5, 2), 0.1), np.eye(5))
        with pytest.raises(InputError, match="3 clips are too few for CKA; pass at least 4"):
            disentanglement.dependence(np.eye(3), np.eye(3))
        with pytest.raises(InputError, match="y_d has 5 clips, y_s 6"):
            disentanglement.dependence(np.eye(5), np.eye(6))


def test_r2_is_not_cut_off_before_it_is_averaged() -> None:
    """A probe that knows nothing has an R² about 0 and below; cut off at 0 its mean would be above it. Told, it is 1."""
    rng = np.random.default_rng(0)
    persons = np.repeat(np.arange(12), 6)
    factors = {f"noise {i}": rng.normal(size=72) for i in range(6)}
    features = {"X": rng.normal(size=(72, 6)), "told": np.column_stack([*factors.values()])}
    found = disentanglement.probe_matrix(features, factors, persons, resamples=50)
    scores = [found.probe("X", name).score.value for name in factors]
    assert scores == [found.probe("X", name).raw for name in factors]
    assert min(scores) < 0
    assert found.leakage("X", list(factors)).value == pytest.approx(np.mean(scores))
    assert found.leakage("X", list(factors)).value < 0.02
    assert found.probe("told", "noise 0").score.value > 0.95
