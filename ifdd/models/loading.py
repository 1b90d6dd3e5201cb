"""State dicts → models: every key used once, every shape equal."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ifdd.errors import InputError


def load_exactly(model: torch.nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Load `state_dict` into `model`, every key used once and every shape equal.

    Raises:
        InputError: keys that do not fit, which it lists: missing, surplus, of another shape or type.
    """
    own = model.state_dict()
    problems = [f"missing {key}" for key in own if key not in state_dict]
    problems += [f"surplus {key}" for key in state_dict if key not in own]
    problems += [
        f"{key} is {tuple(state_dict[key].shape)}, expected {tuple(own[key].shape)}"
        for key in own
        if key in state_dict and state_dict[key].shape != own[key].shape
    ]
    problems += [
        f"{key} is {state_dict[key].dtype}, expected {own[key].dtype} (cast it first)"
        for key in own
        if key in state_dict and state_dict[key].dtype != own[key].dtype
    ]
    if problems:
        more = f" (and {len(problems) - 8} more)" if len(problems) > 8 else ""
        raise InputError(
            f"the state dict does not fit the model: {'; '.join(problems[:8])}{more}; build the model that it was saved from"
        )
    model.load_state_dict(dict(state_dict))
