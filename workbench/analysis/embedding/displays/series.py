"""Pictures of several aligned maps: panels side by side, and a film in which the clips move from stage to stage."""

import math
from pathlib import Path
from typing import Any, Self

import numpy as np
import plotly.graph_objects as go
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from ifdd.errors import InputError
from workbench.analysis.embedding.displays.colours import Colouring, Groups, Ramp
from workbench.analysis.embedding.displays.scatter import EmbeddingDisplay, short_accuracy
from workbench.analysis.embedding.results import METHOD_NAMES, EmbeddingSeries
from workbench.plotting import style
from workbench.plotting.base import Display, new_grid
from workbench.plotting.images import can_write_mp4, write_film

COLUMNS = 4
_HOLD, _BETWEEN, _FPS = 4, 8, 10  # pictures of a stage, pictures on the way to the next, pictures a second


class EmbeddingSeriesDisplay(Display):
    """One panel for each map, with its kNN accuracy and how far the clips moved; colours and markers are the classes'."""

    normalisation = "each map to a root mean square radius of 1"

    def __init__(self, result: EmbeddingSeries, colours: Colouring | None = None) -> None:
        self.result = result
        self.ramp = colours if isinstance(colours, Ramp) else None
        by_label = EmbeddingDisplay.from_result(result.maps[0]).groups("label")
        self.groups = list(colours.groups) if isinstance(colours, Groups) else by_label
        self.limit = 1.08 * max(float(np.abs(found.xy).max()) for found in result.maps)

    @classmethod
    def from_result(cls, result: EmbeddingSeries, colours: Colouring | None = None) -> Self:
        """Take a series of maps, and what colours tell of the clips, in their order; by default the label."""
        return cls(result, colours)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    def lines(self, index: int) -> list[str]:
        """Title of a panel: the map's name, then its figures."""
        found = self.result.maps[index]
        lines = [self.result.names[index], short_accuracy(found)]
        if index:
            lines.append(f"moved {self.result.moved[index - 1]:.2f} (random {self.result.moved_null[index - 1]:.2f})")
        return lines

    @property
    def caption(self) -> str:
        """What was drawn and how it was aligned."""
        first = self.result.maps[0]
        onto = "the first" if self.result.onto == "first" else "the one before"
        begun = ", begun from it" if self.result.start == "previous" else ""
        return (
            f"{METHOD_NAMES[first.method]}, n = {len(first.xy)}; each map turned onto {onto}{begun}; "
            "moved: share of the spread that turning does not explain"
        )

    def _draw(self, ax: Any) -> None:
        count = len(self.result.maps)
        columns = min(COLUMNS, count)
        rows = math.ceil(count / columns)
        axes = new_grid(ax, rows, columns, 2.3 * columns + 1.3, 2.75 * rows + 0.4)
        for index, panel in enumerate(axes.flat):
            if index >= count:
                panel.set_axis_off()
                continue
            self._points(panel, self.result.maps[index].xy, size=9)
            panel.set_title("\n".join(self.lines(index)), fontsize="small")
        self.ax_, self.figure_ = axes, axes[0, 0].figure
        if self.ramp is not None:
            self.figure_.colorbar(axes[0, 0].collections[-1], ax=list(axes.flat), label=self.ramp.title, shrink=0.8)
        else:
            handles, labels = axes[0, 0].get_legend_handles_labels()
            axes[0, columns - 1].legend(handles, labels, loc="upper left", bbox_to_anchor=(1.02, 1), markerscale=2)
        if ax is None:
            self.figure_.supxlabel(self.caption, fontsize="small")

    def _points(self, panel: Any, xy: np.ndarray, size: float) -> list[Any]:
        if self.ramp is not None:
            known = np.isfinite(self.ramp.values)
            drawn = [
                panel.scatter(*xy[~known].T, s=size, c=style.GREY, marker="X", linewidths=0),
                panel.scatter(*xy[known].T, s=size, c=self.ramp.values[known], cmap=style.SEQUENTIAL, linewidths=0),
            ]
        else:
            drawn = [
                panel.scatter(*xy[g.rows].T, s=size, c=g.colour, marker=g.marker, label=g.name, alpha=0.85, linewidths=0)
                for g in self.groups
            ]
        panel.set(xlim=(-self.limit, self.limit), ylim=(-self.limit, self.limit), xticks=[], yticks=[], aspect="equal")
        return drawn

    def to_plotly(self) -> go.Figure:
        """Panels beside each other; a class is shown or hidden in all of them at once."""
        count = len(self.result.maps)
        columns = min(COLUMNS, count)
        rows = math.ceil(count / columns)
        titles = ["<br>".join(self.lines(index)) for index in range(count)]
        figure = make_subplots(rows, columns, subplot_titles=titles, horizontal_spacing=0.02, vertical_spacing=0.2 / rows)
        for index, found in enumerate(self.result.maps):
            for trace in self._traces(found.xy, shown=index == 0):
                figure.add_trace(trace, index // columns + 1, index % columns + 1)
        figure.update_layout(
            template=style.plotly_template(), height=340 * rows + 60, margin={"t": 80, "l": 10, "r": 10, "b": 10}
        )
        self._bare(figure)
        figure.update_annotations(font_size=12)
        return figure

    def to_film(self) -> go.Figure:
        """One panel with a slider and a button: the clips move from map to map."""
        figure = go.Figure(self._traces(self.result.maps[0].xy, shown=True))
        titles = [" · ".join(self.lines(index)) for index in range(len(self.result.maps))]
        figure.frames = [
            go.Frame(data=self._traces(found.xy, shown=True), name=name, layout={"title": {"text": title}})
            for name, found, title in zip(self.result.names, self.result.maps, titles, strict=True)
        ]
        how = {"frame": {"duration": 900, "redraw": False}, "transition": {"duration": 700}, "mode": "immediate"}
        steps = [{"label": name, "method": "animate", "args": [[name], how]} for name in self.result.names]
        play = {"label": "play", "method": "animate", "args": [list(self.result.names), how]}
        figure.update_layout(
            template=style.plotly_template(),
            title=titles[0],
            height=680,
            sliders=[{"steps": steps, "currentvalue": {"visible": False}}],
            updatemenus=[{"type": "buttons", "buttons": [play], "x": 0, "y": -0.02, "xanchor": "right", "yanchor": "top"}],
        )
        self._bare(figure)
        return figure

    def save_film(self, path: str | Path) -> Path:
        """Write the film as .mp4 or as .gif.

        Raises: InputError for another suffix, or .mp4 where no encoder is there.
        """
        path = Path(path)
        if path.suffix not in (".mp4", ".gif") or (path.suffix == ".mp4" and not can_write_mp4()):
            raise InputError(f"{path}: films are saved as .gif, and as .mp4 where PyAV has H.264; change the suffix")
        write_film(path, self._pictures(), fps=_FPS)
        return path

    def _pictures(self) -> np.ndarray:
        """Pictures (T, h, w, 3) uint8 of all stages and of the ways between them."""
        with style.matplotlib_theme():
            figure = Figure(figsize=(6.4, 5.6), layout="constrained")
            canvas, panel = FigureCanvasAgg(figure), figure.subplots()
            drawn = self._points(panel, self.result.maps[0].xy, size=22)
            panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
            pictures = []
            for index, found in enumerate(self.result.maps):
                panel.set_title("\n".join(self.lines(index) + [""] * (index == 0)), fontsize="medium")
                after = self.result.maps[min(index + 1, len(self.result.maps) - 1)].xy
                way = np.linspace(0, 1, _BETWEEN, endpoint=False) if after is not found.xy else [0.0]
                for share in [0.0] * _HOLD + [0.5 - 0.5 * math.cos(math.pi * part) for part in way]:
                    for points, group in zip(drawn, self.groups, strict=True):
                        points.set_offsets((1 - share) * found.xy[group.rows] + share * after[group.rows])
                    canvas.draw()
                    pictures.append(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())
        return np.stack(pictures)

    def _traces(self, xy: np.ndarray, *, shown: bool) -> list[Any]:
        ids = self.result.clip_ids or [str(i) for i in range(len(xy))]
        return [
            go.Scatter(
                x=xy[g.rows, 0],
                y=xy[g.rows, 1],
                mode="markers",
                name=g.name,
                legendgroup=g.name,
                showlegend=shown,
                marker={"color": g.colour, "symbol": style.PLOTLY_MARKERS[g.marker], "size": 6},
                customdata=[ids[row] for row in g.rows],
                hovertemplate="%{customdata}<extra></extra>",
            )
            for g in self.groups
        ]

    def _bare(self, figure: go.Figure) -> None:
        quiet = {"range": [-self.limit, self.limit], "showticklabels": False, "ticks": "", "zeroline": False, "showgrid": False}
        figure.update_xaxes(**quiet)
        figure.update_yaxes(**quiet)
