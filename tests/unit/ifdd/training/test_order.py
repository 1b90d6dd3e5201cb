"""In which order clips come: whole steps, balanced classes, parts of processes; and weights of classes."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ifdd.errors import InputError
from ifdd.models.base import IFDDOutput
from ifdd.models.ifdd.losses import IFDDLoss, LiftingLoss
from ifdd.training.class_weights import class_weights
from ifdd.training.order import EpochBatches, class_quotas, part_of

DFEW = np.array([1956, 1515, 2135, 1738, 1175, 116, 721])
"""Training clips of fold 1 by class."""


def test_steps_are_whole() -> None:
    batches = EpochBatches(np.zeros(23, int), 4, seed=0, accumulate=2)
    assert [len(batch) for batch in batches] == [4] * 4
    assert list(batches) == list(EpochBatches(np.zeros(23, int), 4, seed=0))[:4]
    with pytest.raises(InputError, match=r"optim\.accumulate=8 takes 8 batches for a step, an epoch of 23 clips has 5 of 4"):
        EpochBatches(np.zeros(23, int), 4, seed=0, accumulate=8)


def test_quotas_of_classes() -> None:
    assert class_quotas(DFEW, "none").tolist() == DFEW.tolist()
    alike = class_quotas(DFEW, "classes")
    assert alike.sum() == DFEW.sum()
    assert set(alike.tolist()) <= {1336, 1337}
    between = class_quotas(DFEW, "square-root")
    np.testing.assert_allclose(between, np.sqrt(DFEW) / np.sqrt(DFEW).sum() * DFEW.sum(), atol=1)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.sampled_from(["square-root", "classes"]))
def test_balanced_epochs_show_clips_of_a_class_in_turn(target: list[int], balance: str) -> None:
    batches = EpochBatches(np.array(target), 1, seed=3, balance=balance)  # type: ignore[arg-type]
    shown = Counter(index for batch in batches for index in batch)
    quotas = class_quotas(np.bincount(target), balance)  # type: ignore[arg-type]
    assert sum(shown.values()) == len(target)
    for number, quota in enumerate(quotas.tolist()):
        times = [shown[i] for i, label in enumerate(target) if label == number]
        assert sum(times) == quota
        assert not times or max(times) - min(times) <= 1


def test_balanced_epochs_differ_and_come_again() -> None:
    batches = EpochBatches(np.arange(30) % 3 // 2, 5, seed=3, balance="classes")
    first = list(batches)
    batches.set_epoch(1)
    assert list(batches) != first
    batches.set_epoch(0)
    assert list(batches) == first


@given(st.integers(1, 40), st.integers(1, 9))
def test_parts_make_up_the_batch(count: int, processes: int) -> None:
    parts = [part_of(range(count), rank, processes) for rank in range(processes)]
    assert [parts[0][0], parts[-1][1]] == [0, count]
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    sizes = [high - low for low, high in parts]
    assert max(sizes) - min(sizes) <= 1


def test_weights_of_classes_in_closed_form() -> None:
    assert class_weights(np.array([30, 10]), "balanced").tolist() == [2 / 3, 2.0]
    np.testing.assert_allclose(class_weights(DFEW, "effective", 0.0), 1)
    np.testing.assert_allclose(class_weights(DFEW, "effective", 1 - 1e-9), class_weights(DFEW, "balanced"), rtol=1e-4)
    weights = class_weights(DFEW, "effective", 0.99)
    terms = [sum(0.99**k for k in range(n)) for n in DFEW.tolist()]  # the effective number, E_n = (1 − βⁿ)/(1 − β)
    np.testing.assert_allclose(weights / weights[0], terms[0] / np.array(terms))
    assert (weights * DFEW).sum() == pytest.approx(DFEW.sum())
    assert class_weights(np.array([5, 0]), "balanced").tolist() == [1.0, 0.0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_weighted_loss_is_a_mean_over_clips(smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits, target = torch.randn(5, 3, generator=generator), torch.tensor([0, 2, 2, 1, 0])
    weights = torch.tensor([0.5, 2.0, 1.0])
    loss = IFDDLoss(LiftingLoss(0.1, "mean"), smoothing)
    loss.class_weights = weights
    output = IFDDOutput(logits, logits, None)
    soft = torch.nn.functional.one_hot(target, 3) * (1 - smoothing) + smoothing / 3
    expected = -(weights * soft * logits.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss(output, target)["classification"], expected)
    # as PyTorch weighs it, but for the sum of the weights by which that divides
    torch_own = torch.nn.functional.cross_entropy(logits, target, weights) * weights[target].sum() / 5
    if not smoothing:
        torch.testing.assert_close(loss(output, target)["loss"], torch_own)
