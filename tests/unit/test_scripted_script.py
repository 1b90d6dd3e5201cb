"""Scripts: curves by hand, JSON both ways, identities apart."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifdd.data.scripted import DIFFICULTIES, PROTOTYPES, UNITS, Script, SuiteConfig, sample_script, suite_scripts
from ifdd.data.scripted.script import Curve, Stretch
from ifdd.data.scripted.suite import IDENTITY_RANGES, suite_identities
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

scripts = st.builds(
    sample_script,
    st.integers(0, 2**31 - 1),
    st.sampled_from(EMOTIONS),
    st.integers(0, 2**31 - 1),
    st.sampled_from(sorted(DIFFICULTIES)),
    st.floats(0.3, 6.0),
)


def test_curve_by_hand() -> None:
    curve = Curve(start=0.0, apex=1.0, release=2.0, end=4.0, peak=0.8)
    got = curve.at(np.array([-1.0, 0.0, 0.25, 0.5, 1.0, 1.7, 2.0, 3.0, 3.5, 4.0, 9.0]))
    half = np.sqrt(0.5)
    expected = 0.8 * np.array([0, 0, (1 - half) / 2, 0.5, 1, 1, 1, 0.5, (1 - half) / 2, 0, 0])
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_units_join_like_independent_causes() -> None:
    script = sample_script(1, "happy", 1)
    still = replace(
        script,
        units=(("AU12", 0.5),),
        curve=Curve(-2, -1, 5, 6, 1.0),
        resting=(("AU12", 0.5),),
        irrelevant=(),
        talk=(),
        blinks=(),
    )
    tracks = still.at(np.array([0.5, 1.0]))
    column = UNITS.index("AU12")
    np.testing.assert_allclose(tracks.units[:, column], 0.75)
    assert np.delete(tracks.units, column, axis=1).max() == 0
    stretch = Stretch(Curve(-2, -1, 5, 6, 0.4), (("AU14", 1.0),))
    np.testing.assert_allclose(replace(still, irrelevant=(stretch,)).at(np.array([1.0])).nuisance[0, UNITS.index("AU14")], 0.4)


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_json_round_trip(script: Script) -> None:
    again = Script.from_dict(json.loads(json.dumps(script.to_dict())))
    assert again == script
    assert again.digest() == script.digest()
    assert replace(script, seed=script.seed + 1).digest() != script.digest()


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_tracks_stay_in_range(script: Script) -> None:
    tracks = script.at(np.linspace(-1, script.duration + 1, 50))
    for values in (tracks.intensity, tracks.emotion, tracks.nuisance, tracks.units):
        assert values.min() >= 0
        assert values.max() <= 1
    if script.emotion == "neutral":
        assert not tracks.emotion.any()
    else:
        # the apex is inside of the clip, for a while
        inside = script.at(np.linspace(0, script.duration, 200)).intensity
        assert inside.max() > 0.9 * script.curve.peak
    for stretch in script.irrelevant:  # another emotion is weaker and shorter than the clip's own
        if stretch.emotion:
            assert stretch.emotion != script.emotion
            assert stretch.curve.peak <= 0.5 * script.curve.peak
            assert stretch.curve.end - stretch.curve.start <= max(0.6 * (script.curve.end - script.curve.start), 0.3)


def test_bad_scripts_name_the_value() -> None:
    script = sample_script(0, "sad", 0)
    with pytest.raises(InputError, match="AU99"):
        replace(script, units=(("AU99", 1.0),))
    with pytest.raises(InputError, match="bored"):
        sample_script(0, "bored", 0)
    with pytest.raises(InputError, match="brutal"):
        sample_script(0, "sad", 0, "brutal")
    with pytest.raises(InputError, match="surplus"):
        Script.from_dict({**script.to_dict(), "surplus": 1})


def test_prototypes_follow_emfacs() -> None:
    core = {
        "happy": {6, 12}, "sad": {1, 4, 15}, "neutral": set(), "angry": {4, 5, 7}, "surprise": {1, 2, 5}, "disgust": {9},
        "fear": {1, 2, 4, 5, 20},
    }  # fmt: skip
    assert tuple(PROTOTYPES) == EMOTIONS
    for emotion, units in core.items():
        for variant in PROTOTYPES[emotion]:
            assert {f"AU{u:02d}" for u in units} <= set(variant)


def test_identities_of_splits_never_meet() -> None:
    for seed in range(5):
        people = {split: set(suite_identities(SuiteConfig("x", seed, 10, 400, split))) for split in IDENTITY_RANGES}
        assert all(len(p) == 400 for p in people.values())
        for split, start in IDENTITY_RANGES.items():
            assert all(start <= p < start + 10_000_000 for p in people[split])
    starts = sorted(IDENTITY_RANGES.values())
    assert np.diff(starts).min() >= 10_000_000  # ranges as wide as what is drawn from


def test_suite_is_balanced_and_repeatable() -> None:
    cfg = SuiteConfig("x", 3, 100, 9, "val")
    first = suite_scripts(cfg)
    assert first == suite_scripts(cfg)
    counts = [sum(s.emotion == e for s in first) for e in EMOTIONS]
    assert max(counts) - min(counts) <= 1
    # every class meets every identity: the identity tells nothing about the class
    for emotion in EMOTIONS:
        assert len({s.identity for s in first if s.emotion == emotion}) == 9
    assert len({s.seed for s in first}) == 100
    other = suite_scripts(replace(cfg, seed=4))
    assert {s.digest() for s in first}.isdisjoint({s.digest() for s in other})


@pytest.mark.parametrize("bad", [{"split": "dev"}, {"difficulty": "x"}, {"clips": 0}, {"identities": 0}])
def test_bad_suite(bad: dict[str, object]) -> None:
    with pytest.raises(InputError, match="suite x"):
        SuiteConfig(**{"name": "x", "seed": 0, "clips": 1, "identities": 1, **bad})  # type: ignore[arg-type]
