import pytest
import torch
from torch.nn import functional as F

from ifdd import IFDDOutput
from ifdd.models.ifdd.losses import IFDDLoss, LiftingLoss


def test_closed_form() -> None:
    residual = torch.tensor([[[0.5, -0.5], [2.0, 0.0]]])  # smooth L1: 0.125, 0.125, 1.5, 0
    assert LiftingLoss(1.0, "mean")(residual).item() == pytest.approx(1.75 / 4)
    assert LiftingLoss.from_preset("reference")(residual).item() == pytest.approx(0.1 * 1.75 / 4)


def test_paper_loss_does_not_change_with_batch_size_and_the_released_one_does() -> None:
    residual = torch.randn(1, 7, 7)
    paper, released = LiftingLoss.from_preset("paper"), LiftingLoss.from_preset("reference")
    many = residual.expand(16, 7, 7)
    torch.testing.assert_close(paper(many), paper(residual))
    torch.testing.assert_close(released(many), 16 * released(residual))
    torch.testing.assert_close(paper(many), released(many))  # λ is scaled so that the released batch of 16 agrees


def test_terms_add_up_and_a_baseline_has_no_lifting_term() -> None:
    logits, target = torch.randn(4, 7), torch.tensor([0, 1, 2, 6])
    loss = IFDDLoss(LiftingLoss.from_preset("paper"), label_smoothing=0.1)
    terms = loss(IFDDOutput(logits, torch.zeros(4, 8), torch.randn(4, 7, 7)), target)
    torch.testing.assert_close(terms["loss"], terms["classification"] + terms["lifting"])
    torch.testing.assert_close(terms["classification"], F.cross_entropy(logits, target, label_smoothing=0.1))
    plain = loss(IFDDOutput(logits, torch.zeros(4, 8), None), F.one_hot(target, 7).float())
    assert set(plain) == {"loss", "classification"}
    torch.testing.assert_close(plain["loss"], terms["classification"])
