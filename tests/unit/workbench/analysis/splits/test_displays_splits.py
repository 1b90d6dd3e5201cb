from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifdd.errors import InputError
from workbench.analysis.splits.displays.timeline import CorrelationDisplay, SplitTimelineDisplay
from workbench.analysis.splits.results import SplitResult

SECONDS = np.array([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1])  # a slower rate from frame 4 on


@pytest.fixture
def result() -> SplitResult:
    """T = 8, where feature frames are clip frames; the second D step asks for 7.5 and is read at the last frame."""
    return SplitResult(
        initial_S=np.array([[0.0, 2.0, 4.0, 6.0]]),
        initial_D=np.array([[1.0, 3.0, 5.0, 7.0]]),
        offset_S=np.zeros((1, 4)),
        offset_D=np.array([[0.5, -1.0, 0.0, 0.5]]),
        position_S=np.array([[0.0, 2.0, 4.0, 6.0]]),
        position_D=np.array([[1.5, 2.0, 5.0, 7.5]]),
        sample_S=np.array([[0.0, 2.0, 4.0, 6.0]]),
        sample_D=np.array([[1.5, 2.0, 5.0, 7.0]]),
        weights_S=np.zeros((1, 4, 8)),
        weights_D=np.zeros((1, 4, 8)),
        correlation=np.arange(64.0).reshape(1, 8, 8),
        frames=8,
    )


def test_steps_are_in_clip_frames_and_seconds(result: SplitResult) -> None:
    steps = SplitTimelineDisplay.from_result(result, seconds=SECONDS).steps
    assert [(step.group, step.number) for step in steps] == [(group, k) for group in "DS" for k in (1, 2, 3, 4)]
    first, last = steps[0], steps[3]
    assert (first.initial, first.offset, first.position, first.sample) == (1.0, 0.5, 1.5, 1.5)
    assert first.seconds == pytest.approx(0.15)
    assert steps[2].seconds == pytest.approx(0.7)  # frame 5 by its own time stamp, not by 5 / fps
    assert (last.position, last.sample) == (7.5, 7.0)


def test_feature_frames_of_16_lie_two_clip_frames_apart(result: SplitResult) -> None:
    steps = SplitTimelineDisplay.from_result(replace(result, frames=16)).steps
    assert [step.initial for step in steps] == [2.0, 6.0, 10.0, 14.0, 0.0, 4.0, 8.0, 12.0]


def test_matplotlib_draws_an_arrow_per_offset(result: SplitResult, tmp_path: Path) -> None:
    thumbnails = np.zeros((8, 10, 10, 3), np.uint8)
    display = SplitTimelineDisplay.from_result(
        result, seconds=SECONDS, thumbnails=thumbnails, intensity=np.linspace(0, 1, 8)
    ).plot()
    axes = display.ax_
    arrows = [text for text in axes.texts if text.arrow_patch is not None]
    assert [(a.xyann[0], a.xy[0]) for a in arrows] == [(1.0, 1.5), (3.0, 2.0), (7.0, 7.5)]
    assert len(axes.images) == 8
    assert axes.get_xlim()[1] > 7.5  # an arrow that leaves the clip is not cut off
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "D: asked for, not read" in labels
    assert "S: asked for, not read" not in labels
    assert display.save(tmp_path / "split.svg").stat().st_size > 5000


def test_plotly_draws_the_same(result: SplitResult) -> None:
    figure = SplitTimelineDisplay.from_result(result, seconds=SECONDS, intensity=np.linspace(0, 1, 8)).to_plotly()
    traces = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_array_equal(traces["D (dynamic): read here"].x, [1.5, 2.0, 5.0, 7.0])
    np.testing.assert_array_equal(traces["S (static): initial index"].x, [0.0, 2.0, 4.0, 6.0])
    assert "true intensity" in traces
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("clip frame", "step")
    assert len(figure.layout.annotations) == 3
    assert "0.50 s" in figure.layout.xaxis.ticktext[4]


def test_correlation_axes_are_clip_frames(result: SplitResult) -> None:
    display = CorrelationDisplay.from_result(replace(result, frames=32))
    assert display.labels == ["1", "5", "9", "13", "17", "21", "25", "29"]
    np.testing.assert_array_equal(display.to_plotly().data[0].z, result.correlation[0])  # type: ignore[index]
    assert display.plot().ax_.images[0].get_array()[7, 7] == 63


def test_what_does_not_fit_is_refused(result: SplitResult) -> None:
    with pytest.raises(InputError, match="intensity has 5 entries for 8 clip frames"):
        SplitTimelineDisplay(result, intensity=np.zeros(5))
    with pytest.raises(InputError, match="no correlation"):
        CorrelationDisplay(replace(result, correlation=None))
