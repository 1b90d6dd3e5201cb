"""IFDD, Fig. 2, right: t-SNE of the features that are classified, models side by side on the same clips."""

import math
from collections.abc import Sequence

import numpy as np

from workbench.analysis.embedding.displays.scatter import EmbeddingDisplay, short_accuracy
from workbench.analysis.embedding.displays.series import EmbeddingSeriesDisplay
from workbench.analysis.embedding.results import METHOD_NAMES, EmbeddingResult
from workbench.analysis.embedding.task import embedding_of, has_features, map_clips, map_models
from workbench.figures.sheet import Column, Sheet, class_legend, scatter_classes
from workbench.figures.study import Study
from workbench.plotting.base import Display


class MapPanels(Sheet):
    """Maps of the same clips in panels, each with its figures; classes below."""

    normalisation = EmbeddingSeriesDisplay.normalisation

    def __init__(
        self, names: Sequence[str], maps: Sequence[EmbeddingResult], twin: Display, column: Column, columns: int, about: str
    ) -> None:
        super().__init__(column)
        self.names, self.maps, self.twin, self.columns, self.about = (
            tuple(names),
            tuple(maps),
            twin,
            min(columns, len(names)),
            about,
        )

    @property
    def caption(self) -> str:
        """Method, n, what was mapped, and the figures of each map."""
        figures = "; ".join(f"{name}: {', '.join(_figures(found))}" for name, found in zip(self.names, self.maps, strict=True))
        return (
            f"{self.about} {figures}. Each map fills its panel: distances between clusters, their "
            "sizes and the scales of the two directions mean nothing."
        )

    def _page(self) -> None:
        rows = math.ceil(len(self.maps) / self.columns)
        side = self.width / max(self.columns, 2)
        figure = self.new_page(rows * (side + 0.32) + 0.3 + (0.0 if self.wide else 0.15))
        axes = np.atleast_2d(figure.subplots(rows, self.columns, squeeze=False))
        for panel in axes.flat[len(self.maps) :]:
            panel.set_axis_off()
        size = float(np.clip(120 / np.sqrt(len(self.maps[0].xy)), 1.5, 10))
        for panel, name, found in zip(axes.flat, self.names, self.maps, strict=False):
            scatter_classes(panel, found.xy, found.labels, found.label_names, size)
            # each direction by itself: a map that is much longer than wide would be a strip
            panel.set(xticks=[], yticks=[], box_aspect=1)
            panel.margins(0.06)
            panel.spines[:].set(visible=True, linewidth=0.5, color="0.6")
            panel.set_title("\n".join([name, short_accuracy(found)]))
        self.figure_, self.ax_ = figure, axes
        class_legend(figure, axes[0, 0], len(self.maps[0].label_names) if self.wide else 4)


class EmbeddingSheet(MapPanels):
    """Models side by side."""

    stem, paper = "ifdd_fig2_tsne", "IFDD, Fig. 2, right"


def embedding_sheet(study: Study, column: Column = "double", seed: int = 0) -> EmbeddingSheet:
    """t-SNE of what the classifier of every model reads, where that is known.

    Raises: InputError as `embed`, e.g. for fewer than 5 clips, or where no model's features are known.
    """
    known = {name: found for name, found in study.collections.items() if has_features(found)}
    if not known:
        embedding_of(study.collections[study.main])  # says what is missing
    collections = list(known.values())
    features = " and ".join(dict.fromkeys(map(embedding_of, collections)))
    about = f"{METHOD_NAMES['tsne']} of the features that are classified ({features})"
    gone = [name for name in study.collections if name not in known]
    left_out = f" Nothing is known of the features of {', '.join(gone)}." if gone else ""
    if len(collections) == 1:
        found = map_clips(collections[0], features, seed=seed)
        about += f", n = {len(found.xy)}, {_settings(found)}.{left_out}"
        return EmbeddingSheet(list(known), [found], EmbeddingDisplay.from_result(found), column, 1, about)
    series = map_models(collections, seed=seed)
    about += f", the same {len(series.maps[0].xy)} clips, {_settings(series.maps[0])}, each map turned onto the first.{left_out}"
    return EmbeddingSheet(
        series.names, series.maps, EmbeddingSeriesDisplay.from_result(series), column, 3 if column == "double" else 2, about
    )


def _settings(found: EmbeddingResult) -> str:
    return f"perplexity {found.parameters['perplexity']:.3g}, seed {found.parameters['seed']}"


def _figures(found: EmbeddingResult) -> list[str]:
    return [
        f"{found.k}-NN accuracy {found.measure('kNN accuracy')}",
        f"trustworthiness {found.trustworthiness:.2f}",
    ]
