"""Checkpoints with random weights."""

from pathlib import Path

import torch

from ifdd.card import Card
from ifdd.checkpoints import save_checkpoint
from ifdd.data.preprocessing import Preprocessing
from ifdd.labels import EMOTIONS
from ifdd.models.families import create_model
from ifdd.models.ifdd.model import IFDDModel

SIZE = (64, 64)


def save_random(folder: Path, model_name: str, seed: int, labels: tuple[str, ...] = EMOTIONS) -> Path:
    """A checkpoint with random weights whose classes and offsets differ visibly."""
    torch.manual_seed(seed)
    model = create_model(model_name, size=SIZE).eval()
    with torch.no_grad():
        model.head.classify.weight *= 40
        if isinstance(model, IFDDModel):
            for offsets in (model.issm.offsets_S, model.issm.offsets_D):
                torch.nn.init.normal_(offsets.weight, std=3)
    card = Card(
        name=folder.name,
        notice="random weights",
        model=model.config,
        labels=labels,
        preprocessing=Preprocessing(size=SIZE).to_dict(),
        data={"name": "none"},
        training={},
        metrics={},
        versions={},
    )
    return save_checkpoint(folder, model, card)
