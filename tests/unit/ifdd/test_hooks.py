import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.hook_cost import without_hook_points
from ifdd import InputError, create_model
from ifdd.hooks import HookedModule, HookPoint


class Doubler(HookedModule):
    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Module()
        self.part.doubled = HookPoint()
        self.summed = HookPoint()
        self.explode = False

    def forward(self, x: Tensor) -> Tensor:
        doubled = self.part.doubled(2 * x)
        if self.explode:
            raise ArithmeticError("boom")
        return self.summed(doubled.sum())


def hook_count(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._backward_hooks) for module in model.modules())


def test_cache_holds_the_tensors_of_the_pass() -> None:
    model = Doubler()
    x = torch.arange(3.0, requires_grad=True)
    output, cache = model.run_with_cache(x)
    assert output == 6
    assert list(cache) == ["part.doubled", "summed"]
    torch.testing.assert_close(cache["part.doubled"], torch.tensor([0.0, 2.0, 4.0]))
    (gradient,) = torch.autograd.grad(output, cache["part.doubled"])
    torch.testing.assert_close(gradient, torch.ones(3))
    assert hook_count(model) == 0


def test_hook_point_is_free_of_state() -> None:
    x = torch.ones(2)
    assert HookPoint()(x) is x
    assert not HookPoint().state_dict()


@pytest.mark.parametrize(("names", "expected"), [("summed", ["summed"]), (lambda n: "doubled" in n, ["part.doubled"]), ((), [])])
def test_names(names, expected) -> None:
    _, cache = Doubler().run_with_cache(torch.ones(1), names=names)
    assert list(cache) == expected


def test_patching_replaces_the_activation() -> None:
    model = Doubler()
    with model.hooks({"part.doubled": torch.zeros_like}):
        assert model(torch.ones(4)) == 0
    assert model(torch.ones(4)) == 8


def test_unknown_name_lists_the_valid_ones_before_compute() -> None:
    model = Doubler()
    model.explode = True  # would raise if the model ran
    with pytest.raises(InputError, match=r"unknown activation 'part.doublet' \(did you mean 'part.doubled'\?\).*summed"):
        model.run_with_cache(torch.ones(1), names=("summed", "part.doublet"))
    assert hook_count(model) == 0


def test_no_hook_is_left_after_an_exploding_layer() -> None:
    model = Doubler()
    model.explode = True
    with pytest.raises(ArithmeticError):
        model.run_with_cache(torch.ones(1))
    assert hook_count(model) == 0


def test_evaluating_restores_each_module() -> None:
    model = nn.ModuleDict({"a": nn.Dropout(), "b": nn.Dropout()})
    holder = Doubler()
    holder.extra = model
    model["a"].eval()
    with holder.evaluating():
        assert not any(module.training for module in holder.modules())
    assert not model["a"].training
    assert model["b"].training
    assert holder.training


def test_hook_points_add_no_operation() -> None:
    model = create_model("ifdd-mvit-tiny", num_classes=3, size=(32, 32), frames=8).eval()
    bare = without_hook_points(model)

    class Recorder(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.operations: list[str] = []

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.operations.append(str(func))
            return func(*args, **(kwargs or {}))

    recorded = []
    for network in (model, bare):
        with Recorder() as recorder, torch.no_grad():
            network(torch.zeros(1, 3, 8, 32, 32))
        recorded.append(recorder.operations)
    assert len(model.activation_names) > 10
    assert not [module for module in bare.modules() if isinstance(module, HookPoint)]
    assert recorded[0] == recorded[1]
