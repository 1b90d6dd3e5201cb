"""Attribution over many clips: the commands that measure it, and what they wrote, read back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ifdd.data.manifest import of_each_class
from ifdd.documents import read_json
from workbench.analysis.counterfactuals.results import EditedClips
from workbench.analysis.counterfactuals.task import REPORT, read_report
from workbench.analysis.faithfulness.results import FaithfulnessReport
from workbench.analysis.saliency.results import RegionBudget
from workbench.analysis.saliency.verdicts import FILE
from workbench.analysis.streams import task as streams
from workbench.analysis.streams.results import StreamsResult

MOST = 200
"""Selected clips that a command is given by name; of more the first ones of each class alike are taken."""


@dataclass(frozen=True)
class Asked:
    """Clips of a dataset of a workspace: those with `clip_ids`, or `count` of them, of each class alike."""

    workspace: Path
    dataset: str
    manifest: Path
    count: int
    clip_ids: tuple[str, ...] = ()

    def line(self, *command: str) -> list[str]:
        """A command of `workbench` on these clips."""
        line = ["workbench", *command, "--dataset", self.dataset, "--workspace", str(self.workspace)]
        named = [part for clip in self.clip_ids for part in ("--clip", clip)]
        return line + (named or ["--clips", str(self.count)])

    def regions(self, checkpoint: str, method: str) -> list[str]:
        """Measures on which regions the maps of a checkpoint lie."""
        return self.line("saliency", "--checkpoint", checkpoint, "--method", method, "--summary")

    def tests(self, checkpoint: str, methods: Sequence[str]) -> list[str]:
        """Tests the maps of a checkpoint."""
        return self.line("faithfulness", checkpoint, "--methods", ",".join(methods))

    def edits(self, checkpoint: str, edits: Sequence[str]) -> list[str]:
        """Changes clips and measures what a checkpoint then says."""
        return self.line("counterfactual", checkpoint, "--edits", ",".join(edits))

    def streams(self, *checkpoints: str) -> list[str]:
        """Exchanges the inputs of clips and measures what checkpoints then say."""
        return self.line("streams", *checkpoints)

    def regions_python(self, folder: Path, method: str) -> str:
        """The same as `regions`, in Python."""
        which = f"{self.count}, clip_ids={list(self.clip_ids) or None!r}"
        return f"""
from ifdd import load_checkpoint
from workbench.analysis.saliency.requests import Request
from workbench.analysis.saliency.shown import from_manifest
from workbench.analysis.saliency.task import run

bundle = load_checkpoint({str(folder)!r})
rows, clips = from_manifest(bundle, {str(self.manifest)!r}, {which})
budgets = run(bundle, clips, Request({method!r}), rows=rows).regions
"""

    def tests_python(self, folder: Path, methods: Sequence[str]) -> str:
        """The same as `tests`, in Python."""
        return f"""
from ifdd import load_checkpoint
from workbench.analysis.faithfulness.task import FaithfulnessRequest, run

bundle = load_checkpoint({str(folder)!r})
report = run(bundle, {str(self.manifest)!r}, FaithfulnessRequest({tuple(methods)!r}, clips={self.count}))
"""

    def edits_python(self, folder: Path, edits: Sequence[str]) -> str:
        """The same as `edits`, in Python."""
        which = f"clips={self.count}" if not self.clip_ids else f"clip_ids={list(self.clip_ids)!r}"
        return f"""
from ifdd import load_checkpoint
from workbench.analysis.counterfactuals.task import Options, run

bundle = load_checkpoint({str(folder)!r})
found = run(bundle, {str(self.manifest)!r}, Options(edits={list(edits)!r}, {which})).counterfactuals
"""

    def streams_python(self, folders: Sequence[Path]) -> str:
        """The same as `streams`, in Python."""
        which = f"clips={self.count}" if not self.clip_ids else f"clip_ids={list(self.clip_ids)!r}"
        return f"""
from ifdd import load_checkpoint
from workbench.analysis.streams.task import Options, run

bundles = [load_checkpoint(folder) for folder in {[str(folder) for folder in folders]!r}]
found = run(bundles, {str(self.manifest)!r}, Options({which}))
"""


def asked_ids(table: pd.DataFrame, count: int) -> tuple[str, ...]:
    """Ids of at most `count` rows of a list of clips, of each class alike, as the commands take them."""
    return tuple(of_each_class(table, count)["clip_id"])


def read_regions(folder: Path) -> dict[str, RegionBudget]:
    """Budgets of regions by branch or activation, of a folder of `workbench saliency`. Raises: InputError for a damaged file."""
    file = folder / "regions.json"
    if not file.is_file():  # no map lies on a face, or all are zero
        return {}
    return {key: RegionBudget.from_dict(values, str(file)) for key, values in read_json(file).items()}


def read_tests(folder: Path) -> FaithfulnessReport:
    """Verdicts and curves, of a folder of `workbench faithfulness`. Raises: InputError for a damaged file."""
    return FaithfulnessReport.from_dict(read_json(folder / FILE), str(folder / FILE))


def read_streams(folder: Path) -> dict[str, StreamsResult]:
    """What each input does, of a folder of `workbench streams`. Raises: InputError for a damaged file."""
    return streams.read_report(folder / streams.REPORT)


def read_edits(folder: Path) -> EditedClips:
    """What edits changed, of a folder of `workbench counterfactual`. Raises: InputError for a damaged file."""
    return read_report(folder / REPORT)
