"""Run a model over a set of clips; predictions and scores on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ifdd.card import Card
from ifdd.checkpoints import Bundle
from ifdd.data.clipset import ClipSet
from ifdd.data.label_order import explain_labels
from ifdd.data.sampling import Take
from ifdd.data.traces import WHAT, seen_before
from ifdd.inputs import each, to_clips
from ifdd.io import new_folder, write_json, write_whole
from ifdd.metrics import Metrics, evaluate
from ifdd.models.base import VideoModel
from ifdd.training.backbone_cache import Stages, as_stages
from ifdd.training.controls import as_tensor, oracle_split
from ifdd.training.loading import Batches, ClipDataset, Ledger, Request
from ifdd.training.order import ordered_batches

PREDICTIONS, METRICS = "predictions.parquet", "metrics.json"


@torch.no_grad()
def predict_set(
    model: VideoModel,
    clips: ClipSet,
    *,
    batch: int = 16,
    device: str = "cpu",
    title: str = "predict",
    stages: Stages | None = None,
    views: int = 1,
    workers: int = 0,
    ledger: Ledger | None = None,
) -> np.ndarray:
    """Probabilities (n, classes) of every clip, float64; the model is left on `device` and in the mode in which it came.

    Args:
        model: any model of the clips' inputs.
        clips: the clips.
        batch: how many are read at a time.
        device: where to compute.
        title: of the progress bar.
        stages: what the model's backbone makes of these clips, where that is known already.
        views: of streamed clips, over how many clips of each video the probabilities are averaged (`sampling.frames_taken`).
        workers: processes that read streamed clips ahead.
        ledger: takes down streamed clips that cannot be read, whose probabilities are NaN; without one they are an error.

    Raises: InputError for a clip that cannot be read.
    """
    model.to(device)
    ledger = Ledger(len(clips), title) if ledger is None else ledger
    total = np.zeros((len(clips), model.config.num_classes))
    for view in range(views):
        total += _predict(model, clips, batch, device, title, stages, Take(view=view, views=views), workers, ledger)
    return total / views


def _predict(
    model: VideoModel,
    clips: ClipSet,
    batch: int,
    device: str,
    title: str,
    stages: Stages | None,
    take: Take,
    workers: int,
    ledger: Ledger,
) -> np.ndarray:
    found = np.full((len(clips), model.config.num_classes), np.nan)
    requests = [Request(index, [take] * len(index)) for index in ordered_batches(len(clips), batch)]
    loaded = Batches(ClipDataset(clips), lambda: requests, len(requests), workers) if stages is None else requests
    with model.evaluating():
        for read in tqdm(loaded, desc=title, unit="batch", leave=False, disable=None):
            if stages is not None:
                rows, inputs = read.clips, as_stages(stages, read.clips, device)
            else:
                ledger.note(read.bad, read.told)
                if read.pixels is None:
                    continue
                rows, inputs = read.rows, model.encode(each(read.pixels, lambda part: to_clips(part.to(device))))
            with oracle_split(model, as_tensor(clips.places, rows, device)):
                found[rows] = model.decode(inputs).logits.double().softmax(-1).cpu().numpy()
    return found


def score(clips: ClipSet, probabilities: np.ndarray, labels: Sequence[str]) -> Metrics:
    """Metrics of a set, with intervals over persons where they are known."""
    return evaluate(probabilities, clips.target, labels, groups=clips.subjects)


def predictions_frame(clips: ClipSet, probabilities: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    """One row a clip: clip_id, fold, subject, label and a column `p_<label>` for each class."""
    columns = {"clip_id": clips.clip_ids, "fold": clips.folds, "subject": clips.subjects, "label": clips.target}
    return pd.DataFrame(columns | {f"p_{label}": probabilities[:, i] for i, label in enumerate(labels)})


def write_evaluation(bundle: Bundle, clips: ClipSet, out: Path, *, batch: int = 16, device: str = "cpu") -> dict[str, Any]:
    """Score a checkpoint on a set and write metrics.json and predictions.parquet to the new folder `out`, both or neither."""
    probabilities = predict_set(bundle.model, clips, batch=batch, device=device, title="evaluate")
    metrics = score(clips, probabilities, bundle.labels).to_dict()
    metrics["notes"] += [*clips.notes, *_seen_before(bundle.card, clips), *_other_order(clips, probabilities, bundle.labels)]
    source = {"checkpoint": bundle.name, "sha256": bundle.card.sha256, "data": clips.about}
    with new_folder(out) as work:
        write_predictions(work / PREDICTIONS, predictions_frame(clips, probabilities, bundle.labels))
        write_json(work / METRICS, metrics | source)
    return metrics


def _other_order(clips: ClipSet, probabilities: np.ndarray, labels: Sequence[str]) -> list[str]:
    """A note where the labels are in another order than the checkpoint's classes."""
    found = explain_labels(probabilities, clips.target, labels)
    return [found.told()] if found.verdict == "permuted" else []


def _seen_before(card: Card, clips: ClipSet) -> list[str]:
    """Notes where the checkpoint was trained, or its epoch chosen, on these very clips, on some of them or on their persons."""
    same = [split for split in WHAT if clips.about.get("source") and _same_data(card.data.get(split), clips.about)]
    told = [f"these are the clips that {WHAT[split]}: on new ones it is worse" for split in same]
    return told or [*seen_before(card.data, clips.clip_ids, clips.files, clips.subjects)] if clips.files else told


def _same_data(known: Any, about: dict[str, Any]) -> bool:
    keys = tuple(about) if about["source"] == "scripted" else ("data_hash", "files_hash")
    return isinstance(known, dict) and all(key in about and known.get(key) == about[key] for key in keys)


def write_predictions(path: Path, frame: pd.DataFrame) -> None:
    """Write a table of predictions, whole or not at all."""
    write_whole(path, lambda part: frame.to_parquet(part, index=False))
