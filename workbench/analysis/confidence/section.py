"""How sure each model is, in the report: densities and reliability."""

from workbench.analysis.confidence.densities import density
from workbench.analysis.confidence.displays.densities import CalibrationDisplay, ConfidenceDisplay
from workbench.analysis.confidence.reliability import calibration
from workbench.figures.study import Study
from workbench.report.parts import Options, Section, Table, also, chart
from workbench.store.tables import labelled


def section(study: Study, options: Options) -> Section:
    """Densities and reliability."""
    found = {name: density(*study.probs(name), study.labels, groups=study.people(name)) for name in study.collections}
    curves = {
        name: calibration(*study.probs(name), label_names=study.labels, groups=study.people(name)) for name in study.collections
    }
    notes = [f"{name}: {note}" for name in found for note in (*curves[name].notes, *found[name].notes)]
    rows = [
        [
            f"{name}, {item.name}",
            str(item.positives.n),
            str(item.negatives.n),
            _number(item.overlap),
            _number(item.overlap_null),
            "–" if item.separation is None else item.separation_interval.text(),
            _number(item.positives.bandwidth, 4),
            _number(item.negatives.bandwidth, 4),
        ]
        for name, result in found.items()
        for item in result.classes
    ]
    errors = [
        [
            name,
            f"{c.ece:.4f} [{c.ece_interval.low:.4f}, {c.ece_interval.high:.4f}]",
            f"{c.ece_null:.4f}",
            f"{c.classwise_ece.mean():.4f}",
            *(f"{v:.4f}" for v in c.classwise_ece),
        ]
        for name, c in curves.items()
    ]
    ids = list(study.clips["clip_id"])
    display = ConfidenceDisplay.from_result(found)
    same = all(list(labelled(c)["clip_id"]) == ids for c in study.collections.values())
    return Section(
        "How sure is each model?",
        f"p(class) of the clips of a class against that of all others, and whether sureness is earned.{also(notes)}",
        [
            chart(
                display,
                "One-vs-rest confidence: clips of the class in orange, all others in green; densities are reflected "
                "at 0 and 1 and drawn up to their own peak.",
                display.to_plotly(ids if same else None),
            ),
            Table(
                "Overlap: area under both densities. AUC: probability that a clip of the class gets more than another, with its "
                f"95 % interval {next(iter(found.values())).units}.",
                ["model, class", "clips", "others", "overlap", "its null", "AUC", "bandwidth", "of the others"],
                rows,
            ),
            chart(CalibrationDisplay.from_result(curves), "Reliability: accuracy over confidence in a bin, with 95 % intervals."),
            Table(
                "Expected calibration error of the winning class with 95 % interval, what a perfectly calibrated model "
                "would have of so many clips, and the error of every class.",
                ["model", "ECE", "of a perfect model", "classwise mean", *study.labels],
                errors,
            ),
        ],
    )


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
