"""What the page Compare shows: differences with their clips, and slices by columns of the list and by saved ones."""

from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ifdd.errors import InputError
from workbench.analysis.comparison.displays.pairs import p_text
from workbench.analysis.comparison.results import ComparisonResult, PairResult, SearchOptions, SearchResult, SliceResult
from workbench.analysis.comparison.slices import bad_slices, slice_metrics
from workbench.app import links
from workbench.app.links import IN, OUT, Levels
from workbench.app.selection import Selection
from workbench.store.columns import factor_columns
from workbench.store.side_by_side import SameClips
from workbench.store.tables import persons


def pair_rows(result: ComparisonResult, scope: Selection) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """A line for each model against the reference, and the clips that it gains, loses, or calls otherwise and wrong, too."""
    rows = []
    cells: dict[str, list[str]] = {"gained": [], "lost": [], "other flips": []}
    for pair in result.pairs:
        kinds = np.array(pair.flips.kinds, dtype=object)
        other = int((kinds == "other").sum())
        detectable = [f"{100 * v:.1f}" if v == v else "–" for v in (pair.detectable_war, pair.detectable_uar)]
        rows.append(
            {
                "difference": pair.name,
                "WAR, points": f"{pair.war.text('+.1f', 100)}, {_p(result, pair, 'WAR')}",
                "UAR, points": f"{pair.uar.text('+.1f', 100)}, {_p(result, pair, 'UAR')}",
                "detectable": ", ".join(detectable),
                "gained": pair.only_second,
                "lost": pair.only_first,
                "other flips": other,
            }
        )
        found = links.flips(pair, result.label_names, scope)
        for name, kind in zip(cells, found, strict=True):
            cells[name].append(found[kind][-1])
    return pd.DataFrame(rows), cells


def _p(result: ComparisonResult, pair: PairResult, what: str) -> str:
    """The p-value alone: which test it is stands below, once for all pairs."""
    return p_text(result, pair, what).partition(" (")[0]


@dataclass(frozen=True, eq=False)
class Factors:
    """Columns (n,) to slice the same clips by, in `bins` where they are numbers; `saved` are selections by name."""

    table: pd.DataFrame
    bins: int
    saved: Mapping[str, Selection]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells these factors from others of the same clips."""
        return (str(self.bins), *map(str, self.table), *(f"{name} {selection.text}" for name, selection in self.saved.items()))

    @property
    def levels(self) -> Levels:
        """The clips of each level."""
        return Levels(self.table.drop(columns=list(self.saved)), self.bins, self.saved)


def factors(
    clips: SameClips,
    columns: Sequence[str],
    bins: int,
    saved: Mapping[str, Selection] | None = None,
    inside: Mapping[str, Ids[str]] | None = None,
) -> Factors:
    """Columns of the clips, and for each saved slice whether a clip is `inside` (ids by name).

    Raises: InputError for a column that the clips lack, or none at all.
    """
    saved, inside = saved or {}, inside or {}
    if not columns and not saved:
        raise InputError("nothing is chosen to slice by; choose a column, or a saved slice")
    if lacking := [name for name in columns if name not in clips.table]:
        raise InputError(f"the clips have no column {lacking[0]}; choose another one")
    table = clips.table[list(columns)].copy()
    for name in saved:
        table[name] = np.where(clips.table["clip_id"].isin(list(inside[name])), IN, OUT)
    return Factors(table, bins, saved)


def choices(clips: SameClips) -> list[str]:
    """Columns that the clips can be sliced by."""
    return factor_columns(clips.table, clips.labels)


def first_choices(clips: SameClips, columns: Sequence[str]) -> list[str]:
    """Up to four of the columns to begin with: those with few values, which are levels as they are."""
    return [name for name in columns if clips.table[name].nunique() <= 8][:4] or list(columns[:2])


def sliced(clips: SameClips, by: Factors) -> SliceResult:
    """Accuracy of each model at every level. Raises: InputError as `slice_metrics`."""
    columns = {str(name): by.table[name] for name in by.table}
    return slice_metrics(clips.probs, clips.true, columns, groups=persons(clips.table), label_names=clips.labels, bins=by.bins)


def searched(clips: SameClips, by: Factors, model: str, min_n: int) -> SearchResult:
    """Slices on which a model is worse than its classes explain. Raises: InputError as `bad_slices`."""
    columns = {str(name): by.table[name] for name in by.table}
    options = SearchOptions(bins=by.bins, min_n=min_n)
    groups = persons(clips.table)
    return bad_slices(clips.probs[model], clips.true, columns, options, groups=groups, label_names=clips.labels)
