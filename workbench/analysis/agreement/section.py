"""Do the models say the same, in the report and in the app: each two, right or wrong."""

from workbench.analysis.agreement.displays import AgreementDisplay, rows, said
from workbench.analysis.agreement.task import run
from workbench.figures.study import Study
from workbench.report.parts import Chart, Options, Section, Table, also, chart

DIFFERENCES = 200
"""Clips with differing predictions which a page lists; the counts are of all."""


def section(study: Study, options: Options) -> Section:
    """Share called alike, kappa, and the clips that are called differently."""
    result = run(list(study.collections.values()))
    pairs, clips = rows(result), said(result)
    more = f" The first {DIFFERENCES} are listed." if len(clips) > DIFFERENCES else ""
    parts: list[Table | Chart] = [
        Table(f"{result.caption}.{also(result.notes)}", list(pairs[0]), [list(row.values()) for row in pairs]),
        *(
            chart(AgreementDisplay.from_result(result, i), f"What {pair.first} (rows) and {pair.second} (columns) say, in clips.")
            for i, pair in enumerate(result.pairs)
        ),
        Table(
            f"Clips that two models call differently: {len(clips)} of {len(result.clip_ids)}.{more}",
            ["clip_id", *result.predicted],
            [list(row.values()) for row in clips[:DIFFERENCES]],
        ),
    ]
    about = "The same clips by each model. What two models both say may still be wrong; labels are not asked."
    return Section("Do the models say the same?", about, parts)
