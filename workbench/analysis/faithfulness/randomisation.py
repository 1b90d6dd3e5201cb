"""Does the map depend on what the network has learned? Forget parameters, and see whether the map changes.

After Adebayo et al. 2018. `cascading`: blocks are forgotten one after another from the logits back to the pixels; `independent`:
each block alone. A map that stays as it was shows the picture, not the model. A forgotten parameter is drawn anew from a normal
distribution with its own mean and standard deviation, so that the network stays in range; constant ones stay as they are.
"""

import copy
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from ifdd.errors import InputError
from ifdd.inputs import Clips, of_input, rows_of
from ifdd.progress import tqdm
from workbench.analysis._models import arrays_of, evaluating, logits_of
from workbench.analysis.faithfulness.results import RandomisationResult
from workbench.analysis.saliency.likeness import similarity
from workbench.analysis.saliency.results import Similarity
from workbench.results.provenance import record

Explain = Callable[[nn.Module, Any], np.ndarray]
"""A model and clips (n, 3, T, H, W), as they were given → signed maps (n, T, h, w), for classes that stay the same."""


def parameter_randomisation(
    model: nn.Module,
    clips: Clips,
    explain: Explain,
    method: str,
    *,
    independent: bool = True,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> RandomisationResult:
    """Compare the maps that `explain` makes of clips (n, 3, T, H, W) before and after parts of the network are forgotten.

    The model itself is not touched: a copy is. `groups` (n,), e.g. persons, are drawn as a whole for the intervals.

    Raises:
        InputError: maps that are undefined or of another shape, a model without parameters.

    Source: Adebayo et al. 2018, section 3.

    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(96, 2))
    >>> def weights(model: nn.Module, clips: torch.Tensor) -> np.ndarray:
    ...     slope = model.get_parameter("1.weight").detach()[0].view(3, 2, 4, 4)
    ...     return (clips * slope).sum(1).numpy()
    >>> found = parameter_randomisation(model, torch.rand(2, 3, 2, 4, 4), weights, "gradient × input", independent=False)
    >>> [row.name for row in found.cascading], found.n
    (['1'], 2)
    """
    parts, n = blocks(model, rows_of(clips, slice(1))), len(of_input(clips, None))
    trained = np.asarray(explain(model, clips))
    if trained.ndim != 4 or len(trained) != n:
        raise InputError(f"explain returns maps {trained.shape} for {n} clips; it must return (clips, T, h, w)")

    def compare(name: str, forgetful: nn.Module) -> Similarity:
        return similarity(name, trained, explain(forgetful, clips), groups=groups, resamples=resamples, seed=seed)

    bar = tqdm(total=len(parts) * (1 + independent), desc=f"forget, {method}", unit="block", disable=None, leave=False)
    cascading, alone = [], []
    with bar:
        copied = copy.deepcopy(model)
        for name, parameters in parts.items():
            forget(copied, parameters, seed)
            cascading.append(compare(name, copied))
            bar.update()
        for name, parameters in parts.items() if independent else ():
            copied = copy.deepcopy(model)
            forget(copied, parameters, seed)
            alone.append(compare(name, copied))
            bar.update()
    settings = {"method": method, "seed": seed, "resamples": resamples}
    inputs = arrays_of(clips) | {"maps": trained}
    source = record("parameter randomisation", settings, inputs, ("torch", "scipy"))
    return RandomisationResult(method, n, tuple(cascading), tuple(alone), source)


@torch.no_grad()
def blocks(model: nn.Module, clips: Clips) -> dict[str, list[str]]:
    """Names of the parameters by block, in the order in which a forward pass leaves the blocks, the last one first.

    A block is a child of the model, or of its backbone a child of that; of a ModuleList every member is one.
    Raises: InputError for a model without parameters.
    """
    first_call: dict[str, int] = {}

    def note(name: str) -> Callable[[nn.Module, object], None]:
        def hook(_module: nn.Module, _inputs: object) -> None:
            first_call.setdefault(name, len(first_call))

        return hook

    handles = [module.register_forward_pre_hook(note(name)) for name, module in model.named_modules()]
    try:
        with evaluating(model):
            logits_of(model, clips)
    finally:
        for handle in handles:
            handle.remove()
    found: dict[str, list[str]] = {}
    when: dict[str, int] = {}
    for path, _ in model.named_parameters():
        block = _block(model, path)
        owner = path.rpartition(".")[0]
        while owner and owner not in first_call:  # used by its parent without a call
            owner = owner.rpartition(".")[0]
        found.setdefault(block, []).append(path)
        when[block] = max(when.get(block, -1), first_call.get(owner, -1))
    if not found:
        raise InputError("the model has no parameters that could be forgotten")
    return {block: found[block] for block in sorted(found, key=lambda block: -when[block])}


@torch.no_grad()
def forget(model: nn.Module, names: list[str], seed: int) -> None:
    """Draw the named parameters anew, in place; the same seed gives the same numbers, whatever else is forgotten."""
    for name in names:
        parameter = model.get_parameter(name)
        values = parameter.detach().double()
        if values.numel() < 2 or float(values.std()) == 0:
            continue
        generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
        drawn = torch.randn(values.shape, generator=generator, dtype=torch.float64).to(values.device)
        parameter.copy_((values.mean() + values.std() * drawn).to(parameter.dtype))


def _block(model: nn.Module, path: str) -> str:
    """`backbone.blocks.3.norm.weight` → backbone.blocks.3; `head.classify.weight` → head."""
    words = path.split(".")[:-1]
    if not words:
        return "the model's own"
    depth = 2 if words[0] == "backbone" else 1
    while len(words) > depth and isinstance(model.get_submodule(".".join(words[:depth])), nn.ModuleList):
        depth += 1
    return ".".join(words[:depth])
