"""What makes a page's figures again: the line for a command line, and the same in Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.app.selection import Selection

Copied = tuple[list[str], str]
"""Arguments of the command, and Python."""


def joined(programs: Sequence[str]) -> str:
    """Python of several models as one program, what an earlier one has imported left out.

    >>> print(joined(["import a\\n\\na.b(1)", "import a\\n\\na.b(2)"]))
    import a
    <BLANKLINE>
    a.b(1)
    <BLANKLINE>
    a.b(2)
    """
    imported: set[str] = set()
    found = []
    for program in programs:
        lines = program.strip().splitlines()
        kept = [line for line in lines if line not in imported]
        imported |= {line for line in lines if line.startswith(("from ", "import "))}
        found.append("\n".join(kept).strip())
    return "\n\n".join(found)


@dataclass(frozen=True)
class FitOn:
    """What a temperature is fitted on: `half` of the persons, the clips that pass a condition, or another dataset."""

    half: bool = False
    where: str = ""
    dataset: str = ""


@dataclass(frozen=True)
class Copies:
    """For the models by name, on a dataset of a workspace, of all clips or those of a selection."""

    workspace: Path
    dataset: str
    models: tuple[str, ...]
    selection: Selection

    def scores(self) -> Copied:
        """Metrics of each model."""
        body = "for name, found in collections.items():\n    print(name, measure(found, clips).caption)"
        return self._line("score", *self.models), self._python(["from workbench.analysis.performance.task import measure"], body)

    def comparison(self, reference: str, columns: Sequence[str] | None = None, bins: int = 4) -> Copied:
        """Every model against the reference; with `columns` slices by these, in `bins` where they are numbers."""
        more, options = ["--reference", reference], f"reference={reference!r}"
        if columns:
            more += ["--slices", ",".join(columns)]
            options += f", columns={list(columns)!r}"
        if columns and bins != 4:
            more += ["--bins", str(bins)]
            options += f", bins={bins}"
        options = f"Options({options})"
        body = f"report = run(list(collections.values()), {options}, clips)\nprint(report.comparison.caption)\n"
        body += "for pair in report.comparison.pairs:\n    print(pair.name, pair.war, pair.uar)"
        return self._line("compare", *self.models, *more), self._python(
            ["from workbench.analysis.comparison.task import Options, run"], body
        )

    def agreement(self) -> Copied:
        """How far each two models agree."""
        body = "for pair in run(list(collections.values()), clips).pairs:\n    print(pair.name, pair.same, pair.kappa.text())"
        return self._line("agreement", *self.models), self._python(["from workbench.analysis.agreement.task import run"], body)

    def calibration(self, model: str, binning: str | None = None, source: FitOn | None = None) -> Copied:
        """Calibration and confidence of one model; with a `source` also a temperature that is fitted on it."""
        more = ["--binning", binning] if binning else []
        lines = ["from workbench.analysis.confidence.results import CalibrationOptions"]
        asked = [f"CalibrationOptions(binning={binning!r})" if binning else "CalibrationOptions()", "clips"]
        other, one, needs = "None", f"collections[{model!r}]", "run"
        if source is not None and source.dataset:
            more += ["--validation", source.dataset]
            other = f"place.dataset({source.dataset!r}).collection(None, {model!r})"
        elif source is not None and source.half:
            more, needs = [*more, "--halves"], "halves, run"
            asked.append(f"halves({one}, clips)")
        elif source is not None:
            more += ["--fit-where", source.where]
            lines.append("from workbench.app.measured import clips_where")
            asked.append(f"clips_where([{source.where!r}], collections, place.results)")
        lines.append(f"from workbench.analysis.confidence.task import {needs}")
        body = f"report = run({one}, {other}, {', '.join(asked)})\nprint(*report.captions, sep='\\n')"
        return self._line("calibrate", model, *more), self._python(lines, body)

    def _line(self, command: str, *arguments: str) -> list[str]:
        chosen = [part for text in self.selection.texts for part in ("--where", text)]
        return ["workbench", command, *arguments, "--dataset", self.dataset, "--workspace", str(self.workspace), *chosen]

    def _python(self, imports: list[str], body: str) -> str:
        lines = ["from workbench.store.workspace import open_workspace", *imports]
        if self.selection:
            lines.append("from workbench.app.measured import clips_where")
        lines = sorted(set(lines))
        lines += [
            "",
            f"place = open_workspace({str(self.workspace)!r})",
            f"collections = {{name: place.dataset({self.dataset!r}).collection(None, name) for name in {list(self.models)!r}}}",
            f"clips = clips_where({list(self.selection.texts)!r}, collections, place.results)"
            if self.selection
            else "clips = None",
            body,
        ]
        return "\n".join(lines) + "\n"
