"""Edits frame by frame, and counterfactuals on models whose answer is known."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ifdd import InputError, create_model
from workbench.analysis.counterfactuals.changes import FeatureEdit, counterfactuals, distance, swap, zero_offsets
from workbench.analysis.counterfactuals.frame_edits import FrameEdit, drop, freeze, random_donors, replace, reverse, shuffle
from workbench.analysis.counterfactuals.results import CounterfactualOptions

CLIPS = torch.rand(4, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))
STILL = CLIPS[:, :, :1].expand(-1, -1, 8, -1, -1)


def tiny(name: str = "ifdd-mvit-tiny", **overrides):
    torch.manual_seed(0)
    model = create_model(name, frames=8, size=(32, 32), **overrides).eval()
    with torch.no_grad():
        model.head.classify.weight *= 30
    return model


def shown(edit: FrameEdit, n: int = 2, frames: int = 5) -> list[list[int]]:
    """Which frame is shown when: ten times the clip, plus the frame."""
    numbers = 10 * torch.arange(n)[:, None] + torch.arange(frames)
    clips = numbers[:, None, :, None, None].expand(-1, 3, -1, 2, 2).float()
    edited = edit.apply(clips)
    assert edited.shape == clips.shape
    assert (edited == edited[:, :1, :, :1, :1]).all()
    np.testing.assert_array_equal(edited[1:], edit.apply(clips, slice(1, None)))
    return edited[:, 0, :, 0, 0].int().tolist()


def test_edits_by_hand() -> None:
    assert shown(freeze(2, 5)) == [[2] * 5, [12] * 5]
    assert shown(freeze(2, 5, 4)) == [[4] * 5, [14] * 5]
    assert shown(freeze(2, 5, [0, 3])) == [[0] * 5, [13] * 5]
    assert shown(reverse(2, 5)) == [[4, 3, 2, 1, 0], [14, 13, 12, 11, 10]]
    assert shown(drop(2, 5, [2, 3])) == [[0, 1, 1, 1, 4], [10, 11, 11, 11, 14]]
    assert shown(drop(2, 5, [0, 1, 4])) == [[2, 2, 2, 3, 3], [12, 12, 12, 13, 13]]
    assert shown(replace(2, 5, [1, 4], [1, 0])) == [[0, 11, 2, 3, 14], [10, 1, 12, 13, 4]]


@given(st.integers(1, 6), st.integers(2, 9), st.integers(0, 99))
def test_shuffled_frames_are_all_there_in_another_order(n: int, frames: int, seed: int) -> None:
    edit = shuffle(n, frames, seed)
    np.testing.assert_array_equal(np.sort(edit.frame, axis=1), np.tile(np.arange(frames), (n, 1)))
    assert (edit.frame != np.arange(frames)).any(axis=1).all()
    assert (edit.clip == np.arange(n)[:, None]).all()


@given(st.integers(2, 30), st.integers(0, 99))
def test_donors_are_others_each_once(n: int, seed: int) -> None:
    donors = random_donors(n, seed)
    assert (donors != np.arange(n)).all()
    np.testing.assert_array_equal(np.sort(donors), np.arange(n))


def test_equal_frames_have_no_order() -> None:
    result = counterfactuals(tiny(), STILL, [freeze(4, 8), reverse(4, 8), drop(4, 8, [3])], CounterfactualOptions(shuffles=2))
    assert max(edit.change.max() for edit in result.edits) < 1e-5
    assert result.order.max() < 1e-5
    moving = counterfactuals(tiny(), CLIPS, [freeze(4, 8)], CounterfactualOptions(shuffles=2))
    assert moving.order.min() > 1e-4
    assert moving.order_sensitivity.value == pytest.approx(moving.order.mean())
    assert moving.edits[0].change.min() > 1e-4


def test_a_bag_of_frames_does_not_mind_the_order() -> None:
    model = tiny("mvit-tiny-baseline")
    model.head.classify.weight.data /= 10  # else it is too sure to show any change

    class Frames(torch.nn.Module):
        def forward(self, clips):
            stages = ((32, 8), (32, 8), (32, 8), (64, 16))  # channels and stride of mvit-tiny's
            pooled = {stride: torch.nn.functional.avg_pool3d(clips, (1, stride, stride)) for _, stride in stages}
            return tuple(pooled[stride].repeat_interleave(22, 1)[:, :channels] for channels, stride in stages)

    model.backbone = Frames()
    model.pyramid = torch.nn.Module()
    model.pyramid.X = type(tiny().pyramid.X)()
    model.pyramid.forward = lambda stages: model.pyramid.X(stages[-1])
    result = counterfactuals(model, CLIPS, [reverse(4, 8), freeze(4, 8)], CounterfactualOptions(shuffles=3))
    assert result.order.max() < 1e-6
    assert result.edits[0].change.max() < 1e-6
    assert result.edits[1].change.max() > 1e-4  # it sees which frames there are


def test_an_edit_is_the_prediction_of_the_edited_clip() -> None:
    model = tiny()
    with torch.no_grad():
        before, after = (model(clips).logits.softmax(-1).numpy() for clips in (CLIPS, CLIPS.flip(2)))
    result = counterfactuals(model, CLIPS, [reverse(4, 8)], CounterfactualOptions(shuffles=0, batch=3), clip_ids=list("abcd"))
    (edit,) = result.edits
    np.testing.assert_allclose(result.before, before, atol=1e-6)
    np.testing.assert_allclose(edit.after, after, atol=1e-6)
    np.testing.assert_allclose(edit.change, np.abs(after - before).sum(1) / 2, atol=1e-6)
    assert edit.mean.change.value == pytest.approx(edit.change.mean())
    row = result.table[2]
    assert (row["clip_id"], row["edit"]) == ("c", "reverse")
    assert row["p_after"] == pytest.approx(after[2, before[2].argmax()], abs=1e-6)
    assert (result.order, result.order_sensitivity) == (None, None)
    json.dumps(result.to_dict(), allow_nan=False)


def test_offsets_at_zero_are_those_of_a_model_that_learned_none() -> None:
    model, plain = tiny(), tiny()
    with torch.no_grad():
        for offsets in (model.issm.offsets_S, model.issm.offsets_D):
            offsets.weight.normal_(std=3)
        for offsets in (plain.issm.offsets_S, plain.issm.offsets_D):
            offsets.weight.zero_()
        expected = plain(CLIPS).logits.softmax(-1).numpy()
    result = counterfactuals(model, CLIPS, [zero_offsets(model)], CounterfactualOptions(shuffles=0))
    np.testing.assert_allclose(result.edits[0].after, expected, atol=1e-5)
    assert result.edits[0].change.max() > 1e-4
    assert model.issm.offset_S._forward_hooks == {}


def test_swapped_branches() -> None:
    donors = np.array([1, 2, 3, 0])
    model = tiny()
    result = counterfactuals(
        model, CLIPS, [swap(model, "D", donors), swap(model, "S", donors)], CounterfactualOptions(shuffles=0, batch=3)
    )
    assert [edit.name for edit in result.edits] == ["swap Y_D", "swap Y_S"]
    np.testing.assert_allclose(result.edits[0].after, result.before[donors], atol=1e-5)
    assert any("by construction" in note for note in result.notes)
    assert result.edits[1].change.max() > 1e-6
    without = tiny(lift="none")  # nothing leads from S to the head
    apart = counterfactuals(without, CLIPS, [swap(without, "S", donors)], CounterfactualOptions(shuffles=0))
    assert apart.edits[0].name == "swap X_S"
    assert apart.edits[0].change.max() == 0
    assert apart.notes == ()


def test_one_clip_and_progress() -> None:
    seen: list[int] = []
    result = counterfactuals(tiny(), CLIPS[:1], [freeze(1, 8)], CounterfactualOptions(shuffles=1), progress=seen.append)
    assert sum(seen) == 3  # before, frozen, shuffled
    assert np.isnan(result.order_sensitivity.low)
    assert "one clip, or one group: no interval can be given" in result.notes
    assert "order-sensitivity index" in result.caption


def test_groups_are_drawn_together() -> None:
    alone = counterfactuals(tiny(), CLIPS, [], CounterfactualOptions(shuffles=1), groups=list("aabb")).order_sensitivity
    means = counterfactuals(tiny(), CLIPS, [], CounterfactualOptions(shuffles=1)).order.reshape(2, 2).mean(1)
    assert (alone.low, alone.high) == pytest.approx((means.min(), means.max()))


def test_distance() -> None:
    assert distance(np.array([[1.0, 0, 0]]), np.array([[0.2, 0.3, 0.5]])) == pytest.approx(0.8)


def broken():
    model = tiny()
    with torch.no_grad():
        model.head.classify.weight[0] = torch.nan
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: freeze(2, 5, 5), r"frames 5 are not all among 0 to 4"),
        (lambda: drop(2, 5, []), "not all among"),
        (lambda: drop(2, 3, [0, 1, 2]), "all 3 frames would be dropped"),
        (lambda: replace(2, 5, [0], [0]), "donors .* do not name one of the 2 clips"),
        (lambda: replace(2, 5, [0], [0, 2]), "donors .* do not name"),
        (lambda: shuffle(2, 1), "one frame has no other order"),
        (lambda: random_donors(1), "1 clip has no other one"),
        (lambda: freeze(3, 8).apply(CLIPS), "planned for 3 clips of 8 frames, these are 4 of 8"),
        (lambda: zero_offsets(tiny("mvit-tiny-baseline")), "has no offsets to set to zero"),
        (lambda: zero_offsets(tiny(split="even-odd")), "split 'even-odd' has no offsets"),
        (lambda: swap(tiny("mvit-tiny-baseline"), "D", [0]), "has no branches"),
        (lambda: swap(tiny(), "X", [0]), "unknown branch 'X'; it is D or S"),
        (lambda: counterfactuals(tiny(), CLIPS, [swap(tiny(), "S", [0, 1])]), "donors .* do not name"),
        (lambda: counterfactuals(tiny(), CLIPS[:0], []), "no clip to edit"),
        (lambda: counterfactuals(tiny(), CLIPS * 255, []), r"values from 0.* to 255"),
        (lambda: counterfactuals(tiny(), CLIPS[:, :, :4], []), "this model reads"),
        (lambda: counterfactuals(tiny(), CLIPS, [freeze(4, 8), freeze(4, 8, 1)]), "two edits are called 'freeze'"),
        (lambda: counterfactuals(tiny(), CLIPS, [], CounterfactualOptions(shuffles=-1)), "shuffles is -1"),
        (lambda: counterfactuals(tiny(), CLIPS, [], clip_ids=["a"]), "clip_ids has 1 names for 4"),
        (lambda: counterfactuals(broken(), CLIPS, []), r"probs\[0\] is not finite"),
        (
            lambda: counterfactuals(tiny(), CLIPS, [FeatureEdit("x", ("ladm.nothing",), None)]),
            "unknown activation 'ladm.nothing'",
        ),
    ],
)
def test_bad_input(make, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
