"""States of the random generators that a training draws from, as a checkpoint keeps them."""

from typing import Any

import torch


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """State of torch's generator on the CPU, and of that of a GPU."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: dict[str, torch.Tensor], device: torch.device) -> None:
    """Draw on from there; on another device than before what it draws is new."""
    torch.set_rng_state(state["cpu"].cpu())
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)


def is_within_epoch(checkpoint: dict[str, Any]) -> bool:
    """Whether a checkpoint of Lightning was saved before its epoch had ended."""
    return epochs_done(checkpoint) <= int(checkpoint["epoch"])


def epochs_done(checkpoint: dict[str, Any]) -> int:
    """How many epochs had ended, by the loops of Lightning; by its epoch, in a checkpoint without them."""
    progress = checkpoint.get("loops", {}).get("fit_loop", {}).get("epoch_progress", {}).get("current", {})
    return int(progress.get("processed", int(checkpoint["epoch"]) + 1))


def batches_done(checkpoint: dict[str, Any]) -> int:
    """How many batches of an epoch that has not ended were trained on."""
    progress = checkpoint.get("loops", {}).get("fit_loop", {}).get("epoch_loop.batch_progress", {}).get("current", {})
    return int(progress.get("ready", 0)) if is_within_epoch(checkpoint) else 0
