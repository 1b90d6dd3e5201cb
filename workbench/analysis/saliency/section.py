"""Where the model looks, in the report: class activation maps, one clip a class."""

from ifdd.data.manifest import data_hash, read_manifest
from workbench.analysis.saliency.verdicts import known_verdicts
from workbench.figures.ifdd2_maps import maps_sheet
from workbench.figures.study import Study
from workbench.report.parts import Options, Section, chart


def section(study: Study, options: Options) -> Section:
    """Class activation maps, one clip a class; `verdicts` of a report of faithfulness, by default the one beside the card."""
    shown = data_hash(read_manifest(study.manifest))
    found = known_verdicts(study.looked_into("a map"), options.verdicts, shown) if options.badges else {}
    sheet = maps_sheet(study, verdicts=found)
    return Section(
        "Where does the model look?", "A map is a claim; workbench faithfulness tests it.", [chart(sheet, sheet.caption)]
    )
