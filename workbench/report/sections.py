"""The sections of a report: each turns a study into tables and charts by the analyses that the command line uses."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ifdd.data.manifest import data_hash, read_manifest
from workbench.analysis.comparison.displays.pairs import ConfusionDifferenceDisplay, FlipsDisplay, ForestDisplay, p_text
from workbench.analysis.comparison.displays.slices import SliceDisplay
from workbench.analysis.comparison.results import ComparisonResult
from workbench.analysis.comparison.task import compare_clips, slice_clips
from workbench.analysis.confidence.densities import density
from workbench.analysis.confidence.displays.densities import CalibrationDisplay, ConfidenceDisplay
from workbench.analysis.confidence.reliability import calibration
from workbench.analysis.embedding.task import embedding_of, vectors
from workbench.analysis.faithfulness.verdicts import known_verdicts
from workbench.analysis.performance.displays.radar import RadarDisplay
from workbench.analysis.performance.displays.scores import ConfusionDisplay, RecallDisplay
from workbench.analysis.splits.displays.schematic import SplitSchematicDisplay
from workbench.analysis.splits.displays.timeline import SplitTimelineDisplay
from workbench.analysis.splits.inspection import from_activations, split_activations
from workbench.analysis.splits.places import occupancy
from workbench.analysis.splits.task import split_of_clip
from workbench.benchmark.displays.robustness import RobustnessDisplay
from workbench.benchmark.results import FamilyResult
from workbench.figures.ifdd2_embedding import MapPanels, embedding_sheet
from workbench.figures.ifdd2_maps import maps_sheet
from workbench.figures.ifdd3_table import VariantTable
from workbench.figures.ifdd3_variants import variants_sheet
from workbench.figures.ous4_stages import stages_sheet
from workbench.figures.study import Study, stages_of
from workbench.report.page import Chart, Section, Table, chart
from workbench.results.interval import Interval
from workbench.results.passport import config_hash
from workbench.store.tables import labelled, persons
from workbench.store.workspace import describe, test_data

FLIPS = 200
"""Clips that flip which a page lists; the counts are of all."""


def models(study: Study) -> Section:
    """What was compared, on which clips."""
    rows = [
        [
            name,
            describe(b.card),
            f"{sum(p.numel() for p in b.model.parameters()):,}",
            b.card.sha256[:16],
            config_hash(b.card),
            test_data(b.card) or "not said",
        ]
        for name, b in study.bundles.items()
    ]
    counts = study.clips["label_name"].value_counts().reindex(list(study.labels), fill_value=0)
    about = study.collections[study.main].meta["data"]
    return Section(
        "Models and clips",
        f"Clips of {study.manifest}, hash {about['hash'][:16]}. Looked into: {study.main}.",
        [
            Table(
                "Checkpoints; hashes are the first 16 digits.",
                ["model", "what it is", "parameters", "weights", "config", "tested by its card on"],
                rows,
            ),
            Table("Clips by class.", ["class", "clips"], [[str(name), str(n)] for name, n in counts.items()]),
        ],
    )


def metrics(study: Study) -> Section:
    """WAR, UAR, recalls, confusion."""
    found = study.metrics()
    kept = [f"{name}: {note}" for name in found for note in study.collections[name].notes]
    notes = [*kept, *dict.fromkeys(note for result in found.values() for note in result.notes)]
    rows = [
        [name, f"{r.war}", f"{r.uar}", r.constant_class, _percent(r.constant_war), _percent(r.constant_uar)]
        for name, r in found.items()
    ]
    recalls = [
        [item.name, str(item.n), *(f"{result.recalls[c].recall}" if item.n else "–" for result in found.values())]
        for c, item in enumerate(next(iter(found.values())).recalls)
    ]
    units = next(iter(found.values())).units
    parts: list[Table | Chart] = [
        Table(
            f"Accuracy (WAR) and mean recall (UAR) with 95 % intervals {units}; what always answering with one "
            f"class would reach.{_also(notes)}",
            ["model", "WAR", "UAR", "always", "its WAR", "its UAR"],
            rows,
        ),
        chart(RecallDisplay.from_result(found), "Recall of each class, WAR and UAR, with 95 % intervals."),
        Table("Recall of each class with 95 % intervals.", ["class", "clips", *found], recalls),
    ]
    if len(study.labels) > 2:
        radar = RadarDisplay.from_result(found)
        parts.append(chart(radar, radar.caption, radar.to_plotly().update_layout(title=None, margin_t=40)))
    parts += [chart(ConfusionDisplay.from_result(r), f"Confusion of {name}. {r.caption}.") for name, r in found.items()]
    return Section("How good is each model?", "Shares of the labelled clips; a per-class figure is recall.", parts)


def comparison(study: Study) -> Section:
    """Paired differences, flips, slices."""
    many = len(study.bundles) > 3
    reference = next((n for n, b in study.bundles.items() if "split" not in b.model.capabilities), next(iter(study.bundles)))
    clips = study.same
    result = compare_clips(clips, reference=reference if many else None)
    rows = [
        [
            pair.name,
            _points(pair.war),
            p_text(result, pair, "WAR"),
            _points(pair.uar),
            p_text(result, pair, "UAR"),
            ", ".join("–" if v != v else f"{100 * v:.1f}" for v in (pair.detectable_war, pair.detectable_uar)),
            f"{pair.only_second}, {pair.only_first}",
        ]
        for pair in result.pairs
    ]
    parts: list[Table | Chart] = [
        Table(
            f"{result.caption}. Detectable: the difference found with 80 % probability at the 5 % level (–: none)."
            f"{_also(result.notes)}",
            ["difference, points of percent", "WAR", "p", "UAR", "p", "detectable WAR, UAR", "gained, lost"],
            rows,
        ),
        chart(
            ForestDisplay.from_result(result),
            "Paired differences with 95 % intervals; read a difference against what such clips can show at all.",
        ),
    ]
    for i, pair in enumerate(result.pairs):
        flips = FlipsDisplay.from_result(result, i)
        parts += [
            chart(
                ConfusionDifferenceDisplay.from_result(result, i),
                f"Confusion, {pair.name}: better where the diagonal is positive.",
            ),
            chart(flips, f"Clips that flip, {pair.name}, by true class."),
            _flips(result, i),
        ]
    slices, _, left_out = slice_clips(clips)
    if slices is not None:
        parts.append(chart(SliceDisplay.from_result(slices), "WAR by factor, with what the classes there explain."))
    about = f"The same {result.n} clips by each model.{_also([*clips.notes, *left_out])}"
    return Section("Which model is better, and where?", about, parts)


def confidence(study: Study) -> Section:
    """Densities and reliability."""
    found = {name: density(*study.probs(name), study.labels) for name in study.collections}
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
            _number(item.separation),
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
        f"p(class) of the clips of a class against that of all others, and whether sureness is earned.{_also(notes)}",
        [
            chart(
                display,
                "One-vs-rest confidence: clips of the class in orange, all others in green; densities are reflected "
                "at 0 and 1 and drawn up to their own peak.",
                display.to_plotly(ids if same else None),
            ),
            Table(
                "Overlap: area under both densities. AUC: probability that a clip of the class gets more than another.",
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


def embeddings(study: Study, seed: int = 0) -> Section:
    """Maps of the features, and of the stages of the network."""
    sheets: list[MapPanels] = [embedding_sheet(study, seed=seed)]
    if set(stages_of(study.bundles[study.main])) <= set(study.collections[study.main].activation_names):
        sheets.append(stages_sheet(study, seed=seed))
    features = embedding_of(next(iter(study.collections.values())))
    rows = [
        [
            f"{name}, {m.name}",
            m.space,
            *((str(m), "–") if m.reason else (f"{m.value:.3f}", f"{m.null:.3f}")),
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


def splits(study: Study) -> Section:
    """Where each group reads, for all clips and for one."""
    sheet = variants_sheet(study)
    twin: SplitSchematicDisplay = sheet.twin
    parts: list[Table | Chart] = [chart(twin, sheet.caption)]
    steps, shares = [], []
    for name, bundle in study.bundles.items():
        if "split" not in bundle.model.capabilities:
            continue
        one = split_of_clip(bundle, study.manifest, sheet.clip_id)
        timeline = SplitTimelineDisplay.from_result(one.split, thumbnails=one.frames)
        parts.append(chart(timeline, f"{name}, clip {one.clip_id}: where each step begins (circle) and reads (triangle)."))
        table = labelled(study.collections[name])
        kept, rows = study.collections[name], table["row"].to_numpy()
        places = {what: told for what, told in split_activations(kept).items() if what.startswith(("position", "sample"))}
        cache = {what: torch.from_numpy(np.array(vectors(kept, told))[rows]) for what, told in places.items()}
        start = {
            g: torch.from_numpy(one.split.both("initial")[:, i * (n := one.split.initial_S.shape[1]) : (i + 1) * n])
            for i, g in enumerate("SD")
        }
        every = from_activations(cache, {g: value.expand(len(table), -1) for g, value in start.items()}, one.split.frames)
        for group in ("D", "S"):
            read, asked = every.input_frames()[group], getattr(every, f"offset_{group}")
            steps += [
                [
                    f"{name}, {group} {k + 1}",
                    f"{start[group][0, k]:.1f}",
                    f"{asked[:, k].mean():+.2f} ± {asked[:, k].std():.2f}",
                    f"{read[:, k].mean():.2f} ± {read[:, k].std():.2f}",
                ]
                for k in range(read.shape[1])
            ]
        found = occupancy(every.weights_D, every.weights_S, table["label"], study.labels, groups=persons(table))
        share = found.class_share
        shares.append([name, f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]", f"{found.class_null:.3f}"])
    parts += [
        Table(
            "Steps over all clips, mean ± standard deviation.",
            ["model, step", "initial index, feature frames", "offset, feature frames", "read, clip frames"],
            steps,
        ),
        Table(
            "Share of the variance of D's reading weight minus S's that lies between classes, with 95 % intervals; the null "
            "deals labels and persons anew.",
            ["model", "between classes", "with shuffled labels"],
            shares,
        ),
    ]
    return Section("What do the splits do?", "Places that do not vary with the clip do not follow its content.", parts)


def maps(study: Study, verdicts: Path | None = None, badges: bool = True) -> Section:
    """Class activation maps, one clip a class; `verdicts` of a report of faithfulness, by default the one beside the card."""
    shown = data_hash(read_manifest(study.manifest))
    found = known_verdicts(study.bundles[study.main], verdicts, shown) if badges else {}
    sheet = maps_sheet(study, verdicts=found)
    return Section(
        "Where does the model look?", "A map is a claim; workbench faithfulness tests it.", [chart(sheet, sheet.caption)]
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


def _flips(result: ComparisonResult, i: int) -> Table:
    rows = FlipsDisplay.from_result(result, i).table()
    header = list(rows[0]) if rows else ["clip_id", "kind", "true"]
    cells = [[f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows[:FLIPS]]
    more = f" The first {FLIPS} of {len(rows)} are listed." if len(rows) > FLIPS else ""
    return Table(f"Clips that flip, {result.pairs[i].name}, the largest change first: {len(rows)}.{more}", header, cells)


def _points(item: Interval) -> str:
    return item.text("+.1f", 100)


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _also(notes: Sequence[str]) -> str:
    told = "; ".join(notes)
    return f" {told[0].upper()}{told[1:]}." if told else ""
