"""What `workbench compare` and `workbench calibrate` write and print."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ifdd.io import new_folder, write_text
from ifdd.plain import markdown_line
from workbench.analysis.comparison.displays.pairs import ConfusionDifferenceDisplay, FlipsDisplay, ForestDisplay, p_text
from workbench.analysis.comparison.displays.slices import SearchDisplay, SliceDisplay
from workbench.analysis.comparison.results import ComparisonResult, SearchResult, SliceResult
from workbench.analysis.comparison.task import SameClips, scale_collections, vote_ambiguity
from workbench.analysis.confidence import ConfidenceResult
from workbench.analysis.confidence.densities import density
from workbench.analysis.confidence.displays.densities import CalibrationDisplay, ConfidenceDisplay
from workbench.analysis.confidence.displays.votes import AmbiguityDisplay
from workbench.analysis.confidence.reliability import calibration
from workbench.analysis.confidence.results import Binning, CalibrationResult
from workbench.analysis.performance.displays.radar import RadarDisplay
from workbench.analysis.performance.displays.scores import RecallDisplay
from workbench.plotting.base import Display
from workbench.results.interval import Interval
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collection import Collection
from workbench.store.tables import labelled, subjects


def write_comparison(
    result: ComparisonResult,
    clips: SameClips,
    slices: SliceResult | None,
    searches: dict[str, SearchResult],
    notes: Sequence[str],
    out: Path,
    context: Context = PYTHON_CALL,
) -> tuple[str, str]:
    """Write comparison.json, comparison.md, tables and pictures to a new folder; returns the JSON and the Markdown.

    Pictures and tables of a pair, or of a model, carry its number, in the order of the JSON.
    Raises: InputError if `out` exists.
    """
    told = [*clips.notes, *result.notes, *notes]
    source = result.provenance.with_source(**clips.sources)
    plain = result.to_dict() | {
        "caption": result.caption,
        "notes": told,
        "provenance": source.to_dict(),
        "slices": slices.to_dict() if slices else None,
        "searches": {name: search.to_dict() for name, search in searches.items()},
    }
    text = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    page = comparison_markdown(result, searches, told)
    with new_folder(out) as folder:
        write_text(folder / "comparison.json", text)
        write_text(folder / "comparison.md", page)
        ForestDisplay.from_result(result).save(folder / "differences.png", context=context)
        recalls: Display = RadarDisplay(result.models) if len(result.label_names) > 2 else RecallDisplay(result.models)
        recalls.save(folder / "recalls.png", context=context)
        for i in range(len(result.pairs)):
            flips = FlipsDisplay.from_result(result, i)
            flips.save(folder / f"flips_{i + 1}.png", context=context)
            pd.DataFrame(flips.table()).to_csv(folder / f"flips_{i + 1}.csv", index=False)
            ConfusionDifferenceDisplay.from_result(result, i).save(folder / f"confusion_difference_{i + 1}.png", context=context)
        if slices:
            display = SliceDisplay.from_result(slices)
            display.save(folder / "slices.png", context=context)
            pd.DataFrame(display.table()).to_csv(folder / "slices.csv", index=False)
        for i, search in enumerate(searches.values(), start=1):
            found = SearchDisplay.from_result(search)
            found.save(folder / f"bad_slices_{i}.png", context=context)
            pd.DataFrame(found.table()).to_csv(folder / f"bad_slices_{i}.csv", index=False)
    return text, page


def comparison_markdown(result: ComparisonResult, searches: dict[str, SearchResult], notes: Sequence[str]) -> str:
    """The comparison as tables: each model, each pair, what a search found."""
    lines = ["# Comparison", "", f"{markdown_line(result.caption)}.", "", "| model | WAR | UAR |", "| --- | --- | --- |"]
    lines += [f"| {markdown_line(name)} | {m.war} | {m.uar} |" for name, m in result.models.items()]
    lines += ["", "| difference | WAR | p | UAR | p | detectable WAR, UAR | gained, lost |", "| --- |" + " --- |" * 6]
    for pair in result.pairs:
        p_war, p_uar = (p_text(result, pair, what) for what in ("WAR", "UAR"))
        found = ", ".join(_points(value) for value in (pair.detectable_war, pair.detectable_uar))
        counts = f"{pair.only_second}, {pair.only_first}"
        cells = [markdown_line(pair.name), _difference(pair.war), p_war, _difference(pair.uar), p_uar, found, counts]
        lines.append(f"| {' | '.join(cells)} |")
    undetectable = any(value != value for pair in result.pairs for value in (pair.detectable_war, pair.detectable_uar))
    dash = " (–: none, or not known from so few clips or differences)" if undetectable else ""
    lines += ["", f"Differences in points of percent. Detectable: found with 80 % probability at the 5 % level{dash}."]
    for name, search in searches.items():
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
    if notes:
        lines += ["", "Notes:", "", *(f"- {markdown_line(note)}" for note in notes)]
    return "\n".join(lines) + "\n"


def write_calibration(
    test: Collection,
    validation: Collection | None,
    out: Path,
    bins: int | None = None,
    seed: int = 0,
    binning: Binning | None = None,
    context: Context = PYTHON_CALL,
) -> tuple[str, str]:
    """Write calibration.json, calibration.md, reliability.png, confidence.png, and with votes ambiguity.png, to a new folder.

    Returns the JSON and the Markdown. With `validation`, a temperature is fitted there and judged on `test`.
    Raises: InputError if `out` exists, and as `scale_collections`, `vote_ambiguity`.
    """
    table = labelled(test)
    probs = test.probs[table["row"].to_numpy()]
    confidence = density(probs, table["label"], test.labels)
    before = calibration(probs, table["label"], bins, test.labels, binning=binning, groups=subjects(table), seed=seed)
    curves, notes = {"as it is": before}, [*test.notes, *before.notes, *confidence.notes]
    plain: dict[str, object] = {"caption": before.caption}
    lines = [before.caption]
    if validation is not None:
        scaled, told = scale_collections(validation, test, bins, binning=binning, seed=seed)
        curves = {"before": scaled.before, f"after, T = {scaled.temperature:.2f}": scaled.after}
        plain["scaling"] = scaled.to_dict()
        lines.append(scaled.caption)
        notes += told
    votes = vote_ambiguity(test, seed)
    if votes is not None:
        plain["ambiguity"] = votes.to_dict()
        lines.append(votes.caption)
        notes += votes.notes
    source = before.provenance.with_source(checkpoint=test.meta["checkpoint"]["sha256"], name=test.meta["checkpoint"]["name"])
    plain |= {"calibration": before.to_dict(), "confidence": confidence.table, "notes": notes, "provenance": source.to_dict()}
    text = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    page = calibration_markdown(curves, confidence, lines, list(dict.fromkeys(notes)))
    with new_folder(out) as folder:
        write_text(folder / "calibration.json", text)
        write_text(folder / "calibration.md", page)
        CalibrationDisplay.from_result(curves).save(folder / "reliability.png", context=context)
        ConfidenceDisplay.from_result(confidence).save(folder / "confidence.png", context=context)
        if votes is not None:
            AmbiguityDisplay.from_result(votes).save(folder / "ambiguity.png", context=context)
    return text, page


def calibration_markdown(
    curves: Mapping[str, CalibrationResult], confidence: ConfidenceResult, captions: Sequence[str], notes: Sequence[str]
) -> str:
    """Calibration as tables: the errors, the bins of each curve, how far each class is told from the others."""
    lines = ["# Calibration"]
    for caption in captions:
        lines += ["", f"{markdown_line(caption)}."]
    lines += ["", "| probabilities | ECE | of a perfect model | mean over classes |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {markdown_line(name)} | {c.ece_interval.text('.3f')} | {c.ece_null:.3f} | {c.classwise_ece.mean():.3f} |"
        for name, c in curves.items()
    ]
    for name, c in curves.items():
        lines += ["", f"## Bins of confidence, {markdown_line(name)}", ""]
        lines += ["| confidence | clips | mean confidence | accuracy |", "| --- | --- | --- | --- |"]
        for i, n in enumerate(c.counts):
            edges = f"{c.edges[i]:.3f} – {c.edges[i + 1]:.3f}"
            if n:
                right = Interval(c.accuracy[i], *c.accuracy_bounds[i])
                lines.append(f"| {edges} | {n} | {c.mean_confidence[i]:.3f} | {right} |")
            else:
                lines.append(f"| {edges} | 0 | – | – |")
    lines += ["", "## Classes", "", "| class | clips of it, others | overlap (null) | AUC |", "| --- | --- | --- | --- |"]
    for item in confidence.classes:
        overlap = "–" if item.overlap is None else f"{item.overlap:.2f} ({item.overlap_null:.2f})"
        apart = "–" if item.separation is None else f"{item.separation:.2f}"
        lines.append(f"| {markdown_line(item.name)} | {item.positives.n}, {item.negatives.n} | {overlap} | {apart} |")
    lines += ["", "Overlap of the densities of both sides; –: too few clips, or equal values."]
    if notes:
        lines += ["", "Notes:", "", *(f"- {markdown_line(note)}" for note in notes)]
    return "\n".join(lines) + "\n"


def _points(share: float) -> str:
    return "–" if share != share else f"{100 * share:.1f}"  # NaN is not itself


def _difference(item: Interval) -> str:
    return item.text("+.1f", 100)
