"""Losses of OUS against sums written out, and what each of them trains."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ifdd.models.ous.config import OUSConfig
from ifdd.models.ous.losses import OUSLoss
from ifdd.models.ous.model import OUSOutput

CLASSES = ("happy", "fear", "surprise", "yawning")  # positive, negative, neutral, none
ALL_ON: dict[str, Any] = {"similarity_weight": 0.3, "polarity_weight": 0.7, "global_weight": 0.2}


def some_output(polarity: Tensor | None = None) -> OUSOutput:
    torch.manual_seed(0)
    logits, face, scene, text = torch.randn(4, 4), torch.randn(4, 6), torch.randn(4, 6), torch.randn(4, 6)
    return OUSOutput(logits, face, face, scene, torch.randn(4, 3) if polarity is None else polarity, text)


def terms_of(output: OUSOutput, target: Tensor, smoothing: float = 0.0, **changes: Any) -> dict[str, float]:
    loss = OUSLoss(OUSConfig(classes=CLASSES, num_classes=4, **changes), smoothing)
    return {name: value.item() for name, value in loss(output, target).items()}


def cosine(a: Tensor, b: Tensor) -> float:
    return (a @ b / (a.norm() * b.norm())).item()


def test_each_term_is_its_sum_written_out() -> None:
    polarity = torch.tensor([[5.0, 0, 0], [0, 0, 5.0], [0, 0, 5.0], [5.0, 0, 0]])  # agrees, contradicts, agrees, has none
    output, target = some_output(polarity), torch.tensor([0, 1, 2, 3])
    found = terms_of(output, target, **ALL_ON)
    assert output.V_ft is not None
    assert output.V_st is not None
    apart = [1 - cosine(output.V_ft[i], output.V_st[i]) for i in range(4)]
    from_text = [1 - cosine(output.V_st[i], output.text[i]) for i in range(4)]
    each = [from_text[i] * (1 + 0.5 * apart[i]) for i in range(4)]
    shares = polarity.log_softmax(1)
    assert found["contrastive"] == pytest.approx(F.cross_entropy(output.logits, target).item(), rel=1e-5)
    assert found["similarity"] == pytest.approx(0.3 * sum(apart) / 4, rel=1e-5)
    assert found["polarity"] == pytest.approx(-0.7 * (shares[0, 0] + shares[1, 1] + shares[2, 2]).item() / 3, rel=1e-5)
    assert found["global"] == pytest.approx(0.2 * (each[0] + each[2]) / 4, rel=1e-5)
    assert found["loss"] == pytest.approx(sum(value for name, value in found.items() if name != "loss"), rel=1e-5)


def test_indexes_and_their_probabilities_say_the_same() -> None:
    output, target = some_output(), torch.tensor([0, 1, 2, 3])
    hard = terms_of(output, target, **ALL_ON)
    assert terms_of(output, F.one_hot(target, 4).float(), **ALL_ON) == pytest.approx(hard)
    mixed = torch.tensor([[0.6, 0.4, 0, 0]] * 4)
    found = terms_of(output, mixed, **ALL_ON)
    wanted = -(output.polarity.log_softmax(1) @ torch.tensor([0.6, 0.4, 0])).mean()  # type: ignore[union-attr]
    assert found["polarity"] == pytest.approx(0.7 * wanted.item(), rel=1e-5)


def test_a_term_that_is_off_is_not_there() -> None:
    output, target = some_output(), torch.tensor([0, 1, 2, 3])
    for name in ("similarity", "polarity", "global"):
        found = terms_of(output, target, **(ALL_ON | {f"{name}_weight": 0.0}))
        assert set(found) == {"loss", "contrastive", "similarity", "polarity", "global"} - {name}
    assert set(terms_of(output, target, preset="released")) == {"loss", "contrastive"}
    assert set(terms_of(output, target, fusion="late")) == {"loss", "contrastive"}


def test_no_clip_has_a_polarity() -> None:
    found = terms_of(some_output(), torch.tensor([3, 3, 3, 3]), **ALL_ON)
    assert (found["polarity"], found["global"]) == (0, 0)


def test_without_a_polarity_encoder_the_global_loss_is_of_all_clips() -> None:
    output = some_output()
    bare = OUSOutput(output.logits, output.embedding, output.V_ft, output.V_st, None, output.text)
    found = terms_of(bare, torch.tensor([0, 1, 2, 3]), preset="released", global_weight=1.0)
    assert output.V_st is not None
    assert output.V_ft is not None
    each = [(1 - cosine(output.V_st[i], output.text[i])) * (1.5 - 0.5 * cosine(output.V_ft[i], output.V_st[i])) for i in range(4)]
    assert found["global"] == pytest.approx(sum(each) / 4, rel=1e-5)


def test_class_weights_weigh_the_terms_of_the_cross_entropy() -> None:
    output, target = some_output(), torch.tensor([0, 1, 1, 2])
    loss = OUSLoss(OUSConfig(classes=CLASSES, num_classes=4), 0.0)
    loss.class_weights = torch.tensor([1.0, 3.0, 0.5, 1.0])
    each = -output.logits.log_softmax(1)[range(4), target] * loss.class_weights[target]
    torch.testing.assert_close(loss(output, target)["contrastive"], each.mean())


def _benchmark() -> ModuleType:
    file = Path(__file__).resolve().parents[4] / "benchmarks" / "ous_gradients.py"
    spec = importlib.util.spec_from_file_location("ous_gradients", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_loss_trains_what_it_is_to_train() -> None:
    """The table that benchmarks/ous_gradients.py prints: which part the gradient of which loss reaches."""
    reached = _benchmark().reach(preset="paper")
    both = {"encoder, first four blocks", "encoder, the rest", "LSTM", "alignment", "Frame Encoder"}
    assert reached == {
        "contrastive": {*both, "Polarity Encoder", "Type Fusion Encoder", "queries", "prompts", "scale of the logits"},
        "similarity": both,
        "polarity": {"encoder, first four blocks", "Polarity Encoder"},
        "global": {*both, "prompts"},
    }
    released = _benchmark().reach(preset="released")
    everything = {*both, "scene projection", "Type Fusion Encoder", "queries", "prompts", "scale of the logits"}
    assert released == {"contrastive": everything - {"alignment"}}


def test_the_condition_is_not_trained_through() -> None:
    polarity = torch.zeros(4, 3, requires_grad=True)
    output = some_output(polarity)
    loss = OUSLoss(OUSConfig(classes=CLASSES, num_classes=4, similarity_weight=0.0, polarity_weight=0.0, global_weight=1.0))
    found = loss(output, torch.tensor([0, 1, 2, 3]))
    assert not found["global"].requires_grad


def test_a_recipe_makes_it() -> None:
    from ifdd.models.families import FAMILIES

    made = FAMILIES["ous"].loss(OUSConfig(), SimpleNamespace(label_smoothing=0.1))
    assert isinstance(made, OUSLoss)
    assert made.label_smoothing == 0.1
