"""Make a Collection of what others predicted: everything that needs predictions alone works on it as on one of our own."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ifdd.activations import Activation
from ifdd.card import file_name
from ifdd.data.manifest import data_hash, has_labels, read_manifest
from ifdd.data.video import file_sha256
from ifdd.errors import InputError
from ifdd.io import check_new, new_folder, write_json
from workbench.results.provenance import DISTRIBUTION
from workbench.store.collecting import predictions_table
from workbench.store.collection import ACTIVATIONS, MANIFEST, PREDICTIONS, SCHEMA, Collection, open_collection
from workbench.store.columns import renaming_notes
from workbench.store.foreign.files import Table, files_of, read_features, read_predictions
from workbench.store.foreign.matching import Match, match_clips, some
from workbench.store.foreign.scores import Reading, Scores, id_column, of_split, read_scores, true_column
from workbench.store.foreign.truths import check_labels, check_order, fold_notes
from workbench.store.identity import reading_hash

FEATURES = ("features", "feature", "feats", "embedding", "embeddings")
"""Matrices that hold what the classifier reads."""
_KEPT = "features"


@dataclass(frozen=True)
class Options:
    """How a file is read; whether it may lack clips of the dataset (`partial`) or have others (`skip`).

    `keep_order`: its classes stay as they are called, though another order explains the labels much better.
    """

    reading: Reading = field(default_factory=Reading)
    features: Path | None = None
    partial: bool = False
    skip: bool = False
    keep_order: bool = False


DEFAULT = Options()


def import_predictions(
    file: str | Path, manifest: str | Path, name: str, out: str | Path, options: Options = DEFAULT
) -> Collection:
    """Make the collection `out` of a file of predictions of the clips of `manifest`, by a model that is called `name`.

    Classes are matched by name, as `labels.match_labels`; columns without names need `options.reading.labels`. Labels that the
    file holds, too, are compared with the manifest's.

    Args:
        file: .csv, .tsv, .txt, .parquet or .npz, see docs/other_models.md.
        manifest: clips.parquet, or the folder that holds it.
        name: of the model, as figures call it.
        out: folder to make.
        options: what the file does not tell.

    Raises:
        InputError: `out` exists, a name that cannot be a folder's, a damaged file, clips that the manifest lacks (unless
            skipped) or that have no prediction (unless partial), and as `read_scores`, `match_clips` and `check_labels`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(f"{folder}/clips.csv").write_text("path,label\\na.mp4,happy\\nb.mp4,sad\\n")
    ...     _ = Path(f"{folder}/theirs.csv").write_text("clip,p_sadness,p_happiness\\nb,0.75,0.25\\na,0.5,0.5\\n")
    ...     found = import_predictions(f"{folder}/theirs.csv", f"{folder}/clips.csv", "theirs", f"{folder}/out")
    ...     found.labels, found.probs.tolist()
    (('happy', 'sad'), [[0.5, 0.5], [0.25, 0.75]])
    """
    file, out = Path(file), Path(out)
    try:
        file_name(name)
    except ValueError as error:
        raise InputError(f"--name: {error}") from None
    check_new(out)
    clips = read_manifest(manifest)
    table = of_split(read_predictions(file), options.reading.split)
    keys = table.texts(id_column(table, options.reading.id))
    match = match_clips(keys, clips, file)
    _check_strange(match, file, manifest, options.skip)
    labelled = has_labels(clips)
    scores = read_scores(table, keys, tuple(dict.fromkeys(clips["label_name"])) if labelled else (), options.reading)
    by_id = clips.set_index("clip_id", drop=False)
    plain = options.reading.labels is not None and scores.order == options.reading.labels
    notes = [*scores.notes]
    notes += check_labels(table, match.rows, by_id, scores.order, options.reading.map, plain)
    notes += check_order(file, scores, match.rows, by_id, plain, options.keep_order)
    folds, told = fold_notes(table, match.rows, by_id)
    notes += told
    features = _features(table, options.features, match, clips, file)
    kept = clips[clips["clip_id"].isin(list(match.rows))].reset_index(drop=True)
    kept.attrs = clips.attrs
    if folds is not None:
        kept["fold"] = folds[clips["clip_id"].isin(list(match.rows)).to_numpy()]
    kept["label"] = [scores.labels.index(label) if label else -1 for label in kept["label_name"]]
    missing = [clip for clip in clips["clip_id"] if clip not in match.rows]
    if missing and not options.partial:
        raise InputError(
            f"{file} has no prediction of {len(missing)} of the {len(clips)} clips of {manifest}: {some(missing)}; add them, or "
            "say with --partial that these are all: comparisons are then of the clips that all models have"
        )
    if missing:
        notes.append(f"{len(missing)} of {len(clips)} clips have no prediction in {file.name}: {some(missing)}")
    if match.strange:
        notes.append(f"{len(match.strange)} rows of {file.name} are no clips of the dataset and left out: {some(match.strange)}")
    rows = np.array([match.rows[clip] for clip in kept["clip_id"]])
    activations = {} if scores.logits is None else {"logits": scores.logits[rows]}
    activations |= {} if features is None else {_KEPT: features}
    meta = _about(file, manifest, name, clips, scores, options.features)
    meta |= {
        "clips": len(kept),
        "activations": {key: {"shape": list(values.shape[1:]), "dtype": "float32"} for key, values in activations.items()},
        "model": {"capabilities": [], "branches": {}, "activations": {key: _TOLD[key].to_dict() for key in activations}},
    }
    meta["imported"] |= {"matched": match.told, "strange": list(match.strange)}
    if missing:
        reasons = dict.fromkeys(missing, f"no prediction in {file.name}")
        meta["left_out"] = {"clips": len(missing), "of": len(clips), "reasons": reasons}
    with new_folder(out) as work:
        predictions = predictions_table(kept, scores.labels, scores.probs[rows])
        predictions.to_parquet(work / PREDICTIONS, index=False, write_page_checksum=True)
        (work / ACTIVATIONS).mkdir()
        for key, values in activations.items():
            np.save(work / ACTIVATIONS / f"{key}.npy", np.ascontiguousarray(values, np.float32), allow_pickle=False)
        notes += [*_ties(scores.probs[rows]), *renaming_notes(predictions)]
        write_json(work / MANIFEST, meta | {"notes": notes})
    return open_collection(out)


_TOLD = {
    "logits": Activation.of("logits", "B classes", role="logits"),
    _KEPT: Activation.of(_KEPT, "B C", role="embedding"),
}
"""What the arrays are that a collection of others' predictions keeps."""


def _about(
    file: Path, manifest: str | Path, name: str, clips: pd.DataFrame, scores: Scores, features: Path | None
) -> dict[str, Any]:
    """What the collection's manifest tells of where it comes from."""
    hashes = [file_sha256(part) for part in files_of(file)]
    digest = hashes[0] if not file.is_dir() else hashlib.sha256("".join(hashes).encode()).hexdigest()
    sources = {"file": file.name, "sha256": digest}
    if features is not None:
        sources |= {"features": features.name, "features_sha256": file_sha256(features)}
    said = json.dumps([sources, scores.order, scores.logits is not None])
    return {
        "schema_version": SCHEMA,
        "checkpoint": {"name": name, "sha256": hashlib.sha256(said.encode()).hexdigest()},
        "imported": sources | {"holds": "probabilities" if scores.logits is None else "logits"},
        "labels": list(scores.labels),
        "labelled": has_labels(clips),
        "data": {"manifest": str(Path(manifest).resolve()), "hash": data_hash(clips), "reading": reading_hash(clips)},
        "code_version": version(DISTRIBUTION),
        "pool": None,
    }


def _check_strange(match: Match, file: Path, manifest: str | Path, skip: bool) -> None:
    if match.strange and not match.rows:
        raise InputError(
            f"no row of {file} is a clip of {manifest}, e.g. {next(iter(match.strange))}; name the column of ids or paths with "
            "--id, or the dataset that they are of with --dataset"
        )
    if match.strange and not skip:
        raise InputError(
            f"{file} has {len(match.strange)} predictions of clips that {manifest} lacks: {some(match.strange)}; mend their "
            "names, or leave these rows out with --on-error skip"
        )


def _ties(probs: np.ndarray) -> tuple[str, ...]:
    """A note where rounding makes two classes the most probable one."""
    best = np.sort(probs.astype(np.float32), 1)[:, -2:]
    ties = int((best[:, 0] == best[:, 1]).sum())
    what = f"two classes are equally probable in {ties} of {len(probs)} clips; the first in the order of the classes counts"
    return (what,) if ties else ()


def _features(table: Table, file: Path | None, match: Match, clips: pd.DataFrame, predictions: Path) -> np.ndarray | None:
    """Features (n, d) of the clips that have a prediction, in the manifest's order; None where there are none."""
    if file is None:
        name = next((name for name in table.matrices if name.casefold() in FEATURES), None)
        if name is None:
            return None
        values, rows, source = table.matrices[name], match.rows, predictions
    else:
        found = read_features(file, table.rows)
        source = file
        if found.columns:
            own = match_clips(found.texts(id_column(found, None)), clips, file)
            values, rows = _matrix(found), own.rows
        else:
            values, rows = found.matrices["features"], match.rows
    order = [clip for clip in clips["clip_id"] if clip in match.rows]
    if lacking := [clip for clip in order if clip not in rows]:
        raise InputError(f"{source} has no features of {len(lacking)} clips that are predicted: {some(lacking)}; add them")
    chosen = np.asarray(values)[[rows[clip] for clip in order]].astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(chosen).all(1))
    if len(bad):
        raise InputError(f"{source}: the features of {order[bad[0]]} hold NaN or infinity ({len(bad)} clips); write them again")
    return chosen


def _matrix(table: Table) -> np.ndarray:
    """The matrix of a file of features: the one of that name, the only one, or all columns of numbers."""
    names = [name for name in table.matrices if name.casefold() in FEATURES] or list(table.matrices)
    if len(names) == 1:
        return table.matrices[names[0]]
    columns = _numeric(table)
    if names or not columns:
        raise InputError(f"{table.source} has {', '.join(names) or 'no columns of numbers'}; call the matrix (n, d) features")
    return np.stack(columns, 1)


def _numeric(table: Table) -> Sequence[np.ndarray]:
    beside = {id_column(table, None), true_column(table), "fold", "subject", "split"}
    found = (table.numbers(name) for name in table.columns if name not in beside)
    return [values for values in found if values is not None]
