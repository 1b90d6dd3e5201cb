"""From collections to a comparison of their models, and the files that `workbench compare` writes.

<out>/  comparison.json   comparison.md   differences.png   recalls.png
        of each pair flips_<i>.png   flips_<i>.csv   confusion_difference_<i>.png
        of factors slices.png   slices.csv   and of each model bad_slices_<i>.png   bad_slices_<i>.csv
"""

import json
from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ifdd.errors import InputError
from ifdd.io import new_folder, write_text
from ifdd.tables import csv_text
from workbench.analysis.comparison.binning import levels
from workbench.analysis.comparison.displays.page import comparison_markdown
from workbench.analysis.comparison.displays.pairs import ConfusionDifferenceDisplay, FlipsDisplay, ForestDisplay
from workbench.analysis.comparison.displays.slices import SearchDisplay, SliceDisplay
from workbench.analysis.comparison.pairs import compare
from workbench.analysis.comparison.results import (
    ComparisonReport,
    ComparisonResult,
    SearchOptions,
    SearchResult,
    SliceResult,
)
from workbench.analysis.comparison.slices import bad_slices, slice_metrics
from workbench.analysis.performance.displays.radar import RadarDisplay
from workbench.analysis.performance.displays.scores import RecallDisplay
from workbench.analysis.performance.published import published_rows
from workbench.plotting.base import Display
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collection import Collection
from workbench.store.columns import CONTENT, DERIVED, factor_columns, kept_as, probability_columns, renaming_notes
from workbench.store.side_by_side import SameClips, same_clips
from workbench.store.tables import persons, subjects


@dataclass(frozen=True)
class Options:
    """`reference` and `draws` as `compare`; `columns` to slice by in `bins`, all factors by default, as `slice_clips`.

    `published` names rows of papers to show beside the models, as `published_rows`.
    """

    reference: str | None = None
    columns: Sequence[str] | None = None
    bins: int = 4
    min_n: int = 20
    draws: int = 2000
    seed: int = 0
    published: tuple[str, ...] = ()


DEFAULT = Options()


def run(collections: Sequence[Collection], options: Options = DEFAULT, among: Ids[str] | None = None) -> ComparisonReport:
    """Compare the models of collections of the same clips, by person where they are known, and slice by factors.

    Only the clips `among` these ids count, where they are given.

    Raises:
        InputError: no labels, and as `same_clips`, `compare`, `slice_clips`, `published_rows`.
    """
    for collection in collections:
        if not collection.has_labels:
            raise InputError(
                f"{collection.folder} was collected without labels, so nothing tells which model is better; how far they agree "
                "tells workbench agreement, or add a column label to the list and collect again"
            )
    clips = same_clips(collections)
    clips = clips if among is None else clips.among(among)
    papers = published_rows(options.published, clips.labels)
    result = compare_clips(clips, reference=options.reference, draws=options.draws, seed=options.seed)
    slices, searches, left_out = slice_clips(clips, options.columns, bins=options.bins, seed=options.seed, min_n=options.min_n)
    source = result.provenance.with_source(**clips.sources)
    return ComparisonReport(result, slices, searches, (*clips.notes, *result.notes, *left_out), source, papers)


def write(result: ComparisonReport, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the new folder `out`, all of it or nothing; returns its files.

    Pictures and tables of a pair, or of a model, carry its number, in the order of the JSON.

    Raises:
        InputError: `out` exists.
    """
    compared, report = result.comparison, result.to_dict()
    plain = report.pop("comparison") | {"caption": compared.caption} | report
    with new_folder(out) as folder:
        write_text(folder / "comparison.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        write_text(folder / "comparison.md", comparison_markdown(result))
        ForestDisplay.from_result(compared).save(folder / "differences.png", context=context)
        papers = {row.name: row.recalls.tolist() for row in result.published if len(row.recalls)}
        many = len(compared.label_names) > 2
        recalls: Display = RadarDisplay(compared.models, papers) if many else RecallDisplay(compared.models)
        recalls.save(folder / "recalls.png", context=context)
        for i in range(len(compared.pairs)):
            flips = FlipsDisplay.from_result(compared, i)
            _picture_and_table(flips, flips.table(), folder / f"flips_{i + 1}", context)
            confusion = ConfusionDifferenceDisplay.from_result(compared, i)
            confusion.save(folder / f"confusion_difference_{i + 1}.png", context=context)
        if result.slices is not None:
            slices = SliceDisplay.from_result(result.slices)
            _picture_and_table(slices, slices.table(), folder / "slices", context)
        for i, found in enumerate(result.searches.values(), start=1):
            search = SearchDisplay.from_result(found)
            _picture_and_table(search, search.table(), folder / f"bad_slices_{i}", context)
    return sorted(out.iterdir())


def _picture_and_table(display: Display, rows: list[dict[str, object]], stem: Path, context: Context) -> None:
    display.save(stem.with_suffix(".png"), context=context)
    write_text(stem.with_suffix(".csv"), csv_text(pd.DataFrame(rows)))


def compare_clips(clips: SameClips, *, reference: str | None = None, draws: int = 2000, seed: int = 0) -> ComparisonResult:
    """Compare models that were run over the same clips, by person where they are known; as `comparison.compare`."""
    return compare(
        clips.probs,
        clips.true,
        subjects(clips.table),
        label_names=clips.labels,
        clip_ids=list(clips.table["clip_id"]),
        reference=reference,
        n_boot=draws,
        seed=seed,
    )


def slice_clips(
    clips: SameClips, columns: Sequence[str] | None = None, *, bins: int = 4, seed: int = 0, min_n: int = 20
) -> tuple[SliceResult | None, dict[str, SearchResult], tuple[str, ...]]:
    """Slices by columns of the manifest (all factors by default), a search for bad ones per model, and what was left out.

    Raises:
        InputError: an unknown column, or columns that are named and cannot be sliced by.
    """
    notes = [note for note in renaming_notes(clips.table) if note not in clips.notes]
    if columns is None:
        factors = []
        for name in factor_columns(clips.table, clips.labels):
            try:
                levels(name, clips.table[name], len(clips.table), bins)
                factors.append(name)
            except InputError as error:
                notes.append(f"slices by {name}: {error}")  # nobody asked for this factor
    else:
        factors = _chosen(clips, columns)
    if not factors:
        return None, {}, (*notes, "slices: the manifest has no factor column with two values or more")
    groups = persons(clips.table)
    table = {name: clips.table[name] for name in factors}
    found = slice_metrics(clips.probs, clips.true, table, groups=groups, label_names=clips.labels, bins=bins, seed=seed)
    if 2 * min_n > len(clips.table):
        return found, {}, (*notes, f"search for bad slices: it needs {2 * min_n} clips or more, there are {len(clips.table)}")
    search = SearchOptions(bins=bins, min_n=min_n, seed=seed)
    try:
        searches = {
            name: bad_slices(p, clips.true, table, search, groups=groups, label_names=clips.labels)
            for name, p in clips.probs.items()
        }
    except InputError as error:
        if columns is not None:
            raise
        return found, {}, (*notes, f"search for bad slices: {error}")  # nobody asked for these factors
    return found, searches, tuple(notes)


def _chosen(clips: SameClips, columns: Sequence[str]) -> list[str]:
    """Columns of the manifest by the names that it gives them."""
    renamed = kept_as(columns, clips.labels)
    found = [renamed[name] if name in renamed and renamed[name] in clips.table else name for name in columns]
    ours = {*DERIVED, CONTENT, *probability_columns(clips.labels)}
    unknown = [name for name, column in zip(columns, found, strict=True) if column not in clips.table or column in ours]
    if unknown:
        known = ", ".join(factor_columns(clips.table, clips.labels)) or "none"
        raise InputError(f"unknown column {unknown[0]!r}; the factors are {known}")
    return found
