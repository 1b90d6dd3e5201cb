"""IFDD, Fig. 3: the variants of the split as schematics, drawn from what each did with one clip."""

from ifdd.errors import InputError
from workbench.analysis.splits.displays.schematic import SplitSchematicDisplay
from workbench.analysis.splits.task import schematic, split_of_clip
from workbench.figures.sheet import Column, Sheet
from workbench.figures.study import Study

NO_SPLIT = "none of the chosen models splits its frames, so there is no variant to draw; choose or add a checkpoint of IFDD"


class VariantsSheet(Sheet):
    """A panel for each variant."""

    stem, paper = "ifdd_fig3_variants", "IFDD, Fig. 3"
    points = 7.5  # its panels use small type for the marks

    def __init__(self, twin: SplitSchematicDisplay, clip_id: str, column: Column) -> None:
        super().__init__(column)
        self.twin: SplitSchematicDisplay = twin
        self.clip_id = clip_id

    @property
    def about(self) -> str:
        """How to read a panel, also the interactive one, which has no marks."""
        return (
            f"Split variants, drawn from the real splits of clip {self.clip_id}: in the middle the feature frames of X, above "
            "the steps of X_D, below those of X_S, each a blend of the frames that it reads. Width of a line: weight of the "
            "frame"
        )

    @property
    def caption(self) -> str:
        """How to read a panel, and what its marks mean."""
        return (
            f"{self.about}; number: the clip frame that is read; I linear interpolation, ⊗ element-wise product; sizes are T×H×W."
        )

    def _page(self) -> None:
        columns = min(2 if self.wide else 1, len(self.twin.panels))
        rows = -(-len(self.twin.panels) // columns)
        # a panel is drawn to scale and has two lines of title
        steps = max(len(panel.pictures) for panel in self.twin.panels)
        figure = self.new_page(rows * (6 * self.width / columns / (steps + 3.3) + 0.36))
        axes = figure.subplots(rows, columns, squeeze=False)
        for panel in axes.flat[len(self.twin.panels) :]:
            panel.set_axis_off()
        for panel, drawn in zip(axes.flat, self.twin.panels, strict=False):
            panel.set_axis_off()
            self.twin.draw_panel(panel, drawn)
        self.figure_, self.ax_ = figure, axes


def variants_sheet(study: Study, column: Column = "double", clip_id: str | None = None) -> VariantsSheet:
    """Schematics of every checkpoint that splits, of one clip; by default the first that is not neutral.

    Raises: InputError if none splits, or for an unknown clip.
    """
    splitting = {name: bundle for name, bundle in study.bundles.items() if "split" in bundle.model.capabilities}
    if not splitting:
        raise InputError(NO_SPLIT)
    found = {name: split_of_clip(bundle, study.manifest, clip_id) for name, bundle in splitting.items()}
    twin = schematic(found, {name: bundle.card.sha256 for name, bundle in splitting.items()})
    return VariantsSheet(twin, next(iter(found.values())).clip_id, column)
