"""The sections of a report that are of no concept: what was compared, the family of variants, and variants over scenes."""

from workbench.benchmark.displays.robustness import RobustnessDisplay
from workbench.benchmark.results import FamilyResult
from workbench.benchmark.scenes.display import ScenesDisplay
from workbench.benchmark.scenes.results import ScenesResult, cells, legend
from workbench.figures.ifdd3_table import VariantTable
from workbench.figures.study import Study
from workbench.report.parts import Options, Section, Table, chart
from workbench.results.passport import config_hash
from workbench.store.workspace import describe, test_data


def models(study: Study, options: Options) -> Section:
    """What was compared, on which clips."""
    rows = []
    for name, found in study.collections.items():
        sha256 = found.meta["checkpoint"]["sha256"][:16]
        if name not in study.bundles:
            rows.append([name, found.origin, "–", sha256, "–", "not said"])
            continue
        card, parameters = study.bundles[name].card, study.bundles[name].model.parameters()
        told = [describe(card), f"{sum(p.numel() for p in parameters):,}", sha256, config_hash(card)]
        rows.append([name, *told, test_data(card) or "not said"])
    counts = study.clips["label_name"].value_counts().reindex(list(study.labels), fill_value=0)
    about = study.collections[study.main].meta["data"]
    return Section(
        "Models and clips",
        f"Clips of {study.manifest}, hash {about['hash'][:16]}. Looked into: {study.main}.",
        [
            Table(
                "Checkpoints, and files of predictions; hashes are the first 16 digits.",
                ["model", "what it is", "parameters", "weights", "config", "tested by its card on"],
                rows,
            ),
            Table("Clips by class.", ["class", "clips"], [[str(name), str(n)] for name, n in counts.items()]),
        ],
    )


def variants(family: FamilyResult) -> Section:
    """The family's table and curves."""
    sheet = VariantTable(family)
    header, rows = sheet.cells()
    plain = [[f"{told} ({below})" if below else told for told, below in row] for row in rows]
    curves = RobustnessDisplay.from_result(family.robustness)
    return Section(
        "The family of variants",
        "Trained variants over the suites of ScriptedFaces.",
        [Table(sheet.caption, header, plain), chart(curves, "UAR by the share of irrelevant frames, and on the other suites.")],
    )


WHAT = (
    "UAR against ρ in the test: how far the scene's polarity goes with the emotion's. Bars: 95 % intervals over persons and "
    "seeds; dashed: fewer than three trainings. Compare variants of one backbone and start, that saw the same ρ in training."
)


def scenes(found: ScenesResult) -> Section:
    """UAR of trained variants against ρ, and how far each is helped, misled and led by the scene."""
    header, rows = cells(found)
    few = found.of(found.compared)
    of = (
        ""
        if len(few.rows) == len(found.rows)
        else f" The first {len(few.rows)} of {len(found.rows)} variants; the table has all."
    )
    curves = chart(ScenesDisplay.from_result(few), f"{WHAT}{of}")
    return Section(
        "Is the scene noise or signal?",
        "Trained variants over the same faces, whose scenes go with the emotion by one ρ after the other.",
        [curves, Table(legend(found), header, rows)],
    )
