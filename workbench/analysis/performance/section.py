"""How good each model is, in the report: WAR, UAR, recalls, confusion."""

from workbench.analysis.performance.displays.radar import RadarDisplay
from workbench.analysis.performance.displays.scores import ConfusionDisplay, RecallDisplay
from workbench.analysis.performance.published import published_rows
from workbench.figures.study import Study
from workbench.report.parts import Chart, Options, Section, Table, also, chart


def section(study: Study, options: Options) -> Section:
    """WAR, UAR, recalls, confusion."""
    found = study.metrics()
    kept = [f"{name}: {note}" for name in found for note in study.collections[name].notes]
    notes = [*kept, *dict.fromkeys(note for result in found.values() for note in result.notes)]
    rows = [
        [name, f"{r.war}", f"{r.uar}", r.detectable, r.constant_class, _percent(r.constant_war), _percent(r.constant_uar)]
        for name, r in found.items()
    ]
    recalls = [
        [item.name, str(item.n), *(f"{result.recalls[c].recall}" if item.n else "–" for result in found.values())]
        for c, item in enumerate(next(iter(found.values())).recalls)
    ]
    papers = published_rows(options.published, study.labels)
    rows += [[f"{row.name} (published)", f"{row.war}", _percent(row.uar), *["–"] * 4] for row in papers]
    if papers:
        about = "; ".join(row.caption for row in papers)
        notes.append(f"published rows are of another protocol and not of these clips, with a binomial interval of ours: {about}")
    units = next(iter(found.values())).units
    parts: list[Table | Chart] = [
        Table(
            f"Accuracy (WAR) and mean recall (UAR) with 95 % intervals {units}; what always answering with one "
            f"class would reach. Smaller differences than the detectable ones, in points of WAR and UAR, cannot be seen with so "
            f"many clips (80 % power) where only the other score is known; models on the same clips are compared clip by clip."
            f"{also(notes)}",
            ["model", "WAR", "UAR", "detectable", "always", "its WAR", "its UAR"],
            rows,
        ),
        chart(RecallDisplay.from_result(found), "Recall of each class, WAR and UAR, with 95 % intervals."),
        Table("Recall of each class with 95 % intervals.", ["class", "clips", *found], recalls),
    ]
    if len(study.labels) > 2:
        radar = RadarDisplay.from_result(found, {row.name: row.recalls.tolist() for row in papers if len(row.recalls)})
        parts.append(chart(radar, radar.caption, radar.to_plotly().update_layout(title=None, margin_t=40)))
    parts += [chart(ConfusionDisplay.from_result(r), f"Confusion of {name}. {r.caption}.") for name, r in found.items()]
    return Section("How good is each model?", "Shares of the labelled clips; a per-class figure is recall.", parts)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
