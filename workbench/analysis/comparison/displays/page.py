"""A comparison as a page of tables."""

from ifdd.plain import markdown_line
from workbench.analysis.comparison.displays.pairs import p_text
from workbench.analysis.comparison.displays.slices import SearchDisplay
from workbench.analysis.comparison.results import ComparisonReport
from workbench.results.interval import Interval


def comparison_markdown(report: ComparisonReport) -> str:
    """The comparison as tables: each model, each pair, what a search found."""
    result = report.comparison
    lines = ["# Comparison", "", f"{markdown_line(result.caption)}.", "", "| model | WAR | UAR |", "| --- | --- | --- |"]
    lines += [f"| {markdown_line(name)} | {m.war} | {m.uar} |" for name, m in result.models.items()]
    lines += [f"| {markdown_line(row.name)} (published) | {row.war} * | {100 * row.uar:.1f} % |" for row in report.published]
    if report.published:
        rows = "; ".join(markdown_line(row.caption) for row in report.published)
        lines += [
            "",
            f"Published rows are of another protocol and not of these clips: {rows}. They are in no test. "
            "\\* Binomial, from the official number of test clips; what they were chosen on is not known.",
        ]
    lines += ["", "| difference | WAR | p | UAR | p | detectable WAR, UAR | gained, lost |", "| --- |" + " --- |" * 6]
    for pair in result.pairs:
        cells = [
            markdown_line(pair.name),
            _difference(pair.war),
            p_text(result, pair, "WAR"),
            _difference(pair.uar),
            p_text(result, pair, "UAR"),
            f"{_points(pair.detectable_war)}, {_points(pair.detectable_uar)}",
            f"{pair.only_second}, {pair.only_first}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    undetectable = any(value != value for pair in result.pairs for value in (pair.detectable_war, pair.detectable_uar))
    dash = " (–: none, or not known from so few clips or differences)" if undetectable else ""
    lines += ["", f"Differences in points of percent. Detectable: found with 80 % probability at the 5 % level{dash}."]
    for name, search in report.searches.items():
        lines += [
            "",
            f"## Slices where {markdown_line(name)} is worse",
            "",
            markdown_line(SearchDisplay.from_result(search).caption) + ".",
        ]
        if search.found:
            lines += ["", "| slice | clips | WAR | expected | p, corrected |", "| --- | --- | --- | --- | --- |"]
            lines += [
                f"| {markdown_line(s.name)} | {s.n} | {s.war} | {100 * s.expected:.1f} % | {s.p_adjusted:.3f} |"
                for s in search.found
            ]
    if report.notes:
        lines += ["", "Notes:", "", *(f"- {markdown_line(note)}" for note in report.notes)]
    return "\n".join(lines) + "\n"


def _points(share: float) -> str:
    return "–" if share != share else f"{100 * share:.1f}"  # NaN is not itself


def _difference(item: Interval) -> str:
    return item.text("+.1f", 100)
