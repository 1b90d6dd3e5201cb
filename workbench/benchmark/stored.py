"""The file of `workbench benchmark`, read back: tables and curves without running a model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ifdd.documents import read_json
from ifdd.errors import InputError
from ifdd.scripted import SuiteConfig, suite_scripts
from ifdd.scripted.position import position_auroc
from workbench.analysis.comparison.results import SeedScore
from workbench.analysis.comparison.seeds import mean_over_seeds
from workbench.benchmark.results import NO_PLACES, SCHEMA, FamilyResult, FamilyRow, Figure, SuiteResult
from workbench.results.interval import Interval

RENEW = "write it anew with workbench benchmark"


def read_benchmark(file: str | Path) -> FamilyResult:
    """The result that a benchmark.json holds; its predictions and activations are not in it.

    Raises: InputError for a file that is not there, not whole, of a schema version whose measures meant something else, or whose
        rows and suites are not of the same variants.
    """
    file = Path(file)
    values = _values(file)
    known = isinstance(values, dict) and {"rows", "robustness", "scored"} <= set(values)
    version = values.get("schema_version", 1) if known else SCHEMA
    if version != SCHEMA:
        raise InputError(
            f"{file} has schema version {version}; this version reads {SCHEMA}, in which content R² and AUROC mean something "
            f"else; {RENEW} (scores are kept with --earlier {file})"
        )
    result = FamilyResult.from_dict(values, f"{file} is no file of workbench benchmark", RENEW)
    _check_whole(result, file)
    return result


def check_earlier(file: str | Path) -> FamilyResult:
    """An earlier benchmark.json, of any schema version. Raises: InputError for a file that is not there or not whole."""
    file = Path(file)
    values = _values(file)
    first = isinstance(values, dict) and values.get("schema_version", 1) == 1
    return FamilyResult.from_dict(
        _of_schema_1(values) if first else values, f"{file} is no file of workbench benchmark", "leave it out"
    )


def with_earlier(result: FamilyResult, file: str | Path) -> FamilyResult:
    """The result, and beside it the variants of an earlier benchmark.json that were not measured now: their scores alone.

    Of either schema version, since scores mean the same in both; measures of split and branches are left out. The scores of
    suites that were not measured now are kept, too, and those of variants of which fewer seeds were measured; minutes are those
    of then.
    Raises: InputError for a file that is not there or not whole, or of other clips than the result's.
    """
    found = check_earlier(file)
    earlier = {suite.suite: suite for suite in found.robustness.suites}
    rows = {row.variant: row for row in found.rows}
    now = {suite.suite: suite for suite in result.robustness.suites}
    measured = {row.variant: row for row in result.rows}
    for name, suite in now.items():
        if name not in earlier:
            raise InputError(f"{file} has no suite {name}; leave it out, or measure the suites {', '.join(earlier)}")
        if earlier[name].hash != suite.hash:
            raise InputError(f"{file}: its {name} has other clips than now; leave it out, or measure the same clips")
    for name, old in earlier.items():
        wanted = [*rows, *measured] if name not in now else list(rows)
        if unknown := [variant for variant in wanted if variant not in old.scores]:
            raise InputError(f"{file} has no score of {unknown[0]} on {name}; measure {name} as well, or leave the file out")
    kept_as = _careful if found.schema_version < SCHEMA else _as_it_is
    suites = []
    for name, old in earlier.items():
        own = now.get(name)
        if own is None:
            position = position_auroc(suite_scripts(_config(result, name)))
            own = SuiteResult(name, old.clips, old.hash, position.centre, {}, position_null=position.centre_null)
        older = {v: kept_as(score) for v, score in old.scores.items()}
        whole = {v: score for v, score in own.scores.items() if v not in older or len(score.each) >= len(older[v].each)}
        suites.append(replace(own, scores=older | whole))
    order = [*rows, *(variant for variant in measured if variant not in rows)]
    kept = [
        _beside(measured[v], rows.get(v)) if v in measured else replace(rows[v], measures={}, places=NO_PLACES) for v in order
    ]
    members = {row.variant: row.checkpoints for row in kept}
    return replace(result, rows=tuple(kept), robustness=replace(result.robustness, members=members, suites=tuple(suites)))


def _values(file: Path) -> Any:
    try:
        return read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file} is not there; workbench benchmark writes it into its --out") from None


def _config(result: FamilyResult, suite: str) -> SuiteConfig:
    seed, clips, identities = (int(str(result.robustness.provenance.parameters[key])) for key in ("seed", "clips", "identities"))
    return SuiteConfig("benchmark", seed, clips, identities, "test", suite)


def _beside(row: FamilyRow, old: FamilyRow | None) -> FamilyRow:
    """A variant that was measured now, with minutes of then; of fewer seeds than then, it has the measures of those alone."""
    if old is None or not set(row.checkpoints) <= set(old.checkpoints):
        return row
    places = {name: i for i, name in enumerate(row.checkpoints)}

    def spread(figure: Figure) -> Figure:
        """By the seeds of then: NaN where there is no checkpoint now."""
        nan = float("nan")
        at = [places.get(name) for name in old.checkpoints]
        each = tuple(nan if i is None else figure.each[i] for i in at)
        bounds = tuple((nan, nan) if i is None else figure.bounds[i] for i in at) if figure.bounds else ()
        return Figure(each, bounds, tuple(nan if i is None else figure.null[i] for i in at) if figure.null else ())

    if len(row.checkpoints) == len(old.checkpoints):
        return replace(row, minutes=old.minutes)
    return replace(
        row,
        checkpoints=old.checkpoints,
        minutes=old.minutes,
        validation=old.validation,
        test=old.test if np.isfinite(old.test.each).any() else spread(row.test),
        measures={name: spread(figure) for name, figure in row.measures.items()},
    )


def _as_it_is(score: SeedScore) -> SeedScore:
    return score


def _careful(score: SeedScore) -> SeedScore:
    """A score of schema 1, whose few seeds were drawn again: too narrow, so Student's t over the seeds is added."""
    if len(score.each) < 2:
        return score

    def wider(old: Interval) -> Interval:
        seeds = mean_over_seeds(score.each)  # of UAR; WAR has the same, classes are balanced
        half = float(np.hypot((old.high - old.low) / 2, (seeds.high - seeds.low) / 2))
        return Interval(old.value, max(old.value - half, 0.0), min(old.value + half, 1.0))

    return replace(score, war=wider(score.war), uar=wider(score.uar))


def _of_schema_1(values: dict[str, Any]) -> dict[str, Any]:
    """A file of schema 1 in the form of the present one: its scores and costs, since its measures meant something else."""
    try:
        rows = [
            {name: row[name] for name in ("variant", "checkpoints", "trained", "shown", "parameters", "macs")}
            | {name: row[name] for name in ("minutes", "validation")}
            | {"test": row.get("test", {"each": [None] * len(row["checkpoints"])})}
            | {"measures": {}, "places": NO_PLACES.to_dict()}
            for row in values["rows"]
        ]
        suites = [
            {name: suite[name] for name in ("suite", "clips", "hash", "scores")} | {"position": None}
            for suite in values["robustness"]["suites"]
        ]
        about = {"analysis": "robustness", "parameters": {}, "inputs": {}, "versions": {}}
        members = {row["variant"]: row["checkpoints"] for row in rows}
        robustness = {"members": members, "suites": suites, "provenance": about}
        return {"rows": rows, "robustness": robustness, "scored": "", "controls": {}, "schema_version": 1}
    except (TypeError, KeyError, AttributeError):
        return values  # no file of this kind: its reader says what is wrong with it


def _check_whole(result: FamilyResult, file: Path) -> None:
    """Every variant has its row and, on every suite, its score, a figure for each of its checkpoints."""
    members = result.robustness.members
    if not result.rows or not result.robustness.suites:
        raise InputError(f"{file} is no file of workbench benchmark: it has no rows or no suites; {RENEW}")
    names = {"its rows": [row.variant for row in result.rows]}
    names |= {f"suite {suite.suite}": list(suite.scores) for suite in result.robustness.suites}
    for where, found in names.items():
        if sorted(found) != sorted(members):
            raise InputError(f"{file} is no file of workbench benchmark: {where} and its members are not the same; {RENEW}")
    if result.scored not in {suite.suite for suite in result.robustness.suites}:
        raise InputError(f"{file} is no file of workbench benchmark: the suite {result.scored!r} is not in it; {RENEW}")
    for name, checkpoints in members.items():
        each = [suite.scores[name].each for suite in result.robustness.suites]
        if not checkpoints or any(len(figures) != len(checkpoints) for figures in each):
            raise InputError(f"{file} is no file of workbench benchmark: {name} lacks figures of some seeds; {RENEW}")
