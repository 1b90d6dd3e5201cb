"""Where two maps differ: the film strip of a clip in two colours, and the map of an activation's pooling weights."""

from typing import Any, Self

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes

from ifdd.errors import InputError
from workbench.analysis.saliency.displays.heat import STRENGTH, hatch
from workbench.analysis.saliency.displays.strip import FilmStrip, Row
from workbench.analysis.saliency.results import DifferenceResult, PoolingResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_grid

WARNING = "#B00020"


class DifferenceStrip(FilmStrip):
    """The frames of one clip and the difference of two maps below: red where the first has more, blue where the second has."""

    @classmethod
    def from_difference(
        cls, pixels: np.ndarray, seconds: np.ndarray, result: DifferenceResult, *, title: str = "", clip: int = 0
    ) -> Self:
        """Strip of one clip: `pixels` (T, H, W, 3) uint8, `seconds` (T,).

        Raises: InputError if pixels and maps are not of one shape.
        """
        signed = result.frames[clip]
        if pixels.shape != (*signed.shape, 3) or pixels.dtype != np.uint8:
            raise InputError(f"pixels {pixels.shape} {pixels.dtype} do not fit maps {signed.shape}; pass the clip of the maps")
        peak = float(np.abs(signed).max()) or 1.0
        drawn = _two_colours(pixels, signed / peak)
        unread = ~result.read[clip]
        drawn[unread] = hatch(np.repeat(_gray(pixels)[unread][..., None], 3, -1))
        nowhere = np.empty(0)
        first, second = result.names
        caption = (
            f"{first} − {second}, each with mean 1 over the clip: red, {first} has more; blue, {second} has more; "
            f"overlap {result.overlap[clip]:.2f}, rank correlation {result.rank[clip]:.2f}"
        )
        rows = (Row("input", pixels, nowhere), Row("Δ", drawn, nowhere))
        source = result.provenance.to_json()
        return cls(rows, seconds, title=title, caption=caption, peak=peak, hatched=bool(unread.any()), source=source)

    def _draw_bar(self, bar: Axes) -> None:
        bar.imshow(
            _two_colours(np.full((1, 1, 256, 3), 160, np.uint8), np.linspace(-1, 1, 256)[None, None])[0],
            extent=(-self.peak, self.peak, 0, 1),
            aspect="auto",
        )
        bar.set(yticks=[])
        bar.set_xticks([-self.peak, 0, self.peak], [f"{value:.3g}" for value in (-self.peak, 0, self.peak)], fontsize=10)


class PoolingDisplay(Display):
    """The learned pooling w as K maps, one for each step, on one two-coloured scale; a sum that is not above zero is red."""

    def __init__(self, result: PoolingResult) -> None:
        self.result = result
        self.peak = float(np.abs(result.weights).max()) or 1.0
        self.titles = [f"step {k}: Σ = {total:.3g}" for k, total in enumerate(result.by_step)]
        self.title = f"learned pooling of {result.activation}: Σw = {result.total:.3g}"

    @classmethod
    def from_result(cls, result: PoolingResult | None) -> Self:
        """Take the result of `learned_pooling`. Raises: InputError for None, a model that has none."""
        if result is None:
            raise InputError("this model has no learned pooling: its logits are no weighted sum over one activation")
        return cls(result)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    def _draw(self, ax: Any) -> None:
        steps = len(self.result.weights)
        axes = new_grid(ax, 1, steps, 1.9 * steps + 0.8, 2.7)
        for panel, weights, title in zip(axes[0], self.result.weights, self.titles, strict=True):
            image = panel.imshow(weights, cmap=style.DIVERGING, vmin=-self.peak, vmax=self.peak)
            panel.set(xticks=[], yticks=[])
            panel.set_title(title, fontsize="small")
        self.ax_, self.figure_ = axes, axes[0, 0].figure
        self.figure_.colorbar(image, ax=list(axes[0]), label="w", shrink=0.7)
        warned = bool(self.result.warning)
        heading = f"{self.title}\n{self.result.warning}" if warned else self.title
        self.figure_.suptitle(heading, fontsize="medium", color=WARNING if warned else "black", x=0.01, ha="left")

    def to_plotly(self) -> go.Figure:
        """Return the maps for a web page."""
        from plotly.subplots import make_subplots

        figure = make_subplots(1, len(self.titles), subplot_titles=self.titles)
        for column, weights in enumerate(self.result.weights, start=1):
            figure.add_trace(go.Heatmap(z=weights, coloraxis="coloraxis", hovertemplate="w = %{z:.4g}<extra></extra>"), 1, column)
            figure.update_yaxes(autorange="reversed", scaleanchor=f"x{'' if column == 1 else column}", row=1, col=column)
        text = f"{self.title}<br>{self.result.warning}" if self.result.warning else self.title
        scale = {"colorscale": style.DIVERGING, "cmin": -self.peak, "cmax": self.peak, "colorbar": {"title": "w"}}
        figure.update_layout(template=style.plotly_template(), title=text, coloraxis=scale, height=320)
        figure.update_xaxes(showticklabels=False)
        figure.update_yaxes(showticklabels=False)
        return figure


def _gray(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def _two_colours(pixels: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """Values in [−1, 1] over a gray picture (T, H, W, 3) uint8."""
    gray = _gray(pixels)[..., None]
    alpha = STRENGTH * np.abs(signed)[..., None]
    colours = np.asarray(mpl.colormaps[style.DIVERGING]((signed + 1) / 2))[..., :3] * 255
    return np.rint(gray * (1 - alpha) + colours * alpha).astype(np.uint8)
