"""Where models look, in the report: class activation maps, one clip a class, of each model."""

from ifdd.data.manifest import data_hash, read_manifest
from ifdd.errors import InputError
from workbench.analysis.saliency.verdicts import known_verdicts
from workbench.figures.ifdd2_maps import maps_sheet
from workbench.figures.study import Study
from workbench.report.parts import Chart, Options, Section, chart

MOST = 4
"""Models whose maps a report shows: each adds its pictures to the page, and its time."""


def section(study: Study, options: Options) -> Section:
    """Class activation maps of each model on the same clips, one a class; the main one first.

    `verdicts` is a report of faithfulness of the main one, by default that beside each card.
    Raises: InputError where no model has maps.
    """
    main = study.looked_into("a map")
    shown = data_hash(read_manifest(study.manifest))
    names = [main.name, *(name for name in study.bundles if name != main.name)]
    told = ["A map is a claim; workbench faithfulness tests it."]
    charts: list[Chart] = []
    for name in names[:MOST]:
        bundle, given = study.bundles[name], options.verdicts if name == main.name else None
        try:
            found = known_verdicts(bundle, given, shown) if options.badges else {}
            sheet = maps_sheet(study, verdicts=found, model=name)
        except InputError as error:
            told.append(f"{name} has no maps here: {error}.")
        else:
            charts.append(chart(sheet, sheet.caption))
    if not charts:
        raise InputError(" ".join(told[1:]))
    if len(names) > MOST:
        told.append(f"Of the first {MOST} models; {', '.join(names[MOST:])}: workbench saliency, or a report of their own.")
    return Section("Where does the model look?", " ".join(told), charts)
