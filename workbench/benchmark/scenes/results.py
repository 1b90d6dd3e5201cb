"""What the measurement of scenes returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ifdd.documents import read_json
from ifdd.errors import InputError
from workbench.analysis.comparison.results import SeedDifference, SeedScore
from workbench.plotting.text import markdown_table
from workbench.results.interval import Interval, number_text
from workbench.results.provenance import Provenance
from workbench.results.result import Result

SCHEMA = 1
"""Of scenes.json."""
FEW = 10
"""As many curves can be told apart."""


@dataclass(frozen=True, eq=False)
class SceneRow(Result):
    """One variant over the same faces in other scenes. Differences are paired: the same clips, the same seeds.

    `scores`: UAR and WAR at each ρ. `helps`: what is gained where every scene has the emotion's polarity (ρ = 1) instead of one
    that tells nothing (ρ = 0); `misleads`: what is gained, below nothing where it is lost, where every scene has the opposite one
    (ρ = −1). `follows`: of clips whose emotion has a polarity, how many more are given that of the scene where it is the opposite
    one than where it is the emotion's: 0 for who does not look at the scene, 1 for who looks at nothing else and knows it.
    `reads`: the inputs; `trained`: ρ in training, None where no scene was seen.
    """

    variant: str
    members: tuple[str, ...]
    reads: tuple[str, ...]
    trained: float | None
    scores: tuple[SeedScore, ...]
    helps: SeedDifference
    misleads: SeedDifference
    follows: Interval


@dataclass(frozen=True, eq=False)
class ScenesResult(Result):
    """Variants over ρ, the correlation of the scene's polarity with the emotion's over the test clips of a suite.

    `clips` of `persons`; `chance` is the UAR of a guess; `hashes` of the suite at each ρ.
    """

    suite: str
    rhos: tuple[float, ...]
    clips: int
    persons: int
    chance: float
    rows: tuple[SceneRow, ...]
    hashes: tuple[str, ...]
    provenance: Provenance
    schema_version: int = SCHEMA

    def row(self, variant: str) -> SceneRow:
        """That of one variant. Raises: InputError if it was not measured."""
        for found in self.rows:
            if found.variant == variant:
                return found
        raise InputError(f"{variant!r} was not measured; measured: {', '.join(row.variant for row in self.rows)}")

    @property
    def compared(self) -> list[str]:
        """Variants to begin with, the first of those trained often enough to be ranked, or of all."""
        names = [row.variant for row in self.rows if row.scores[0].ranked] or [row.variant for row in self.rows]
        return names[:FEW]

    def of(self, variants: Sequence[str]) -> Self:
        """The same for some of the variants, in their order."""
        return replace(self, rows=tuple(self.row(name) for name in variants))


def read_scenes(file: str | Path) -> ScenesResult:
    """The result that a scenes.json holds.

    Raises: InputError for a file that is not there, not whole, or of another schema version.
    """
    again = "write it anew with workbench scenes"
    try:
        values = read_json(Path(file))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file} is not there; workbench scenes writes it into its --out") from None
    if isinstance(values, dict) and "rhos" in values and values.get("schema_version") not in (SCHEMA, None):
        raise InputError(f"{file} has schema version {values['schema_version']}; this version reads {SCHEMA}; {again}")
    found = ScenesResult.from_dict(values, f"{file} is no file of workbench scenes", again)
    if not found.rows or not found.rhos or any(len(row.scores) != len(found.rhos) for row in found.rows):
        raise InputError(f"{file} is no whole file of workbench scenes: not every variant has a score for every ρ; {again}")
    return found


def markdown(found: ScenesResult, names: Mapping[str, str] | None = None) -> str:
    """A table, a row for each variant; UAR in percent, differences in points, 95 % intervals in square brackets."""
    head, lines = cells(found, names)
    return "\n".join([legend(found), "", *markdown_table(head, lines)]) + "\n"


def legend(found: ScenesResult) -> str:
    """How to read the cells."""
    return (
        f"UAR in percent on {found.clips} test clips of {found.suite} ({found.persons} persons whom no recipe trains on), the "
        f"same faces at every ρ; chance is {100 * found.chance:.1f}. Square brackets: 95 % interval over persons and, where "
        "there are several, seeds. Helps, misleads: points gained where every scene has the polarity of the emotion, or the "
        "opposite one, against scenes that tell nothing. Follows: of clips whose emotion has a polarity, how many more per cent "
        "are given the scene's where it is the opposite one than where it is the emotion's."
    )


def cells(found: ScenesResult, names: Mapping[str, str] | None = None) -> tuple[list[str], list[list[str]]]:
    """The header and a row for each variant, under its name or that of `names`."""
    heads = [f"ρ {number_text(rho, '+g') if rho else 0}" for rho in found.rhos]
    lines = [
        [
            (names or {}).get(row.variant, row.variant),
            " + ".join(row.reads),
            "–" if row.trained is None else number_text(row.trained, "g"),
            str(len(row.members)),
            percent(row.helps.uar),
            percent(row.misleads.uar),
            percent(row.follows),
            *(percent(score.uar) for score in row.scores),
        ]
        for row in found.rows
    ]
    return ["variant", "reads", "ρ in training", "seeds", "helps", "misleads", "follows", *heads], lines


def percent(value: Interval) -> str:
    """A share or a difference of shares in percent, with its interval where there is one."""
    told, low, high = (number_text(100 * one, ".1f") for one in (value.value, value.low, value.high))
    return f"{told} [{low}, {high}]" if low != "nan" else told
