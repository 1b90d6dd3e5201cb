import dataclasses
from pathlib import Path

import av
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ifdd.errors import InputError
from workbench.analysis.saliency.displays.heat import STRENGTH, overlay, peak_of
from workbench.analysis.saliency.displays.strip import FilmStrip
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.analysis.splits.results import SplitResult
from workbench.plotting.images import FilmPanel, side_by_side, write_film

T, H, W = 16, 12, 20


def saliency(
    heat: np.ndarray | None = None, unread: tuple[int, ...] = (), normalise: str = "clip", frames: int = T
) -> SaliencyResult:
    maps = np.zeros((1, frames, H, W), np.float32) if heat is None else heat
    read = np.ones((1, frames), bool)
    read[0, list(unread)] = False
    return SaliencyResult("ladm.Y_D", np.array([0]), "global", normalise, maps[:, :4, :2, :2], maps, read)  # type: ignore[arg-type]


def split(sample_d: list[float]) -> SplitResult:
    k = np.array([sample_d])
    zero = np.zeros_like(k)
    weights = np.zeros((1, 4, 8))
    return SplitResult(zero, zero, zero, zero, zero, k, zero, k, weights, weights, None, T)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (T, H, W, 3), np.uint8)


def test_no_evidence_is_plain_gray(pixels: np.ndarray) -> None:
    drawn = overlay(pixels, saliency())
    assert (drawn == drawn[..., :1]).all()
    np.testing.assert_allclose(drawn[..., 0], pixels @ [0.299, 0.587, 0.114], atol=0.51)


def test_full_evidence_is_the_strongest_colour_over_gray(pixels: np.ndarray) -> None:
    heat = np.zeros((1, T, H, W), np.float32)
    heat[0, 3, 4, 5] = 2.0
    drawn = overlay(pixels, saliency(heat), peak=2.0)
    top = np.array([0.988362, 0.998364, 0.644924]) * 255  # last entry of inferno
    gray = pixels[3, 4, 5] @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(drawn[3, 4, 5], STRENGTH * top + (1 - STRENGTH) * gray, atol=1)
    assert (drawn[3, 4, 6] == drawn[3, 4, 6, 0]).all()


def test_unread_frames_are_hatched_and_others_not(pixels: np.ndarray) -> None:
    plain, hatched = overlay(pixels, saliency()), overlay(pixels, saliency(unread=(2,)))
    changed = [t for t in range(T) if (plain[t] != hatched[t]).any()]
    assert changed == [2]
    gray = np.repeat((pixels[2] @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, -1).astype(np.uint8)
    edge = (hatched[2] != gray).any((1, 2))
    assert edge.sum() == 4  # rows, at the lower edge alone
    assert edge[-4:].all()


def test_pixels_of_another_clip_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(InputError, match="do not fit maps"):
        overlay(pixels[:8], saliency())
    with pytest.raises(InputError, match="float64 do not fit"):
        overlay(pixels / 255, saliency())


def test_branches_that_are_not_scaled_share_one_peak() -> None:
    one, other = (np.full((1, T, H, W), value, np.float32) for value in (0.25, 4.0))
    assert peak_of({"D": saliency(one, normalise="none"), "S": saliency(other, normalise="none")}) == 4.0
    assert peak_of({"D": saliency(one), "S": saliency(other)}) == 1.0
    assert peak_of({"D": saliency(normalise="none")}) == 1.0  # nothing to divide by


def test_film_strip_marks_what_is_read(pixels: np.ndarray, tmp_path: Path) -> None:
    strip = FilmStrip.from_results(
        pixels,
        np.arange(T) / 8,
        {"D": saliency(unread=(15,))},
        label="joy",
        title="costs $5 and $6 — été.mp4",
        split=split([0.0, 1.5, 4.0, 7.0]),
    )
    assert [row.name for row in strip.rows] == ["input", "Y_D"]
    np.testing.assert_array_equal(strip.rows[1].marks, [0.0, 3.0, 8.0, 14.0])  # clip frame = 2 · feature frame for T = 16
    svg = strip.save(tmp_path / "strip.svg").read_text(encoding="utf-8")
    assert "costs $5 and $6 — été.mp4" in svg
    assert "Grad-CAM of ladm.Y_D for “joy”" in svg
    assert "averaged over all positions" in svg
    assert "scaled by the clip's maximum" in svg
    assert "hatched" in svg
    assert "1.25 s" in svg


def test_nothing_of_a_film_strip_is_cut_off(pixels: np.ndarray) -> None:
    for frames in (8, 16, 32):
        clip = np.tile(pixels, (2, 1, 1, 1))[:frames]
        strip = FilmStrip.from_results(
            clip, np.arange(frames) / 8, {"D": saliency(frames=frames)}, label="x", title="w" * 300
        ).plot()
        assert len(strip.ax_) == 2 * (2 if frames == 32 else 1)
        figure = strip.figure_
        renderer = FigureCanvasAgg(figure).get_renderer()
        for axes in figure.axes:
            box = axes.get_tightbbox(renderer)
            assert box is not None
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= figure.bbox.x1
            assert box.y1 <= figure.bbox.y1
        drawn = [text.get_window_extent(renderer) for text in figure.texts]
        assert all(box.x1 <= figure.bbox.x1 and box.y0 >= 0 for box in drawn)


def test_film_strip_for_a_page(pixels: np.ndarray) -> None:
    strip = FilmStrip.from_results(pixels, np.arange(T) / 8, {"D": saliency()}, label="x")
    figure = strip.to_plotly()
    assert len(figure.data) == 2
    assert all(trace.source.startswith("data:image/png;base64,") for trace in figure.data)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_film_has_every_frame(pixels: np.ndarray, tmp_path: Path, suffix: str) -> None:
    film = side_by_side(
        [FilmPanel("input", pixels), FilmPanel("Y_D", pixels[::-1])], ["a caption " * 40], [f"frame {t}" for t in range(T)]
    )
    assert film.shape[1] % 2 == film.shape[2] % 2 == 0
    path = tmp_path / f"film{suffix}"
    write_film(path, film)
    if suffix == ".gif":
        with Image.open(path) as image:
            assert (image.size, image.n_frames, image.info["duration"]) == ((film.shape[2], film.shape[1]), T, 200)  # type: ignore[attr-defined]
        return
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in container.decode(video=0)]
    assert len(frames) == T
    assert np.abs(frames[5] - film[5]).mean() < 8  # the codec's loss


def test_a_badge_covers_no_frame_and_no_mark(pixels: np.ndarray) -> None:
    verdict = Verdict("gradcam", "ladm.Y_D", False, (), ("deletion and insertion",), (), "28 clips of mine", True)
    named = dataclasses.replace(saliency(), activation="ladm.Y_S")
    strip = FilmStrip.from_results(
        pixels,
        np.arange(T) / 8,
        {"D": saliency(), "S": named},
        label="happy",
        split=split([1.0, 5.0, 9.0, 13.0]),
        verdicts={"D": verdict, "S": verdict},
    ).plot()
    canvas = FigureCanvasAgg(strip.figure_)
    canvas.draw()
    renderer = canvas.get_renderer()
    badges = [text for axes in strip.ax_ for text in axes.texts]
    assert [text.get_text() for text in badges] == [verdict.badge] * 2
    for badge in badges:
        box = badge.get_bbox_patch().get_window_extent(renderer)
        for axes in strip.ax_:
            frames = axes.images[0].get_window_extent(renderer)
            assert min(box.y1, frames.y1) <= max(box.y0, frames.y0) + 1
            for marks in axes.lines:
                drawn = marks.get_window_extent(renderer)
                assert min(box.y1, drawn.y1 + 4) <= max(box.y0, drawn.y0 - 4) + 1
    assert all(note.y == 0 and note.yanchor == "bottom" for note in strip.to_plotly().layout.annotations)  # above the picture
