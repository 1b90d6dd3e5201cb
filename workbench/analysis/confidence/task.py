"""From collections to what is known of a model's confidence, and the files that `workbench calibrate` writes.

<out>/  calibration.json   calibration.md   reliability.png   confidence.png   with votes also ambiguity.png
"""

import json
from collections.abc import Collection as Ids
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.manifest import VOTES
from ifdd.data.persons import person_ids
from ifdd.errors import InputError
from ifdd.io import new_folder, write_text
from workbench.analysis.confidence.densities import density
from workbench.analysis.confidence.displays.densities import CalibrationDisplay, ConfidenceDisplay
from workbench.analysis.confidence.displays.page import calibration_markdown
from workbench.analysis.confidence.displays.votes import AmbiguityDisplay
from workbench.analysis.confidence.reliability import DEFAULT, calibration, log_probabilities, temperature_scaling
from workbench.analysis.confidence.results import AmbiguityResult, CalibrationOptions, CalibrationReport, ScalingResult
from workbench.analysis.confidence.votes import ambiguity
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collection import Collection
from workbench.store.identity import shared_clips
from workbench.store.tables import labelled, persons, subjects


def run(
    test: Collection,
    validation: Collection | None = None,
    options: CalibrationOptions = DEFAULT,
    among: Ids[str] | None = None,
    fit: Ids[str] | None = None,
) -> CalibrationReport:
    """Calibration and densities of `test`; a temperature, if there is something to fit it on; votes, if the manifest has any.

    Of `test` only the clips `among` these ids count, where they are given. A temperature is fitted on `validation`, or on the
    clips `fit` of `test` itself and judged on the others.

    Raises:
        InputError: as `scale_collections`, `scale_within`, `vote_ambiguity`.
    """
    table = labelled(test, among)
    probs, truth = test.probs[table["row"].to_numpy()], table["label"].to_numpy()
    confidence = density(probs, truth, test.labels, groups=subjects(table))
    found = calibration(
        probs, truth, options.bins, test.labels, binning=options.binning, groups=subjects(table), seed=options.seed
    )
    scaling, told = (None, ()) if validation is None else scale_collections(validation, test, options, among)
    if fit is not None:
        scaling, told = scale_within(test, fit, options, among)
    votes = vote_ambiguity(test, options.seed, among)
    notes = (*test.notes, *found.notes, *confidence.notes, *told, *(() if votes is None else votes.notes))
    made_by = test.meta["checkpoint"]
    source = found.provenance.with_source(checkpoint=made_by["sha256"], name=made_by["name"])
    return CalibrationReport(found, confidence, scaling, votes, notes, source)


def write(result: CalibrationReport, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the new folder `out`, all of it or nothing; returns its files.

    Raises:
        InputError: `out` exists.
    """
    plain = result.to_dict()
    parts = {"scaling": plain["scaling"], "ambiguity": plain["votes"]}
    plain = {
        "caption": result.calibration.caption,
        **{name: part for name, part in parts.items() if part is not None},
        "calibration": plain["calibration"],
        "confidence": result.confidence.table,
        "notes": plain["notes"],
        "provenance": plain["provenance"],
    }
    with new_folder(out) as folder:
        write_text(folder / "calibration.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        write_text(folder / "calibration.md", calibration_markdown(result))
        CalibrationDisplay.from_result(result.curves).save(folder / "reliability.png", context=context)
        ConfidenceDisplay.from_result(result.confidence).save(folder / "confidence.png", context=context)
        if result.votes is not None:
            AmbiguityDisplay.from_result(result.votes).save(folder / "ambiguity.png", context=context)
    return sorted(out.iterdir())


def scale_collections(
    validation: Collection, test: Collection, options: CalibrationOptions = DEFAULT, among: Ids[str] | None = None
) -> tuple[ScalingResult, tuple[str, ...]]:
    """Temperature fitted on one collection and judged on another of the same checkpoint, `among` these clips; and notes.

    Raises:
        InputError: another checkpoint, clips that are in both, and as `temperature_scaling`.
    """
    if test.model_key != validation.model_key:
        raise InputError(
            f"{validation.folder} was collected with {validation.name}, {test.folder} with {test.name}; use one checkpoint"
        )
    fit, judge = labelled(validation), labelled(test, among)
    if both := shared_clips(validation, fit, test, judge):
        raise InputError(
            f"{len(both)} clips are in both collections, e.g. {min(both)}; a temperature is fitted on validation clips "
            "and judged on others"
        )
    return _scaled((validation, fit), (test, judge), options)


def scale_within(
    collection: Collection, fit: Ids[str], options: CalibrationOptions = DEFAULT, among: Ids[str] | None = None
) -> tuple[ScalingResult, tuple[str, ...]]:
    """Temperature fitted on the clips `fit` of a collection, by id, and judged on its others, `among` these; and notes.

    Raises:
        InputError: no clip to fit on, or none to judge on, and as `temperature_scaling`.
    """
    table = labelled(collection, among)
    inside = table["clip_id"].isin(list(fit)).to_numpy()
    if inside.all() or not inside.any():
        which = "all" if inside.all() else "none"
        raise InputError(f"{which} of the {len(table)} clips are to fit a temperature on; it needs some, and others to judge it")
    return _scaled((collection, table[inside]), (collection, table[~inside]), options)


def halves(collection: Collection, among: Ids[str] | None = None, seed: int = 0) -> frozenset[str]:
    """Ids of the clips of half of the persons, at random: to fit a temperature on where no validation clips are at hand.

    Where persons are not known half of the clips of each class.
    Raises: InputError as `labelled`.
    """
    table = labelled(collection, among)
    named, rng = persons(table), np.random.default_rng(seed)
    if named is None:
        turn = table.groupby("label")["clip_id"].transform(lambda own: rng.permutation(len(own)) % 2).to_numpy()
        return frozenset(table["clip_id"][turn == 0])
    chosen = rng.permutation(np.unique(named))[::2]
    return frozenset(table["clip_id"][np.isin(named, chosen)])


def _scaled(
    validation: tuple[Collection, pd.DataFrame], test: tuple[Collection, pd.DataFrame], options: CalibrationOptions
) -> tuple[ScalingResult, tuple[str, ...]]:
    """Temperature of the clips of one table judged on those of another, and whether persons are in both."""
    people = [set(person_ids(table["subject"]).tolist()) if "subject" in table else set() for _, table in (validation, test)]
    shared = (people[0] & people[1]) - {""}
    notes = (f"{len(shared)} persons are in both collections: the gain may not carry over to new ones",) if shared else ()
    parts = [(_logits(found)[table["row"].to_numpy()], table["label"]) for found, table in (validation, test)]
    judged, table = test
    return temperature_scaling(*parts[0], *parts[1], options, label_names=judged.labels, groups=subjects(table)), notes


def vote_ambiguity(collection: Collection, seed: int = 0, among: Ids[str] | None = None) -> AmbiguityResult | None:
    """Ambiguity against the votes in columns `votes_<class>`; None where the manifest has none. Rows as `labelled`.

    Raises:
        InputError: some classes have a column and others not.
    """
    table = labelled(collection, among)
    columns = [f"{VOTES}{name}" for name in collection.labels]
    missing = [c for c in columns if c not in table]
    if len(missing) == len(columns):
        return None
    if missing:
        raise InputError(
            f"{collection.folder} has votes but no column {', '.join(missing)}; give every class one, 0 where nobody chose it"
        )
    probs = collection.probs[table["row"].to_numpy()]
    votes = table[columns].to_numpy(float)
    return ambiguity(probs, votes, collection.labels, groups=persons(table), seed=seed)


def _logits(collection: Collection) -> np.ndarray:
    for name in collection.with_roles("logits"):
        order = [collection.meta["labels"].index(label) for label in collection.labels]
        return np.asarray(collection.activation(name), np.float64)[:, order]
    return log_probabilities(collection.probs)
