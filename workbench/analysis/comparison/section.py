"""Which model is better, in the report and in the app: paired differences, flips, slices."""

from workbench.analysis.comparison.displays.pairs import ConfusionDifferenceDisplay, FlipsDisplay, ForestDisplay, p_text
from workbench.analysis.comparison.displays.slices import SliceDisplay
from workbench.analysis.comparison.results import ComparisonResult
from workbench.analysis.comparison.task import compare_clips, slice_clips
from workbench.figures.study import Study
from workbench.report.parts import Chart, Options, Section, Table, also, chart
from workbench.results.interval import Interval
from workbench.store.workspace import across_families

FLIPS = 200
"""Clips that flip which a page lists; the counts are of all."""


def section(study: Study, options: Options) -> Section:
    """Paired differences, flips, slices."""
    many = len(study.collections) > 3
    plain = (name for name, found in study.collections.items() if "split" not in found.capabilities)
    reference = next(plain, next(iter(study.collections)))
    clips = study.same
    result = compare_clips(clips, reference=reference if many else None)
    rows = [
        [
            pair.name,
            _points(pair.war),
            p_text(result, pair, "WAR"),
            _points(pair.uar),
            p_text(result, pair, "UAR"),
            ", ".join("–" if v != v else f"{100 * v:.1f}" for v in (pair.detectable_war, pair.detectable_uar)),
            f"{pair.only_second}, {pair.only_first}",
        ]
        for pair in result.pairs
    ]
    parts: list[Table | Chart] = [
        Table(
            f"{result.caption}. Detectable: the difference found with 80 % probability at the 5 % level (–: none)."
            f"{also(result.notes)}",
            ["difference, points of percent", "WAR", "p of WAR", "UAR", "p of UAR", "detectable WAR, UAR", "gained, lost"],
            rows,
        ),
        chart(
            ForestDisplay.from_result(result),
            "Paired differences with 95 % intervals; read a difference against what such clips can show at all.",
        ),
    ]
    for i, pair in enumerate(result.pairs):
        flips = FlipsDisplay.from_result(result, i)
        parts += [
            chart(
                ConfusionDifferenceDisplay.from_result(result, i),
                f"Confusion, {pair.name}: better where the diagonal is positive.",
            ),
            chart(flips, f"Clips that flip, {pair.name}, by true class."),
            _flips(result, i),
        ]
    slices, _, left_out = slice_clips(clips)
    if slices is not None:
        parts.append(chart(SliceDisplay.from_result(slices), "WAR by factor, with what the classes there explain."))
    told = across_families(bundle.card for bundle in study.bundles.values())
    about = f"The same {result.n} clips by each model.{also([*told, *clips.notes, *left_out])}"
    return Section("Which model is better, and where?", about, parts)


def _flips(result: ComparisonResult, i: int) -> Table:
    rows = FlipsDisplay.from_result(result, i).table()
    header = list(rows[0]) if rows else ["clip_id", "kind", "true"]
    cells = [[f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows[:FLIPS]]
    more = f" The first {FLIPS} of {len(rows)} are listed." if len(rows) > FLIPS else ""
    return Table(f"Clips that flip, {result.pairs[i].name}, the largest change first: {len(rows)}.{more}", header, cells)


def _points(item: Interval) -> str:
    return item.text("+.1f", 100)
