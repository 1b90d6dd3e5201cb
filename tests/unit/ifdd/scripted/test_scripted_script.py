"""Scripts: curves by hand, JSON both ways, identities apart."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted import DIFFICULTIES, PROTOTYPES, UNITS, Script, SuiteConfig, sample_script, suite_scripts
from ifdd.scripted.script.elements import Curve, Occluder, Stretch, Talk, Wave
from ifdd.scripted.script.extras import OUTSIDE, SHOWN, fill, place_window, scene_background
from ifdd.scripted.script.sampling import Difficulty
from ifdd.scripted.suites import IDENTITY_RANGES, SUITES, difficulty_of, suite_identities

scripts = st.builds(
    sample_script,
    st.integers(0, 2**31 - 1),
    st.sampled_from(EMOTIONS),
    st.integers(0, 2**31 - 1),
    st.sampled_from([*DIFFICULTIES.values(), *(difficulty_of(name, "test") for name in SUITES)]),
    st.floats(0.05, 6.0),
)
EVERYTHING = Difficulty(
    irrelevant_share=0.5, window=(0.3, 0.5), onset_spread=0.1, occluded=1.0, cut=1.0, compression=(30, 60), rho=0.5
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


def test_json_keeps_every_addition() -> None:
    script = sample_script(5, "fear", 6, EVERYTHING)
    assert (len(script.occluders), script.cut is None, script.compression is None, bool(script.scene)) == (1, False, False, True)
    assert script.onsets
    assert Script.from_dict(json.loads(json.dumps(script.to_dict()))) == script
    for change in ({"onsets": ()}, {"occluders": ()}, {"cut": None}, {"compression": None}, {"scene": ""}):
        assert replace(script, **change).digest() != script.digest()  # type: ignore[arg-type]
        assert set(script.to_dict()) - set(replace(script, **change).to_dict()) == set(change)  # type: ignore[arg-type]


SCRIPTS_BEFORE = {
    "easy": "95ed39c14be98b4c62273a0e2332f252482d35d48140b51d40e7560c1aadbad8",
    "standard": "5175be2c6ecafee7c5824aa814da5906f66576e947a674dc6d29226ae3913c99",
    "hard": "527c1d731723773e7dee3b94bb7c0d3467a419be7d5c2b08d7320cdf358fbf42",
}
"""SHA-256 of the digests of 70 scripts of generator version 2, which checkpoints were trained on."""


@pytest.mark.parametrize("difficulty", SCRIPTS_BEFORE)
def test_scripts_of_trained_checkpoints_stay(difficulty: str) -> None:
    digests = "".join(s.digest() for s in suite_scripts(SuiteConfig("x", 1, 70, 20, "train", difficulty)))
    assert hashlib.sha256(digests.encode()).hexdigest() == SCRIPTS_BEFORE[difficulty]


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_tracks_stay_in_range(script: Script) -> None:
    tracks = script.at(np.linspace(-1, script.duration + 1, 50))
    for values in (tracks.intensity, tracks.emotion, tracks.nuisance, tracks.units, *tracks.occluders.T):
        assert values.min() >= 0
        assert values.max() <= 1
    if script.emotion == "neutral":
        assert not tracks.emotion.any()
    else:
        # the apex is inside of the clip, for a while
        inside = script.at(np.linspace(0, script.duration, 200)).intensity
        assert inside.max() > 0.9 * script.curve.peak


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31 - 1), st.sampled_from(EMOTIONS), st.sampled_from(sorted(DIFFICULTIES)), st.floats(0.3, 6.0))
def test_another_emotion_is_weaker_and_shorter(seed: int, emotion: str, difficulty: str, duration: float) -> None:
    script = sample_script(seed, emotion, 1, difficulty, duration)
    for stretch in script.irrelevant:
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


CURVE = Curve(0.0, 0.1, 0.2, 0.3)
PATCH = Occluder("bar", 0.5, 0.5, 1.0, 0.0, 0.1, 1.0, 0.0, (0.1, 0.1, 0.1), CURVE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"onsets": (("AU98", 0.1),)}, "'AU98' is not one of AU01"),
        ({"onsets": (("AU12", -0.1),)}, "onset -0.1 s of AU12 is negative"),
        ({"duration": -1.0}, "duration -1.0 s must be above 0"),
        ({"curve": Curve(0.0, 0.5, 0.2, 1.0)}, "curve lasts -0.3 s from apex to release"),
        ({"irrelevant": (Stretch(Curve(0.5, 0.1, 0.6, 0.7), ()),)}, "stretch 0 lasts -0.4 s from start to apex"),
        ({"talk": (Talk(1.0, 0.5, 3.0, 1.0, 0),)}, "talk 0 lasts -0.5 s"),
        ({"occluders": (replace(PATCH, kind="fog"),)}, "'fog' is not one of hand, scarf, bar"),
        ({"occluders": (replace(PATCH, width=0.0),)}, "0.0 × 1.0; both sides"),
        ({"occluders": (replace(PATCH, curve=Curve(0.3, 0.4, 0.5, 0.2)),)}, "occluder 0 lasts -0.3 s from release to end"),
        ({"compression": 0}, "compression 0 is no JPEG quality"),
        ({"scene": "gloomy"}, "'gloomy' is not one of positive, negative, neutral"),
    ],
)
def test_bad_additions_name_the_value(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        replace(sample_script(0, "sad", 0), **change)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"irrelevant_share": 0.8, "window": (0.1, 0.2)}, "irrelevant_share 0.8 is outside"),
        ({"irrelevant_share": -0.1, "window": (0.1, 0.2)}, "irrelevant_share -0.1 is outside"),
        ({"irrelevant_share": 0.5}, "give a window of 0.5 at most"),
        ({"irrelevant_share": 0.5, "window": (0.5, 0.6)}, "give a window of 0.5 at most"),
        ({"rho": 1.01}, "rho 1.01 is outside"),
        ({"rho": float("nan")}, "rho nan is outside"),
        ({"window": (0.5, 0.4)}, "window \\(0.5, 0.4\\) is no range"),
        ({"occluded": 1.5}, "occluded 1.5 is outside"),
        ({"cut": -1.0}, "cut -1.0 is outside"),
        ({"onset_spread": -0.1}, "onset_spread -0.1 s is negative"),
        ({"compression": (90, 20)}, "compression \\(90, 20\\) is no range"),
    ],
)
def test_bad_difficulty_names_the_value(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Difficulty(**change)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_unknown_polarity() -> None:
    with pytest.raises(InputError, match="'gloomy' is not one of positive, negative, neutral"):
        scene_background(np.random.default_rng(0), "gloomy")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31 - 1),
    st.sampled_from(EMOTIONS),
    st.sampled_from([0.0, 0.25, 0.5, 0.75]),
    st.floats(0.05, 0.25),
    st.floats(0.5, 4.0),
)
def test_irrelevant_stretches_take_their_share(seed: int, emotion: str, share: float, window: float, duration: float) -> None:
    rng = np.random.default_rng(seed)
    main = place_window(rng, Curve(0.0, 1.0, 2.0, 3.0, 0.0 if emotion == "neutral" else 0.8), (window, window), duration)
    assert main.end - main.start == pytest.approx(window * duration)
    assert 0 <= 0.5 * (main.apex + main.release) <= duration
    stretches = fill(rng, emotion, main, duration, share, 0.8)
    times = (np.arange(32) + 0.5) * duration / 32
    shown = np.max([s.curve.at(times) for s in stretches], axis=0, initial=0.0) if stretches else np.zeros(32)
    assert (shown > SHOWN).sum() == 32 * share
    assert not (shown > SHOWN)[main.at(times) > SHOWN * 0.8].any()  # never where the emotion shows
    outside = {unit for pool in OUTSIDE for unit in pool}
    assert outside.isdisjoint(unit for variants in PROTOTYPES.values() for units in variants for unit in units)
    fine = np.linspace(0, duration, 2000)
    for stretch in stretches:
        if stretch.emotion:
            assert emotion not in ("neutral", stretch.emotion)
            assert stretch.curve.peak <= 0.5 * main.peak
            assert (stretch.curve.at(fine) > SHOWN).sum() < (main.at(fine) > SHOWN * 0.8).sum()
            assert stretch.curve.end - stretch.curve.start < main.end - main.start
        else:
            assert {unit for unit, _ in stretch.units} <= outside
    assert sum(bool(s.emotion) for s in stretches) <= 1


def test_units_start_apart_and_end_together() -> None:
    script = replace(
        sample_script(0, "happy", 0),
        units=(("AU06", 0.5), ("AU12", 1.0)),
        curve=Curve(0.2, 0.6, 1.0, 1.5),
        onsets=(("AU12", 0.1),),
    )
    times = np.array([0.25, 0.4, 0.5, 0.7, 1.25, 1.5])
    cheek, corner = script.at(times).emotion[:, [UNITS.index("AU06"), UNITS.index("AU12")]].T
    np.testing.assert_allclose(cheek, 0.5 * script.curve.at(times))
    np.testing.assert_allclose(corner, [0.0, 0.5 - 0.5 * np.cos(np.pi / 4), 0.5, 1.0, 0.5, 0.0], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31 - 1), st.sampled_from(EMOTIONS))
def test_late_units_never_outlast_the_emotion(seed: int, emotion: str) -> None:
    script = sample_script(seed, emotion, 1, EVERYTHING)
    assert min((d for _, d in script.onsets), default=0.0) == 0
    assert max((d for _, d in script.onsets), default=0.0) <= 0.1
    times = np.linspace(0, script.duration, 100)
    tracks = script.at(times)
    assert not tracks.emotion[tracks.intensity == 0].any()
    assert (tracks.emotion <= tracks.intensity[:, None] + 1e-12).all()


def test_cut_moves_the_camera_at_once() -> None:
    script = sample_script(3, "sad", 4, EVERYTHING)
    still = replace(script, camera=replace(script.camera, x=Wave(), y=Wave()))
    cut = still.cut
    assert cut is not None
    tracks = still.at(np.array([0.0, cut.at - 1e-6, cut.at, script.duration]))
    np.testing.assert_array_equal(tracks.shot, [0, 0, 1, 1])
    np.testing.assert_allclose(tracks.zoom, [1, 1, cut.zoom, cut.zoom])
    np.testing.assert_allclose(tracks.shift[1:3], [[0, 0], [cut.x, cut.y]])


def test_prototypes_follow_emfacs() -> None:
    core = {
        "happy": {6, 12},
        "sad": {1, 4, 15},
        "neutral": set(),
        "angry": {4, 5, 7},
        "surprise": {1, 2, 5},
        "disgust": {9},
        "fear": {1, 2, 4, 5, 20},
    }
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
