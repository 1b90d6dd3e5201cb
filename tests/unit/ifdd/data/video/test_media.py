"""The films of the tests are what they say they are."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import Track, numbered_image, read_number, write_film


@given(st.integers(0, 255), st.integers(32, 200), st.integers(32, 200))
def test_a_number_is_read_back(number: int, height: int, width: int) -> None:
    image = numbered_image(number, 2 * height, 2 * width)
    assert read_number(image) == number
    assert read_number(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)) == number
    side = min(image.shape[:2])
    y, x = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    assert read_number(image[y : y + side, x : x + side]) == number


def test_a_mixture_and_a_picture_without_a_number_are_told() -> None:
    mixed = numbered_image(3) // 2 + numbered_image(4) // 2
    for image in (mixed, np.full((96, 128, 3), 90, np.uint8)):
        with pytest.raises(AssertionError, match="no number"):
            read_number(image)


def test_what_is_asked_for_is_written(tmp_path: Path) -> None:
    durations = (40, 120, 40, 1000)
    small, large = Track(durations, size=(48, 64)), Track(durations, first=100, aspect=Fraction(4, 3), begins=20)
    with av.open(str(write_film(tmp_path / "a.mp4", small, large))) as file:
        for stream, track in zip(file.streams.video, (small, large), strict=True):
            frames = list(file.decode(stream))
            assert [read_number(frame.to_ndarray(format="rgb24", width=128, height=96)) - track.first for frame in frames] == [
                0,
                1,
                2,
                3,
            ]
            times = np.array([frame.time for frame in frames])
            np.testing.assert_allclose(times - times[0], track.seconds, atol=2e-3)
            assert times[0] == pytest.approx(track.begins / 1000, abs=1e-3)
            assert float(frames[-1].duration * frames[-1].time_base) == pytest.approx(1.0, abs=2e-3)
            file.seek(0)
        assert file.streams.video[1].sample_aspect_ratio == Fraction(4, 3)
