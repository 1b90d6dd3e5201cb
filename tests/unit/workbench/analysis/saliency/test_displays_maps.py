"""Pictures of differences, pooling weights, frames, regions and verdicts: they hold the numbers of their results."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ifdd import InputError, create_model
from workbench.analysis.faithfulness.displays import PerturbationDisplay, RandomisationDisplay, badge_html, verdict_table
from workbench.analysis.faithfulness.perturbation import RemovalRequest, perturb_clips
from workbench.analysis.faithfulness.randomisation import parameter_randomisation
from workbench.analysis.saliency.differences import difference
from workbench.analysis.saliency.displays.attribution import FrameImportanceDisplay, RegionBudgetDisplay
from workbench.analysis.saliency.displays.differences import DifferenceStrip, PoolingDisplay
from workbench.analysis.saliency.displays.heat import badge_colour
from workbench.analysis.saliency.displays.strip import FilmStrip
from workbench.analysis.saliency.maps import gradcam_branches
from workbench.analysis.saliency.pooling import learned_pooling
from workbench.analysis.saliency.regions import region_budget
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.analysis.saliency.temporal import frame_importance

T, H, W = 8, 32, 32
CLIPS = torch.rand(3, 3, T, H, W, generator=torch.Generator().manual_seed(0))
PIXELS = (CLIPS[0].permute(1, 2, 3, 0) * 255).to(torch.uint8).numpy()
SECONDS = np.arange(T) / 8.0
FAILS = Verdict("hirescam", "ladm.Y_D", False, ("it fails",), ("deletion and insertion",))
PASSES = Verdict("hirescam", "ladm.Y_S", True, ("it passes",), ())
BARELY = Verdict("hirescam", "ladm.Y_S", True, ("it passes",), (), ("centre",))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return create_model("ifdd-mvit-tiny", frames=T, size=(H, W)).eval()


@pytest.fixture(scope="module")
def branches(model) -> dict[str, SaliencyResult]:
    return gradcam_branches(model, CLIPS, 1, method="hirescam")


def words(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_a_failing_map_says_so_on_its_row(branches, tmp_path: Path) -> None:
    verdicts = {"D": FAILS, "S": BARELY}
    strip = FilmStrip.from_results(PIXELS, SECONDS, branches, label="sad", verdicts=verdicts).plot()
    text = words(strip.figure_)
    assert "fails: deletion and insertion" in text
    assert "passes, but centre does as well" in text
    assert "HiResCAM of ladm.Y_D and ladm.Y_S for “sad”; each position by itself" in text
    assert "Σw = " in text
    assert "context that the predictor subtracts" in text
    assert "fails" in str(strip.to_plotly().to_dict())
    assert len({badge_colour(verdict) for verdict in (FAILS, PASSES, BARELY)}) == 3
    strip.save(tmp_path / "strip.png", dpi=40)
    assert "class activation map" in strip.provenance()
    plain = FilmStrip.from_results(PIXELS, SECONDS, branches, label="sad").plot()
    assert "passes" not in words(plain.figure_)


def test_equal_maps_have_no_difference_and_full_overlap(branches) -> None:
    same = difference(branches["D"], branches["D"])
    assert not same.frames.any()
    np.testing.assert_allclose(same.overlap, 1)
    np.testing.assert_allclose(same.rank, 1)
    other = difference(branches["D"], branches["S"], ("Y_D", "Y_S"))
    np.testing.assert_allclose(other.frames.mean((1, 2, 3)), 0, atol=1e-5)
    assert (other.overlap < 1).all()
    np.testing.assert_allclose(difference(branches["S"], branches["D"]).frames, -other.frames)


def test_differences_that_mean_nothing_are_refused(model, branches) -> None:
    with pytest.raises(InputError, match="different classes"):
        difference(branches["D"], gradcam_branches(model, CLIPS, 2)["D"])
    with pytest.raises(InputError, match="frame by frame"):
        difference(branches["D"], gradcam_branches(model, CLIPS, 1, normalise="frame")["D"])
    with pytest.raises(InputError, match="other clips"):
        difference(branches["D"], gradcam_branches(model, CLIPS[:1], 1)["D"])


def test_difference_strip_is_red_where_the_first_has_more(branches, tmp_path: Path) -> None:
    result = difference(branches["D"], branches["S"], ("Y_D", "Y_S"))
    strip = DifferenceStrip.from_difference(PIXELS, SECONDS, result)
    drawn = strip.rows[1].images.astype(int)
    lean = drawn[..., 0] - drawn[..., 2]  # red over blue
    strong = np.abs(result.frames[0]) > 0.3 * strip.peak
    strong &= result.read[0][:, None, None]
    assert (np.sign(lean)[strong] == np.sign(result.frames[0])[strong]).mean() > 0.99
    assert "red, Y_D has more" in words(strip.plot().figure_)
    long = DifferenceStrip.from_difference(PIXELS, SECONDS, difference(branches["D"], branches["S"], ("one " * 20, "two " * 20)))
    figure = long.plot().figure_
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.texts]
    assert all(box.x1 <= figure.bbox.x1 and box.y0 >= 0 for box in boxes)
    strip.save(tmp_path / "difference.png", dpi=40)
    with pytest.raises(InputError, match="do not fit maps"):
        DifferenceStrip.from_difference(PIXELS[:2], SECONDS, result)


def test_pooling_is_drawn_and_a_bad_sum_is_red(tmp_path: Path) -> None:
    network = create_model("ifdd-mvit-tiny", frames=T, size=(H, W))
    with torch.no_grad():
        network.head.pooling.weight.copy_(torch.linspace(-1, 0.5, 16))
    result = learned_pooling(network)
    display = PoolingDisplay.from_result(result).plot()
    assert len(display.ax_[0]) == 4
    np.testing.assert_allclose(display.ax_[0, 2].images[0].get_array(), np.linspace(-1, 0.5, 16)[8:12].reshape(2, 2), atol=1e-6)
    assert display.figure_._suptitle.get_color() == "#B00020"
    assert "read HiResCAM" in words(display.figure_)
    assert "Σw = -4" in display.to_plotly().layout.title.text
    display.save(tmp_path / "pooling.png", dpi=40)
    with pytest.raises(InputError, match="no learned pooling"):
        PoolingDisplay.from_result(learned_pooling(create_model("mvit-tiny-baseline", frames=T, size=(H, W))))


def test_frames_and_regions_hold_their_numbers(model, branches, tmp_path: Path) -> None:
    frames = {how: frame_importance(model, CLIPS, how, 1) for how in ("occlude", "freeze")}
    display = FrameImportanceDisplay.from_result(frames).plot()
    np.testing.assert_allclose(display.ax_.lines[0].get_ydata(), frames["occlude"].mean)
    assert "frozen" in words(display.figure_)
    assert len(display.to_plotly().data) == 4
    display.save(tmp_path / "frames.png", dpi=40)
    regions = np.zeros((3, T, H, W), int)
    regions[..., 20:, :] = 1
    budget = region_budget(branches["D"].frames, regions, ("background", "mouth"), source="a test")
    bars = RegionBudgetDisplay.from_result({"D": budget}).plot()
    assert [patch.get_width() for patch in bars.ax_[0, 0].patches] == pytest.approx([row.ratio.value for row in budget.regions])
    assert "regions: a test" in words(bars.figure_)
    assert list(bars.to_plotly().data[0].x) == pytest.approx([row.ratio.value for row in budget.regions])
    bars.save(tmp_path / "regions.png", dpi=40)


def test_curves_and_forgetting_hold_their_numbers(model, branches, tmp_path: Path) -> None:
    curves = perturb_clips(model, CLIPS, {"hirescam Y_D": branches["D"].frames}, 1, RemovalRequest(steps=3))
    display = PerturbationDisplay.from_result(curves).plot()
    np.testing.assert_allclose(display.ax_[0, 0].lines[0].get_ydata(), curves.score("hirescam Y_D").deletion_curve)
    np.testing.assert_allclose(display.ax_[0, 1].lines[0].get_ydata(), curves.score("hirescam Y_D").insertion_curve)
    assert len(display.to_plotly().data) == 2 * len(curves.scores)
    display.save(tmp_path / "curves.png", dpi=40)

    def pixels(network, clips: torch.Tensor) -> np.ndarray:
        return clips.mean(1).numpy()

    result = parameter_randomisation(model, CLIPS, pixels, "picture")
    forgotten = RandomisationDisplay.from_result(result).plot()
    assert "fails" in words(forgotten.figure_)
    assert "fails" in forgotten.to_plotly().layout.annotations[0].text
    forgotten.save(tmp_path / "forgotten.png", dpi=40)


def test_verdicts_as_table_and_as_html() -> None:
    rows = verdict_table([FAILS, PASSES])
    assert [row["verdict"] for row in rows] == ["fails: deletion and insertion", "passes both tests"]
    assert rows[0]["method"] == "HiResCAM"
    assert "passes both tests" in badge_html(PASSES)
    assert badge_colour(FAILS) in badge_html(FAILS)
