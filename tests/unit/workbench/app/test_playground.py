"""Clips made from knobs."""

from dataclasses import replace

import numpy as np
import pytest

from ifdd.errors import InputError
from ifdd.scripted.script.sampling import DIFFICULTIES
from workbench.app.playground import LEVELS, MOVED, Knobs, play, strip
from workbench.plotting.truth import TruthDisplay


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.75])
def test_every_level_takes_every_share(level: str, share: float) -> None:
    difficulty = Knobs(level=level, irrelevant_share=share).difficulty()
    assert difficulty.irrelevant_share == share
    assert Knobs(level=level).difficulty() is not None


def test_knobs_that_are_off_change_nothing() -> None:
    assert Knobs(level="hard").difficulty() == DIFFICULTIES["hard"]
    turned = Knobs(level="hard", talking=0.0, occluded=True, quality=20).difficulty()
    assert replace(turned, talking=0.6, occluded=0.0, compression=None) == DIFFICULTIES["hard"]
    with pytest.raises(InputError, match="rho 2"):
        Knobs(rho=2.0).difficulty()


def test_strip_tints_what_the_emotion_moves(tmp_path) -> None:
    _, clip = play(Knobs("surprise"), frames=8, size=64)
    picture = strip(clip, columns=4)
    assert picture.shape == (128, 256, 3)
    chosen = np.linspace(0, 7, 4).round().astype(int)
    np.testing.assert_array_equal(picture[:64], np.concatenate(clip.frames[chosen], 1))
    changed = (picture[64:] != picture[:64]).any(-1)
    mask = np.concatenate(clip.truth.mask[chosen], 1)
    assert mask.any()
    assert changed[mask].mean() > 0.95
    assert (picture[64:] == MOVED).all(-1).any()
    truth = clip.truth
    display = TruthDisplay.from_result(clip.seconds, truth.intensity, truth.nuisance, truth.nuisance_names)
    assert display.shares.shape == (len(truth.nuisance_names), 8)
    assert display.shares.max() <= 1
    assert display.save(tmp_path / "truth.png").stat().st_size > 3000
    figure = display.to_plotly()
    assert len(figure.data) == 2
    assert [axis.title.text for axis in figure.select_yaxes()] == ["intensity", "distraction"]
    assert [axes.get_ylabel() for axes in display.ax_.ravel()] == ["intensity", "distraction"]
