"""OUS, Fig. 4: how the classes cluster from stage to stage of the network."""

from workbench.analysis.embedding.displays.series import EmbeddingSeriesDisplay
from workbench.analysis.embedding.results import METHOD_NAMES
from workbench.analysis.embedding.task import film_of_stages
from workbench.figures.ifdd2_embedding import MapPanels
from workbench.figures.sheet import Column
from workbench.figures.study import Study, stages_of


class StagesSheet(MapPanels):
    """The same clips at each stage of one model."""

    stem, paper = "ous_fig4_stages", "OUS, Fig. 4"


def stages_sheet(study: Study, column: Column = "double", seed: int = 0) -> StagesSheet:
    """t-SNE of every stage of the main checkpoint, each begun from and turned onto the one before.

    Raises: InputError for a collection without the stages, with the command that keeps them; as `embed`.
    """
    names = stages_of(study.looked_into("a film over the stages of the network"))
    series = film_of_stages(study.collections[study.main], names, seed=seed)
    moved = ", ".join(
        f"{name} {there:.2f} (random {null:.2f})"
        for name, there, null in zip(series.names[1:], series.moved, series.moved_null, strict=True)
    )
    about = (
        f"{study.main}: {METHOD_NAMES['tsne']} of {len(series.maps[0].xy)} clips at each stage, means over positions, seed "
        f"{seed}; each map begins from, and is turned onto, the one before. Share of the spread that moved: {moved}."
    )
    return StagesSheet(
        series.names, series.maps, EmbeddingSeriesDisplay.from_result(series), column, 5 if column == "double" else 3, about
    )
