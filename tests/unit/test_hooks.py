import pytest
import torch
from torch import Tensor, nn

from ifdd import InputError
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
