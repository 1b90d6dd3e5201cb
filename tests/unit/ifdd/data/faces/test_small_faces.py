"""A face of 48 pixels is found whatever the size of the frame, where it is."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from people import pasted, real_person, scenery

from ifdd.data.faces.tracking import SMALLEST, FaceTracker
from ifdd.errors import NoFaceError


@pytest.fixture(scope="module")
def heads(shared: Path) -> dict[str, np.ndarray]:
    return {name: real_person(shared, name, 7) for name in ("man", "actor")}


@pytest.mark.parametrize(
    ("width", "height", "side"),
    [(640, 360, 48), (640, 360, 160), (1080, 1080, 64), (1920, 1080, 48), (1920, 1080, 96), (3840, 2160, 48), (3840, 2160, 96)],
)
def test_found_where_it_is(heads: dict[str, np.ndarray], shared: Path, width: int, height: int, side: int) -> None:
    rng = np.random.default_rng([width, side])
    head = heads[("man", "actor")[side % 3 == 0]]
    room = min(1.5 * side, 0.49 * height)
    centre = rng.uniform([room] * 2, [width - room, height - room])
    tracker = FaceTracker()
    for image, ground in zip(head, islice(scenery(shared, width, height), 7), strict=True):
        tracker.update(pasted(image, side, tuple(centre), ground))
    track = tracker.result(margin=0.0)
    boxes = track.boxes
    assert track.faces == 1
    assert track.share > 0.8
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    np.testing.assert_allclose(centres, np.tile(centre, (7, 1)), atol=0.3 * side)
    np.testing.assert_allclose(np.median(centres, 0), centre, atol=0.15 * side)
    np.testing.assert_allclose(np.median(boxes[:, 2] - boxes[:, 0]), side, rtol=0.4)  # a cascade's steps of scale


def test_the_hint_says_what_was_searched_and_sends_nobody_to_the_scenery(shared: Path) -> None:
    for width, height, searched in ((1920, 1080, SMALLEST), (240, 136, 24)):
        tracker = FaceTracker()
        for ground in islice(scenery(shared, width, height), 6):
            tracker.update(ground)
        with pytest.raises(NoFaceError) as caught:
            tracker.result(source="a.mp4")
        told = str(caught.value)
        assert told.startswith(
            f"a.mp4: no face found in 6 frames of {width}×{height}, searched for faces of {searched} pixels or more; "
        )
        assert "--" not in told  # a library names no options
        assert "center" not in told + NoFaceError.OPTIONS


def test_searching_a_large_frame_costs_little_more(shared: Path) -> None:
    """The search for small faces becomes rare: at most one frame in 25."""
    tracker = FaceTracker()
    searched = []
    for number, ground in enumerate(islice(scenery(shared, 1920, 1080), 90)):
        before = tracker._finder.pauses.due
        tracker.update(ground)
        searched += [number] * (tracker._finder.pauses.due != before)
    assert len(searched) <= 6
    assert searched[:3] == [0, 5, 15]
