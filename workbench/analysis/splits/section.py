"""What the splits do, in the report and in the app: where each group reads, for all clips and for one."""

import numpy as np

from workbench.analysis.splits.displays.schematic import SplitSchematicDisplay
from workbench.analysis.splits.displays.timeline import SplitTimelineDisplay
from workbench.analysis.splits.places import occupancy
from workbench.analysis.splits.task import split_in, split_of_clip
from workbench.figures.ifdd3_variants import variants_sheet
from workbench.figures.study import Study
from workbench.report.parts import Chart, Options, Section, Table, chart
from workbench.results.interval import number_text
from workbench.store.tables import persons, usable


def section(study: Study, options: Options) -> Section:
    """Where each group reads, for all clips and for one."""
    sheet = variants_sheet(study)
    twin: SplitSchematicDisplay = sheet.twin
    parts: list[Table | Chart] = [chart(twin, f"{sheet.about}.")]
    steps, shares = [], []
    for name, bundle in study.bundles.items():
        if "split" not in bundle.model.capabilities:
            continue
        one = split_of_clip(bundle, study.manifest, sheet.clip_id)
        timeline = SplitTimelineDisplay.from_result(one.split, thumbnails=one.frames)
        parts.append(chart(timeline, f"{name}, clip {one.clip_id}: where each step begins (circle) and reads (triangle)."))
        table = usable(study.collections[name])
        kept, start = study.collections[name], {g: getattr(one.split, f"initial_{g}") for g in "SD"}
        every = split_in(kept, one, table["row"].to_numpy())
        for group in ("D", "S"):
            read, asked = every.input_frames()[group], getattr(every, f"offset_{group}")
            steps += [
                [
                    f"{name}, {group} {k + 1}",
                    f"{start[group][0, k]:.1f}",
                    f"{number_text(asked[:, k].mean(), '+.2f')} ± {asked[:, k].std():.2f}",
                    f"{read[:, k].mean():.2f} ± {read[:, k].std():.2f}",
                ]
                for k in range(read.shape[1])
            ]
        classes = table["label" if kept.has_labels else "prediction"]
        found = occupancy(every.weights_D, every.weights_S, classes, study.labels, groups=persons(table))
        null = "–" if np.isnan(found.class_null) else f"{found.class_null:.3f}"
        shares.append([name, found.class_share.text(".3f"), null])
    labelled = all(collection.has_labels for collection in study.collections.values())
    by = "" if labelled else " as the model predicts them, since the clips have no labels"
    parts += [
        Table(
            "Steps over all clips, mean ± standard deviation.",
            ["model, step", "initial index, feature frames", "offset, feature frames", "read, clip frames"],
            steps,
        ),
        Table(
            f"Share of the variance of D's reading weight minus S's that lies between classes{by}, with 95 % intervals; the null "
            "deals labels and persons anew.",
            ["model", "between classes", "with shuffled labels"],
            shares,
        ),
    ]
    return Section("What do the splits do?", "Places that do not vary with the clip do not follow its content.", parts)
