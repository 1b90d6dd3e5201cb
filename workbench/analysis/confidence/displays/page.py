"""Calibration as a page of tables."""

from ifdd.plain import markdown_line
from workbench.analysis.confidence.results import CalibrationReport
from workbench.results.interval import Interval


def calibration_markdown(report: CalibrationReport) -> str:
    """Calibration as tables: the errors, the bins of each curve, how far each class is told from the others."""
    curves, notes = report.curves, dict.fromkeys(report.notes)
    lines = ["# Calibration"]
    for caption in report.captions:
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
    for item in report.confidence.classes:
        overlap = "–" if item.overlap is None else f"{item.overlap:.2f} ({item.overlap_null:.2f})"
        apart = "–" if item.separation is None else item.separation_interval.text()
        lines.append(f"| {markdown_line(item.name)} | {item.positives.n}, {item.negatives.n} | {overlap} | {apart} |")
    units = report.confidence.units
    lines += ["", f"Overlap of the densities of both sides; AUC with 95 % intervals {units}; –: too few clips, or equal values."]
    if notes:
        lines += ["", "Notes:", "", *(f"- {markdown_line(note)}" for note in notes)]
    return "\n".join(lines) + "\n"
