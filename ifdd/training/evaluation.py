"""Run a model over a set of clips; predictions and scores on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ifdd.card import Card
from ifdd.checkpoints import Bundle
from ifdd.data.bad_clips import OnError, left_out
from ifdd.data.clipset import ClipSet
from ifdd.data.label_order import explain_labels
from ifdd.data.sampling import Take
from ifdd.data.traces import WHAT, seen_before
from ifdd.inputs import each, to_clips
from ifdd.io import new_folder, write_json, write_whole
from ifdd.metrics import Metrics, evaluate
from ifdd.models.base import VideoModel
from ifdd.progress import tqdm
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
    """Probabilities (n, classes) of every clip, float64: the mean of `predict_views`, whose arguments and errors these are."""
    return predict_views(
        model, clips, batch=batch, device=device, title=title, stages=stages, views=views, workers=workers, ledger=ledger
    ).mean(0)


@torch.no_grad()
def predict_views(
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
    """Probabilities (views, n, classes) of every clip; the model is left on `device` and in the mode in which it came.

    Args:
        model: any model of the clips' inputs.
        clips: the clips.
        batch: how many are read at a time.
        device: where to compute.
        title: of the progress bar.
        stages: what the model's backbone makes of these clips, where that is known already.
        views: of streamed clips, how many clips of each video are read (`sampling.frames_taken`).
        workers: processes that read streamed clips ahead.
        ledger: takes down streamed clips that cannot be read, whose probabilities are NaN; without one they are an error.

    Raises: InputError for a clip that cannot be read.
    """
    model.to(device)
    ledger = Ledger(len(clips), title) if ledger is None else ledger
    takes = [Take(view=view, views=views) for view in range(views)]
    return np.stack([_predict(model, clips, batch, device, title, stages, take, workers, ledger) for take in takes])


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
                output = model.decode(inputs) if stages is None else model.go_on(inputs)
                found[rows] = output.logits.double().softmax(-1).cpu().numpy()
    return found


def score(clips: ClipSet, probabilities: np.ndarray, labels: Sequence[str]) -> Metrics:
    """Metrics of a set, with intervals over persons where they are known."""
    return evaluate(probabilities, clips.target, labels, groups=clips.subjects)


def predictions_frame(clips: ClipSet, probabilities: np.ndarray, labels: Sequence[str]) -> pd.DataFrame:
    """One row a clip: clip_id, fold, subject, label and a column `p_<label>` for each class."""
    columns = {"clip_id": clips.clip_ids, "fold": clips.folds, "subject": clips.subjects, "label": clips.target}
    return pd.DataFrame(columns | {f"p_{label}": probabilities[:, i] for i, label in enumerate(labels)})


def write_evaluation(
    bundle: Bundle, clips: ClipSet, out: Path, *, batch: int = 16, device: str = "cpu", views: int = 1, on_error: OnError = "stop"
) -> dict[str, Any]:
    """Score a checkpoint on a set and write metrics.json and predictions.parquet to the new folder `out`, both or neither.

    Of streamed clips, `views` of each video are read, and their probabilities averaged; how often these single clips are called
    differently stands in the metrics, too. `on_error` is for streamed clips, which are found unreadable only here.
    Raises: InputError for a clip that cannot be read, unless a few may be left out.
    """
    ledger = Ledger(len(clips), "evaluate", on_error)
    each = predict_views(bundle.model, clips, batch=batch, device=device, title="evaluate", views=views, ledger=ledger)
    read = np.flatnonzero(np.isfinite(each).all((0, 2)))
    about = clips.about | (left_out(ledger.bad, ledger.total) | {"clips": len(read)} if ledger.bad else {})
    clips, each = (clips if len(read) == len(clips) else clips.chosen(read)), each[:, read]
    metrics = score(clips, each.mean(0), bundle.labels).to_dict()
    metrics["clips_per_video"] = views
    if views > 1:
        metrics["single_clips"] = single_clips(clips, each, bundle.labels)
        metrics["notes"].append(f"probabilities are the mean over {views} clips of each video")
    notes = [*clips.notes, *ledger.notes(), *_seen_before(bundle.card, clips), *_other_order(clips, each.mean(0), bundle.labels)]
    metrics["notes"] += notes
    source = {"checkpoint": bundle.name, "sha256": bundle.card.sha256, "data": about}
    with new_folder(out) as work:
        write_predictions(work / PREDICTIONS, predictions_frame(clips, each.mean(0), bundle.labels))
        write_json(work / METRICS, metrics | source)
    return metrics


def _other_order(clips: ClipSet, probabilities: np.ndarray, labels: Sequence[str]) -> list[str]:
    """A note where the labels are in another order than the checkpoint's classes."""
    found = explain_labels(probabilities, clips.target, labels)
    return [found.told()] if found.verdict == "permuted" else []


def single_clips(clips: ClipSet, each: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """Scores of each view of probabilities (views, n, classes), and the share of videos whose views are called differently."""
    guesses = each.argmax(2)
    found = [score(clips, one, labels) for one in each]
    return {
        "WAR": [one.WAR for one in found],
        "UAR": [one.UAR for one in found],
        "called_differently": float((guesses != guesses[0]).any(0).mean()),
    }


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
