"""Tests of maps against maps whose answer is known: a planted rule, noise, edges."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torchmetrics.functional.image import structural_similarity_index_measure

from ifdd import InputError, create_model
from workbench.analysis import saliency
from workbench.analysis.faithfulness.channels import LARGEST, ORDER, perturb_channels
from workbench.analysis.faithfulness.curves import RANDOM, CurveRequest, Units, all_curves, summarise
from workbench.analysis.faithfulness.judging import judge
from workbench.analysis.faithfulness.perturbation import RemovalRequest, edge_map, perturb_clips
from workbench.analysis.faithfulness.randomisation import blocks, forget, parameter_randomisation
from workbench.analysis.saliency.attribution import AttributionRequest, attribute
from workbench.analysis.saliency.likeness import rank_correlation, similarity, ssim
from workbench.results.provenance import record

N, T, H, W = 24, 4, 14, 14
CLIPS = torch.rand(N, 3, T, H, W, generator=torch.Generator().manual_seed(0))


class Planted(nn.Module):
    """logit_1 sums the mouth of the middle frames, logit_0 is 0."""

    def __init__(self) -> None:
        super().__init__()
        region = torch.zeros(3, T, H, W)
        region[:, 1:3, 9:12, 4:10] = 0.2
        self.weight = nn.Parameter(region)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        one = (clips * self.weight).sum((1, 2, 3, 4))
        return torch.stack([torch.zeros_like(one), one], 1)


def exact(model: nn.Module, clips: torch.Tensor) -> np.ndarray:
    return attribute(model, clips, "integrated-gradients", 1, request=AttributionRequest(steps=2)).raw


def edges(model: nn.Module, clips: torch.Tensor) -> np.ndarray:
    return np.stack([edge_map(clip) for clip in clips.mean(1).double().numpy()])


def test_exact_attribution_of_a_planted_rule_passes_both_tests() -> None:
    model = Planted()
    curves = perturb_clips(
        model, CLIPS, {"exact": exact(model, CLIPS)}, 1, RemovalRequest(fill="black", kind="logit", cell=(1, 1, 1))
    )
    forgotten = parameter_randomisation(model, CLIPS, exact, "exact")
    verdict = judge("exact", "input", curves, forgotten)
    assert verdict.passes, verdict.reasons
    assert verdict.badge == "passes both tests"
    row = curves.score("exact")
    units, inside = curves.units, 2 * 3 * 6
    assert (curves.whole, curves.nothing) == (pytest.approx(model(CLIPS)[:, 1].mean().item(), rel=1e-5), 0)
    # everything that counts is gone after the first step: 36 of 784 cells
    assert inside < units / 10
    np.testing.assert_allclose(row.deletion_curve[1:], 0, atol=1e-6)
    np.testing.assert_allclose(row.insertion_curve[1:], curves.whole, rtol=1e-5)
    np.testing.assert_allclose(curves.fractions[:3], [0, 78 / 784, 157 / 784])  # whole cells
    assert row.gap.value == pytest.approx((1 - 78 / 784) * curves.whole, rel=1e-5)
    assert row.beyond_random.low > 0
    assert [score.name for score in curves.scores] == ["exact", "centre", "edge", "random"]


def test_deletion_of_a_linear_model_by_hand() -> None:
    model = Planted()
    with torch.no_grad():
        model.weight.normal_(generator=torch.Generator().manual_seed(1))
    values = exact(model, CLIPS[:2])
    found = perturb_clips(
        model, CLIPS[:2], {"exact": values}, 1, RemovalRequest(fill="black", kind="logit", cell=(1, 1, 1), steps=T * H * W)
    )
    ordered = -np.sort(-values.reshape(2, -1), axis=1)
    gone = np.concatenate((np.zeros((2, 1)), ordered.cumsum(1)), 1)
    total = gone[:, -1:]
    np.testing.assert_allclose(found.score("exact").deletion_curve, (total - gone).mean(0), atol=2e-3)
    np.testing.assert_allclose(found.score("exact").insertion_curve, gone.mean(0), atol=2e-3)
    area = np.trapezoid(total - gone, dx=1 / ordered.shape[1], axis=1)
    assert found.score("exact").deletion.value == pytest.approx(area.mean(), abs=1e-3)


@pytest.mark.parametrize("unit", ["pixels", "frames"])
def test_a_random_map_has_gap_zero(unit: str) -> None:
    noise = np.random.default_rng(5).random((N, T, H, W))
    found = perturb_clips(Planted(), CLIPS, {"noise": noise}, 1, RemovalRequest(fill="black", kind="logit", unit=unit))  # type: ignore[arg-type]
    for name in ("noise", "random"):
        gap = found.score(name).gap
        assert gap.low <= 0 <= gap.high, name
    assert not judge("noise", "input", found, parameter_randomisation(Planted(), CLIPS, exact, "noise")).passes
    beyond = found.score("noise").beyond_random
    assert beyond.low <= 0 <= beyond.high


@pytest.mark.parametrize(("units", "steps"), [(3, 2), (7, 4), (5, 10), (16, 10)])
def test_a_score_that_counts_units_has_gap_zero_however_they_divide(units: int, steps: int) -> None:
    request = CurveRequest(kind="logit", steps=steps, batch=8, resamples=100)
    values = {RANDOM: np.random.default_rng(0).random((4, units))}
    curves = all_curves(
        values, lambda _: lambda keep: keep.double().mean(1), request, seed=0, device=torch.device("cpu"), what="units"
    )
    counted = Units("units", units, "none", frozenset({RANDOM}))
    found = summarise(curves, counted, request, record("test", {}, {}), groups=None, seed=0)
    assert found.score(RANDOM).gap.value == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.score(RANDOM).insertion_curve, found.fractions)


def test_a_map_turned_upside_down_fails() -> None:
    found = perturb_clips(Planted(), CLIPS, {"wrong": -exact(Planted(), CLIPS)}, 1, RemovalRequest(fill="black", kind="logit"))
    assert found.score("wrong").gap.high < 0


def test_frames_are_found_and_stand_beside_their_controls() -> None:
    model = Planted()
    values = exact(model, CLIPS).sum((2, 3))
    found = perturb_clips(model, CLIPS, {"exact": values}, 1, RemovalRequest(unit="frames", fill="black", steps=4))
    assert found.units == T
    assert [row.name for row in found.scores] == ["exact", "centre", "edge", "motion", "random"]
    assert found.score("centre").gap.value == pytest.approx(found.score("exact").gap.value, abs=0.02)  # the rule sits mid-clip
    assert found.score("exact").deletion_curve[2] == pytest.approx(0.5)  # two of four frames gone: logits 0 and 0


def test_an_edge_detector_fails_parameter_randomisation() -> None:
    model = Planted()
    result = parameter_randomisation(model, CLIPS, edges, "edges")
    assert not result.passes
    assert result.cascading[-1].rank.value == pytest.approx(1)
    assert result.cascading[-1].ssim.value == pytest.approx(1)
    curves = perturb_clips(model, CLIPS, {"edges": edges(model, CLIPS)}, 1, RemovalRequest(fill="black", kind="logit"))
    verdict = judge("edges", "input", curves, result)
    assert "parameter randomisation" in verdict.failed
    assert verdict.badge.startswith("fails: ")
    assert "edge" in verdict.matched
    assert "hardly depends on the learned parameters" in " ".join(verdict.reasons)


def test_maps_like_those_of_shuffled_labels_fail() -> None:
    model = Planted()
    values = exact(model, CLIPS)
    curves = perturb_clips(model, CLIPS, {"exact": values}, 1, RemovalRequest(fill="black", kind="logit"))
    forgotten = parameter_randomisation(model, CLIPS, exact, "exact")
    for other, passes in ((values, False), (np.random.default_rng(0).random(values.shape), True)):
        verdict = judge("exact", "input", curves, forgotten, labels_at_random=similarity("labels", values, other))
        assert verdict.passes == passes


def test_forgetting_keeps_scale_and_leaves_the_model_alone() -> None:
    torch.manual_seed(0)
    model = create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    clips = CLIPS[:2, :, :, :8, :8].repeat(1, 1, 2, 4, 4)

    def explain(network: nn.Module, some: torch.Tensor) -> np.ndarray:
        return saliency.gradcam(network, some, "ladm.Y_D", 1, method="hirescam").raw

    result = parameter_randomisation(model, clips, explain, "hirescam")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    names = [row.name for row in result.cascading]
    assert names[0] == "head"
    assert names.index("ladm") < names.index("issm") < names.index("pyramid") < names.index("backbone.blocks.0")
    assert {"backbone.stem", "backbone.blocks.3"} <= set(names)
    assert names == [row.name for row in result.independent]
    assert result.cascading[0].rank == result.independent[0].rank
    forget(model, ["head.classify.weight"], seed=0)
    old, new = before["head.classify.weight"], model.head.classify.weight
    assert abs((old.std() / new.std()).item() - 1) < 0.1
    assert abs(rank_correlation(old.numpy(), new.detach().numpy())) < 0.15


def test_blocks_follow_the_forward_pass_and_not_the_constructor() -> None:
    class Late(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first = nn.Linear(2, 2), nn.Conv3d(3, 2, 1)
            self.own = nn.Parameter(torch.ones(2))

        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            return self.last(self.first(clips).mean((2, 3, 4)) * self.own)

    assert list(blocks(Late(), CLIPS[:1])) == ["last", "first", "the model's own"]
    with pytest.raises(InputError, match="no parameters"):
        blocks(nn.Flatten(), CLIPS[:1])


def test_rank_correlation_and_ssim_against_other_libraries() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 4, 20, 24))
    b = 0.6 * a + 0.4 * b
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert np.isnan(rank_correlation(a, np.ones_like(a)))
    pictures = (torch.from_numpy(values)[:, None] for values in (a, b))
    options = {"gaussian_kernel": False, "kernel_size": 7, "data_range": 1.0, "return_full_image": True}
    everywhere = structural_similarity_index_measure(*pictures, **options)[1]
    theirs = everywhere[..., 3:-3, 3:-3].mean()  # whole windows alone
    assert ssim(a, b) == pytest.approx(float(theirs), abs=1e-6)
    assert ssim(a, a) == pytest.approx(1)
    assert np.isfinite(ssim(a[:, :2, :2], b[:, :2, :2]))  # maps may be that small
    turned = similarity("turned", a[None], -a[None])
    assert turned.rank.value == pytest.approx(1)


def test_channels_of_the_linear_branch_lose_exactly_what_is_said() -> None:
    torch.manual_seed(0)
    model = create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    with torch.no_grad():
        model.head.classify.weight *= 40
    clips = torch.rand(3, 3, 8, 32, 32, generator=torch.Generator().manual_seed(1))
    tokens = model.run_with_cache(clips, names="ladm.Y_D")[1]["ladm.Y_D"].detach()
    lost = torch.einsum("bnc,n->bc", tokens - tokens.mean(0), model.head.pooling.weight.detach())
    lost = (lost * model.head.classify.weight[2].detach()).numpy()
    channels = lost.shape[1]
    found = perturb_channels(model, clips, "ladm.Y_D", 2, CurveRequest(kind="logit", steps=channels))
    gone = np.concatenate((np.zeros((3, 1)), (-np.sort(-lost, 1)).cumsum(1)), 1)
    logits = model(clips).logits[:, 2].detach().numpy()
    np.testing.assert_allclose(found.score(ORDER).deletion_curve, (logits[:, None] - gone).mean(0), atol=1e-4)
    assert [row.name for row in found.scores] == [ORDER, LARGEST, "random"]
    static = perturb_channels(model, clips, "ladm.Y_S", 2, CurveRequest(steps=4))
    assert static.whole == pytest.approx(model(clips).logits.softmax(1)[:, 2].mean().item(), abs=1e-5)
    unread = perturb_channels(create_model("ifdd-mvit-tiny", frames=8, size=(32, 32), lift="predict-first"), clips, "ladm.Y_S", 2)
    assert unread.score(ORDER).gap.value == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maps": {"m": np.zeros((N, T, H))}}, r"m has shape \(24, 4, 14\)"),
        ({"maps": {"m": np.full((N, T), np.nan)}}, "m holds NaN"),
        ({"maps": {"edge": np.zeros((N, T))}}, "edge is the name of a control"),
        ({"cell": (9, 1, 1)}, "does not fit clips of 4 frames"),
        ({"steps": 1}, "give no curve"),
        ({"against": 0}, "no probability"),
        ({"unit": "words"}, "unit='words' is unknown"),
    ],
)
def test_bad_requests(options: dict, message: str) -> None:
    arguments = {"maps": {"m": np.zeros((N, T))}, "target": 1} | options
    named = {name: arguments.pop(name) for name in ("maps", "target", "against") if name in arguments}
    with pytest.raises(InputError, match=message):
        perturb_clips(Planted(), CLIPS, **named, request=RemovalRequest(**arguments))


def test_bad_requests_for_channels() -> None:
    model = create_model("ifdd-mvit-tiny", frames=8, size=(32, 32))
    with pytest.raises(InputError, match="there is one clip"):
        perturb_channels(model, torch.rand(1, 3, 8, 32, 32), "ladm.Y_D")
    with pytest.raises(InputError, match="inside the backbone"):
        perturb_channels(model, torch.rand(2, 3, 8, 32, 32), "backbone.stage2")
