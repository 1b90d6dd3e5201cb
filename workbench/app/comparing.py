"""What the page Compare shows: differences with their clips, and slices by columns of the list and by saved ones."""

from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.documents import read_json
from ifdd.errors import InputError
from workbench.analysis.comparison.binning import levels
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
                "detectable, points": ", ".join(detectable),
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


LONG = 10_000_000
"""Slices times persons, or clips, beyond which a search for bad ones takes more than some seconds."""


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


def takes_long(clips: SameClips, by: Factors) -> bool:
    """Whether a reader should not wait for `searched`: for the columns of the list, which a command knows."""
    columns = {str(name): by.table[name] for name in by.table if name not in by.saved}
    sizes = np.array([len(levels(name, values, len(clips.table), by.bins).names) for name, values in columns.items()], int)
    looked_at = sizes.sum() + (sizes.sum() ** 2 - np.square(sizes).sum()) // 2  # levels, and those of two columns together
    groups = persons(clips.table)
    return bool(looked_at * (len(clips.table) if groups is None else len(np.unique(groups))) > LONG)


def found_by_command(folder: Path, number: int) -> SearchResult:
    """The search for bad slices of a model, by its number, that `workbench compare` wrote.

    Raises: InputError for a folder of other files.
    """
    file = folder / "comparison.json"
    try:
        return SearchResult.from_dict(list(read_json(file)["searches"].values())[number])
    except (OSError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{file} holds no search for bad slices ({type(error).__name__}); search again") from error
