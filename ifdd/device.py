"""Which device a model runs on."""

import torch

from ifdd.errors import InputError


def choose_device(name: str) -> torch.device:
    """The device asked for; "auto" takes a GPU if there is one.

    Raises: InputError for one that is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next((device for device in ("cuda", "mps") if there[device]), "cpu"))
    if not there.get(name.split(":")[0], False):
        raise InputError(
            f"no device {name!r} here; choose auto or {', '.join(device for device, found in there.items() if found)}"
        )
    return torch.device(name)
