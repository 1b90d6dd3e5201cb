"""What can be done where: each command, the page of the app that shows the same, and the Python that does it.

A test holds this list to the commands that there are, to the pages and to the functions; Help shows it.
"""

from typing import NamedTuple


class Entry(NamedTuple):
    """A command, the address of its page (`None`: it has none), where on it, or why none; the Python name that does the work."""

    command: str
    page: str | None
    about: str
    python: str


CATALOGUE = (
    Entry("workbench score", "", "Overview: WAR, UAR, recalls, confusion", "workbench.analysis.performance.task.measure"),
    Entry("workbench compare", "comparison", "differences, flips, slices, bad slices", "workbench.analysis.comparison.task.run"),
    Entry("workbench agreement", "agreement", "pairs of models", "workbench.analysis.agreement.task.run"),
    Entry("workbench calibrate", "confidence", "densities, reliability, votes", "workbench.analysis.confidence.task.run"),
    Entry("workbench training", "training", "curves, recipes", "workbench.analysis.training.task.run"),
    Entry(
        "ifdd published",
        "comparison",
        "rows of papers",
        "workbench.analysis.performance.published.published_rows",
    ),
    Entry("workbench explain", "clip", "one clip; own videos: Upload", "workbench.explain.task.run"),
    Entry(
        "workbench saliency",
        "saliency",
        "Attribution: regions over many clips; of one: Clip",
        "workbench.analysis.saliency.task.run",
    ),
    Entry("workbench faithfulness", "saliency", "Attribution: are maps true?", "workbench.analysis.faithfulness.task.run"),
    Entry(
        "workbench counterfactual",
        "saliency",
        "Attribution: What if; of one clip: Clip",
        "workbench.analysis.counterfactuals.task.run",
    ),
    Entry("workbench streams", "saliency", "Attribution: Face and scene", "workbench.analysis.streams.task.run"),
    Entry("ifdd predict", "upload", "classes of own videos", "ifdd.checkpoints.load_checkpoint"),
    Entry("workbench embed", "embedding", "map of all clips, film over the stages", "workbench.analysis.embedding.task.run"),
    Entry("workbench splits", "splits", "which frames each branch reads", "workbench.analysis.splits.task.run"),
    Entry("workbench scorecard", "disentanglement", "scorecard", "workbench.analysis.disentanglement.task.make_scorecard"),
    Entry("workbench benchmark", "training", "tab Seeds; robustness: Disentanglement", "workbench.benchmark.task.run"),
    Entry("workbench scenes", "disentanglement", "tab Scenes", "workbench.benchmark.scenes.task.measure_scenes"),
    Entry("workbench figures", "figures", "figures of the papers", "workbench.figures.task.run"),
    Entry("workbench passport", "figures", "button Passport", "workbench.results.passport_files.read_passport"),
    Entry("ifdd data render", "benchmark", "a scripted clip with its truth", "workbench.app.playground.play"),
    Entry("workbench collect", "", "offered wherever a model has not read the clips", "workbench.store.collecting.collect"),
    Entry("workbench report", "figures", "tab Report: one HTML file of all sections", "workbench.report.task.run"),
    Entry("ifdd train", None, "runs for hours; see Training", "ifdd.training.run.train"),
    Entry("ifdd cross-validate", None, "runs for days; see Training", "ifdd.training.cross_validation.cross_validate"),
    Entry("ifdd sweep", None, "runs for days; see Training", "ifdd.training.sweep.sweep"),
    Entry("ifdd audit", "training", "tab Audit", "ifdd.training.audit.audit"),
    Entry("ifdd evaluate", None, "other clips than a dataset of the workspace", "ifdd.training.evaluation.write_evaluation"),
    Entry("ifdd models", None, "lists what can be built; no clips", "ifdd.create_model"),
    Entry("workbench init", None, "makes a workspace", "workbench.store.workspace.init_workspace"),
    Entry("workbench demo", None, "makes the demo", "workbench.store.demo.prepare_demo"),
    Entry(
        "workbench import",
        None,
        "predictions of others",
        "workbench.store.foreign.task.import_predictions",
    ),
    Entry("workbench app", None, "starts the app", "workbench.app.serve.start_app"),
    Entry("ifdd data index", None, "makes a list of clips", "ifdd.data.manifest.index_folder"),
    Entry("ifdd data lists", None, "what label lists hold", "ifdd.data.corpora.listing.read_families"),
    Entry("ifdd data split", None, "makes folds and parts", "ifdd.data.corpora.splitting.split_folds"),
    Entry("ifdd data crop", None, "cuts faces out of videos", "ifdd.data.cropping.corpus.crop_corpus"),
    Entry("ifdd data doctor", None, "what is wrong with a list of clips", "ifdd.data.doctor.examine"),
    Entry("ifdd data compare-labels", None, "where two label lists differ", "ifdd.data.label_lists.compare_lists"),
    Entry("ifdd weights list", None, "checkpoints that are there", "ifdd.checkpoints.list_checkpoints"),
    Entry("ifdd weights verify", None, "whether a checkpoint is whole", "ifdd.checkpoints.load_checkpoint"),
    Entry("ifdd weights convert", None, "weights of the released code", "ifdd.weights.from_reference"),
)

NO_COMMAND = {
    "browse": "looks at all clips; their list is clips.parquet, what models say of them predictions.parquet",
    "help": "explains the others",
    "jobs": "lists the commands that run",
}
"""Pages of no command, and why."""
