"""How the classes cluster, in the report: maps of the features, and of the stages of the network."""

from workbench.analysis.embedding.task import embedding_of
from workbench.figures.ifdd2_embedding import MapPanels, embedding_sheet
from workbench.figures.ous4_stages import stages_sheet
from workbench.figures.study import Study, stages_of
from workbench.report.parts import Chart, Options, Section, Table, chart
from workbench.results.interval import number_text


def section(study: Study, options: Options) -> Section:
    """Maps of the features, and of the stages of the network."""
    sheets: list[MapPanels] = [embedding_sheet(study, seed=options.seed)]
    stages = set(stages_of(study.bundles[study.main])) if study.main in study.bundles else set()
    if stages and stages <= set(study.collections[study.main].activation_names):
        sheets.append(stages_sheet(study, seed=options.seed))
    features = " and ".join(dict.fromkeys(embedding_of(study.collections[name]) for name in sheets[0].names))
    rows = [
        [
            f"{name}, {m.name}",
            m.space,
            *((str(m), "–") if m.reason else (number_text(m.value, ".3f"), number_text(m.null, ".3f"))),
            str(m.n),
            "–" if m.k is None else str(m.k),
        ]
        for name, found in zip(sheets[0].names, sheets[0].maps, strict=True)
        for m in found.measures
    ]
    parts: list[Table | Chart] = [chart(sheets[0], sheets[0].caption)]
    parts.append(
        Table(f"How far to trust the maps of {features}.", ["model, measure", "of", "value", "by chance", "n", "k"], rows)
    )
    parts += [chart(sheet, sheet.caption) for sheet in sheets[1:]]
    return Section("How do the classes cluster?", "Neighbours in a map are to be trusted as far as its figures say.", parts)
