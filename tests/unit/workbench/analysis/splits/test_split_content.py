"""What offsets depend on: planted content, planted identity, both, and neither."""

import numpy as np
import pytest
from scipy.stats import f_oneway

from ifdd.errors import InputError
from ifdd.training.controls import oracle_places
from workbench.analysis.splits.content import INTENSITY, content_score, group_share, per_frame, person_share
from workbench.analysis.splits.results import CONTENT
from workbench.results.controls import other_clips

PERSONS = np.repeat(np.arange(20), 8)


def planted(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Content (160, 6), offsets that follow from it (160, 3), and an offset of each person's own (160, 3)."""
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(160, 6))
    follows = content @ rng.normal(size=(6, 3))
    return content, follows, rng.normal(size=(20, 3))[PERSONS]


def test_offsets_that_follow_from_the_content() -> None:
    content, follows, _ = planted()
    found = content_score("content", content, follows, groups=PERSONS)
    assert found.r2.value > 0.99
    assert found.within.value > 0.99
    assert found.null < 0.05
    assert found.within_null < 0.05
    assert found.r2.low <= found.r2.value <= found.r2.high


def test_offsets_of_the_person_are_no_content() -> None:
    """Content that names the person explains nothing about people never seen, although it would about those seen."""
    _, _, own = planted()
    named = np.eye(20)[PERSONS]
    found = content_score("identity", named, own + 1e-3 * np.random.default_rng(0).normal(size=own.shape), groups=PERSONS)
    assert found.r2.value < 0.05
    assert found.within.value < 0.05
    assert content_score("identity", named, own).r2.value > 0.9  # folds by clip would have called it content
    assert group_share(own + 1e-3 * np.random.default_rng(0).normal(size=own.shape), PERSONS) > 0.99


def test_beyond_identity_finds_what_persons_hide() -> None:
    content, follows, own = planted()
    found = content_score("content", content, 0.3 * follows + 3 * own, groups=PERSONS)
    assert found.r2.value < 0.5
    assert found.within.value > 0.95


def test_unrelated_offsets_are_at_the_null() -> None:
    content, _, _ = planted()
    noise = np.random.default_rng(9).normal(size=(160, 3))
    found = content_score("content", content, noise, groups=PERSONS)
    assert found.r2.value < 0.05
    assert abs(found.r2.value - found.null) < 0.1
    assert group_share(noise, PERSONS) < 0.05


def test_group_share_is_that_of_the_analysis_of_variance() -> None:
    """Balanced: F = 1 + n·σ²_between / σ²_within, so the share is (F − 1) / (F − 1 + n)."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(6, 5)) + rng.normal(size=(6, 1))
    f = f_oneway(*values).statistic
    assert group_share(values.reshape(-1, 1), np.repeat(np.arange(6), 5)) == pytest.approx((f - 1) / (f - 1 + 5))


def test_persons_share_has_an_interval_and_a_null() -> None:
    """Planted: half of the variance lies between persons; dealt to other persons, nothing does; told, all."""
    rng = np.random.default_rng(3)
    persons = np.repeat(np.arange(40), 6)
    own = rng.normal(size=(40, 3))[persons]
    found, null = person_share(own + rng.normal(size=own.shape), persons)
    assert found.low < 0.5 < found.high
    assert null < 0.05
    assert person_share(own + 1e-6 * rng.normal(size=own.shape), persons)[0].low > 0.99
    alone, nothing = person_share(own[:4], np.arange(4))
    assert np.isnan(alone.value)
    assert np.isnan(nothing)


def test_group_share_of_unequal_groups_is_unbiased_enough() -> None:
    rng = np.random.default_rng(5)
    members = np.repeat(np.arange(60), rng.integers(2, 9, 60))
    shares = [group_share(rng.normal(size=(60, 1))[members] + rng.normal(size=(len(members), 1)), members) for _ in range(60)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.05)


def test_constant_offsets_are_undefined() -> None:
    content, _, _ = planted()
    found = content_score("content", content, np.ones((160, 3)), groups=PERSONS)
    assert np.isnan([found.r2.value, found.within.value, found.null]).all()
    assert np.isnan(group_share(np.ones((160, 3)), PERSONS))
    assert np.isnan(group_share(content, np.arange(160)))  # one clip each: nothing is within a person


def test_one_clip_each_leaves_nothing_within() -> None:
    content, follows, _ = planted()
    found = content_score("content", content, follows, groups=np.arange(160))
    assert found.r2.value > 0.99
    assert np.isnan(found.within.value)


def test_a_column_that_hardly_changes_does_no_harm() -> None:
    """Nearly constant for all persons but one, whose prediction would be thrown far off by scaling each column on its own."""
    content, follows, _ = planted()
    rare = np.where(PERSONS == 3, 1.0, 1e-12 * np.random.default_rng(0).normal(size=160))
    found = content_score("content", np.column_stack([content, rare]), follows, groups=PERSONS)
    assert found.r2.value > 0.99


def test_many_columns_and_few_clips_do_not_run_wild() -> None:
    rng = np.random.default_rng(0)
    found = content_score("noise", rng.normal(size=(40, 500)), rng.normal(size=(40, 8)), groups=np.repeat(np.arange(20), 2))
    assert found.r2.value > -0.6
    assert found.within.value > -1.2


def test_persons_of_one_clip_are_left_out_within() -> None:
    content, follows, own = planted()
    groups = np.append(PERSONS[:-1], 99)
    found = content_score("content", content, follows + own, groups=groups)
    assert found.within.value > 0.95
    assert found.within.low <= found.within.value <= found.within.high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:-1], y, PERSONS), "content has 159 clips, the places have 160"),
        (lambda x, y: (x[:, 0], y, PERSONS), r"content has shape \(160,\)"),
        (lambda x, y: (x * np.nan, y, PERSONS), "content holds NaN"),
        (lambda x, y: (x, y, np.zeros(160)), "all clips are of one group"),
        (lambda x, y: (x, y, PERSONS[:-1]), r"groups has shape \(159,\)"),
    ],
)
def test_bad_input(change, message: str) -> None:  # type: ignore[no-untyped-def]
    content, follows, _ = planted()
    x, y, groups = change(content, follows)
    with pytest.raises(InputError, match=message):
        content_score("content", x, y, groups=groups)


def emotions(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True intensity (160, 8) of an emotion that may lie anywhere, and features (160, 5, 8) one of which is that intensity."""
    rng = np.random.default_rng(seed)
    apex = rng.uniform(0, 7, (160, 1))
    intensity = np.exp(-0.5 * ((np.arange(8) - apex) / 1.2) ** 2)
    features = rng.normal(size=(160, 5, 8)) * 0.1 + rng.normal(size=(160, 5, 1))
    features[:, 2] = intensity + 0.01 * features[:, 2]
    return intensity, features


def test_content_sees_what_varies_in_time() -> None:
    """Positive control: places told where the emotion is follow X of every frame; X averaged over time tells nothing of them."""
    intensity, features = emotions()
    told = oracle_places(intensity, 0).reshape(160, -1).astype(float)
    for name, content in ((CONTENT, per_frame(features)), (INTENSITY, intensity)):
        found = content_score(name, content, told, groups=PERSONS)
        assert found.r2.low > 0.5
        assert abs(found.null) < 0.15
    assert content_score("mean", features.mean(2), told, groups=PERSONS).r2.value < 0.2


def test_places_of_other_people_follow_nothing() -> None:
    """Negative control: the places of another person's clip."""
    intensity, features = emotions()
    other = other_clips(PERSONS, 1, 0)[0]
    told = oracle_places(intensity, 0).reshape(160, -1).astype(float)[other]
    assert content_score(CONTENT, per_frame(features), told, groups=PERSONS).r2.value < 0.1


def test_the_null_keeps_persons_together() -> None:
    """Content that is the person's alone is no null of itself: other clips are those of other people."""
    rows = other_clips(PERSONS, 50, 3)
    assert all(sorted(row) == list(range(160)) for row in rows)
    assert (PERSONS[rows] != PERSONS).all()
    assert len({tuple(row) for row in rows}) == 50
    lonely = np.array([0, 0, 0, 0, 1])  # more than half are of one person: any other clip will do
    assert (other_clips(lonely, 20, 0) != np.arange(5)).all()
    with pytest.raises(InputError, match="at least two"):
        other_clips(np.zeros(1, int), 1, 0)
