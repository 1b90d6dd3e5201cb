"""Named activations: see them, replace them, and leave nothing behind.

A `HookPoint` is an identity module. Where a model wraps a tensor in one, the dotted path of the module becomes the public
name of that tensor (`issm.offset_D`). It has no parameters, adds no state-dict key and no operation.
The idea is after TransformerLens (`hook_points.py`, MIT).
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from ifdd.activations import Activation, with_roles
from ifdd.errors import InputError

Names = str | Sequence[str] | Callable[[str], bool] | None
"""One name, several, a predicate on names, or None for all."""

HookFunction = Callable[[Tensor], Tensor | None]
"""Sees an activation; a tensor that it returns replaces the activation from there on."""


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards each sub-module is in the mode that it had."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training


class HookPoint(nn.Module):
    """Identity that gives a tensor a name; any shape.

    Its arguments tell what the tensor is, as in `Activation`: `axes` such as "B C T H W", the `group`, the `role`, and where
    they do not follow from the axes or the model, the `clock` and the `input`.
    """

    def __init__(
        self,
        axes: str = "",
        group: str | None = None,
        role: str | None = None,
        *,
        clock: str | None = None,
        input: str | None = None,
    ) -> None:
        super().__init__()
        self.axes = axes
        self.told = {"group": group, "role": role, "clock": clock, "input": input}

    def forward(self, activation: Tensor) -> Tensor:
        """Return the activation itself, not a copy."""
        return activation


class HookedModule(nn.Module):
    """A module whose HookPoints can be listed, cached and patched."""

    @property
    def activation_names(self) -> tuple[str, ...]:
        """Names of all activations of this model, in the order in which its parts were built."""
        return tuple(name for name, module in self.named_modules() if isinstance(module, HookPoint))

    def select_activations(self, names: Names) -> tuple[str, ...]:
        """Expand `names` to a tuple of valid names.

        Raises: InputError for a name that this model does not have, with the list of those that it has.
        """
        valid = self.activation_names
        if names is None:
            return valid
        if callable(names):
            return tuple(name for name in valid if names(name))
        if not isinstance(names, Iterable):
            raise InputError(f"activations are given by name, not as {names!r}; this model has: {', '.join(valid)}")
        wanted = (names,) if isinstance(names, str) else tuple(names)
        for name in wanted:
            if name not in valid:
                near = difflib.get_close_matches(str(name), valid, n=1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                raise InputError(f"unknown activation {name!r}{hint}; this model has: {', '.join(valid)}")
        return wanted

    def describe(self, name: str) -> Activation:
        """What an activation is.

        Raises: InputError for a name that this model does not have, with the list of those that it has.
        """
        self.select_activations(name)
        point = self.get_submodule(name)
        assert isinstance(point, HookPoint)
        return Activation.of(name, point.axes, **point.told)

    def with_roles(self, *roles: str) -> tuple[str, ...]:
        """Names of the activations that have one of these roles, see `Activation`; those that the model has."""
        points = [(name, point) for name, point in self.named_modules() if isinstance(point, HookPoint)]
        return with_roles((Activation.of(name, point.axes, **point.told) for name, point in points), *roles)

    @contextmanager
    def hooks(self, functions: Mapping[str, HookFunction]) -> Iterator[None]:
        """Call `functions[name](activation)` in every forward pass inside the block; gone afterwards, after an error too.

        Raises: InputError for an unknown name, before anything is attached.
        """
        self.select_activations(tuple(functions))
        handles = []
        try:
            for name, function in functions.items():
                hook = _as_forward_hook(function)
                handles.append(self.get_submodule(name).register_forward_hook(hook))
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode inside the block; afterwards each sub-module is in the mode that it had."""
        with evaluating(self):
            yield

    def run_with_cache(self, *args: Any, names: Names = None, **kwargs: Any) -> tuple[Any, dict[str, Tensor]]:
        """Run the model once and return its output and the chosen activations.

        The tensors are those of the pass itself: with gradients enabled they hang on its graph.
        Raises: InputError for an unknown name, before any compute.
        """
        cache: dict[str, Tensor] = {}

        def keep(name: str) -> HookFunction:
            def store(activation: Tensor) -> None:
                cache[name] = activation

            return store

        with self.hooks({name: keep(name) for name in self.select_activations(names)}):
            output = self(*args, **kwargs)
        return output, cache


def _as_forward_hook(function: HookFunction) -> Callable[[nn.Module, Any, Tensor], Tensor | None]:
    def hook(_module: nn.Module, _inputs: Any, activation: Tensor) -> Tensor | None:
        return function(activation)

    return hook
