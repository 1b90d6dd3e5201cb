"""Logits and named activations on one graph: what a map of an activation needs."""

import torch
from torch import Tensor, nn

from ifdd.errors import InputError
from ifdd.hooks import HookFunction
from ifdd.inputs import Clips, each, of_input
from ifdd.models.base import VideoModel
from workbench.analysis._models import check_given, evaluating, logits_of


def run_to(model: nn.Module, clips: Clips, names: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits (B, classes) and the named activations that they hang on; of our models also those that tell where groups read.

    Of any other module an activation is the name of a sub-module that returns (B, C, T', h, w).
    Raises: InputError for an unknown activation, or one without places in the frame.
    """
    check_given(model, clips, several=True)
    return _decode(model, clips, names) if isinstance(model, VideoModel) else _run(model, of_input(clips, None), names)


def _decode(model: VideoModel, clips: Clips, names: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """Run the model with a graph from the first named activation on, or from the end of the backbone."""
    for name in model.select_activations(names):
        if not model.describe(name).spatial:
            raise InputError(f"{name} has no places in the frame; choose one of {', '.join(model.spatial_activations)}")
    cache: dict[str, Tensor] = {}

    def start(name: str) -> HookFunction:
        """From this stage on there is a graph: a CNN computes its later stages from this very tensor."""

        def mark(activation: Tensor) -> None:
            cache[name] = activation.requires_grad_()
            torch.set_grad_enabled(True)  # until the block of no_grad below ends

        return mark

    with model.evaluating():
        with torch.no_grad(), model.hooks({name: start(name) for name in names}):
            stages = model.encode(each(clips, Tensor.detach))
        stages = tuple(stage if stage.requires_grad else stage.detach().requires_grad_() for stage in stages)
        behind = {*names, *model.with_roles("sample")} - set(cache)
        with torch.enable_grad(), model.hooks({name: _store(cache, name) for name in behind}):
            logits = model.decode(stages).logits
    return logits, cache


def _run(model: nn.Module, clips: Tensor, names: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """Run any module and keep what the named sub-modules return."""
    modules = dict(model.named_modules())
    for name in names:
        if name not in modules or not name:
            raise InputError(f"the model has no sub-module {name!r}; its first are {', '.join(list(modules)[1:9])}, …")
    if clips.dim() != 5:
        raise InputError(f"clips have shape {tuple(clips.shape)}; pass (clips, 3, T, H, W)")
    cache: dict[str, Tensor] = {}
    handles = [modules[name].register_forward_hook(lambda _m, _i, out, name=name: cache.update({name: out})) for name in names]
    try:
        with evaluating(model), torch.enable_grad():
            logits = logits_of(model, clips.detach().requires_grad_())
    finally:
        for handle in handles:
            handle.remove()
    for name in names:
        found = cache.get(name)
        if not isinstance(found, Tensor) or found.dim() != 5:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise InputError(f"{name} returns {shape}, not (clips, channels, T', h, w); choose a layer with places in the frame")
    return logits, cache


def _store(cache: dict[str, Tensor], name: str) -> HookFunction:
    def store(activation: Tensor) -> None:
        cache[name] = activation

    return store
