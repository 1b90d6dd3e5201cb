"""Places exchanged in a model whose head's answer is known."""

import numpy as np
import pytest
import torch

from ifdd import InputError, create_model
from ifdd.models.base import VideoModel
from workbench.analysis.disentanglement.place_swap import Predictions, predict_with_places, score_places
from workbench.analysis.disentanglement.results import PLACES, WHERE

N = 12


def model_of(lift: str = "none", split: str = "even-odd") -> VideoModel:
    torch.manual_seed(0)
    model = create_model("ifdd-mvit-tiny", frames=16, size=(32, 32), split=split, lift=lift).eval()
    with torch.no_grad():
        model.head.classify.weight *= 40
    return model


@pytest.fixture(scope="module")
def stages() -> list[tuple[torch.Tensor, ...]]:
    random = torch.Generator().manual_seed(1)
    clips = torch.rand(N, 3, 16, 32, 32, generator=random) * torch.rand(N, 3, 16, 1, 1, generator=random)  # frames differ
    with torch.no_grad():
        return [tuple(model_of().encode(part)) for part in clips.split(5)]


def predict(model: VideoModel, stages: list[tuple[torch.Tensor, ...]], **changes: object) -> Predictions:
    return predict_with_places(model, stages, groups=np.arange(N) // 2, **changes)  # type: ignore[arg-type]


def test_places_are_those_that_the_model_is_given(stages: list[tuple[torch.Tensor, ...]]) -> None:
    """Oracle: the model run by hand with its samples patched."""
    model = model_of(lift="update-first")
    told = np.random.default_rng(0).permuted(np.tile(np.arange(8.0), (N, 1)), axis=1).reshape(N, 2, 4).astype(np.float32)
    found = predict(model, stages, told=told)
    assert set(found) == {("", "own")} | {(where, which) for where in WHERE for which in PLACES}
    by_hand = {
        "half-way": np.tile(np.array([0.5, 2.5, 4.5, 6.5], np.float32), (N, 1)),
        "told": told[:, 1],
    }
    for which, places in by_hand.items():
        at, rows = 0, []
        with torch.no_grad():
            for batch in stages:
                size = len(batch[-1])
                put = torch.from_numpy(places[at : at + size])
                with model.hooks({"issm.sample_D": lambda _, put=put: put}):  # type: ignore[misc]
                    rows.append(model.decode(batch).logits.argmax(-1).numpy())
                at += size
        np.testing.assert_array_equal(found["D", which], np.concatenate(rows))
    for where in WHERE:  # an even-odd split has even and odd places of its own, and they are its mean and other clips' as well
        for which in ("even-odd", "own mean", "other clips'"):
            np.testing.assert_array_equal(found[where, which], found["", "own"])


def test_without_a_lift_the_head_reads_d_alone(stages: list[tuple[torch.Tensor, ...]]) -> None:
    found = predict(model_of(), stages)
    assert ("S", "told") not in found
    for which in ("other clips'", "own mean", "half-way", "even-odd"):
        np.testing.assert_array_equal(found["S", which], found["", "own"])
        np.testing.assert_array_equal(found["D and S", which], found["D", which])
    assert (found["D", "half-way"] != found["", "own"]).any()  # else nothing here could fail


def test_told_places_may_be_a_models_own(stages: list[tuple[torch.Tensor, ...]]) -> None:
    model = model_of(lift="update-first")
    told = np.tile(np.arange(8, dtype=np.float32).reshape(1, 2, 4), (N, 1, 1))
    found = predict(model, stages, told=told, own=told)
    free = predict(model, stages, told=told)
    np.testing.assert_array_equal(found["", "own"], free["D and S", "told"])
    np.testing.assert_array_equal(found["D and S", "told"], found["", "own"])


def test_scores_and_changes_are_of_the_same_clips() -> None:
    truth = np.arange(60) % 3
    own = np.where(np.arange(60) < 30, truth, (truth + 1) % 3)
    seed = {("", "own"): own, ("D", "told"): truth, ("S", "told"): own}
    result = score_places([seed, seed], truth, groups=np.arange(60) // 3)
    assert (result.own.value, result.seeds) == (0.5, 2)
    assert result.swap("D", "told").uar.value == 1
    assert result.swap("D", "told").change.value == pytest.approx(0.5)
    assert result.swap("D", "told").change.low > 0
    assert result.swap("S", "told").change.value == 0
    with pytest.raises(InputError, match="no swap of 'S' for 'half-way'"):
        result.swap("S", "half-way")
    with pytest.raises(InputError, match="all with the same kinds of places"):
        score_places([seed, {("", "own"): own}], truth)


def test_what_it_refuses(stages: list[tuple[torch.Tensor, ...]]) -> None:
    with pytest.raises(InputError, match="no split"):
        predict(create_model("mvit-tiny-baseline", frames=16, size=(32, 32)), stages)
    with pytest.raises(InputError, match=r"told has shape \(3, 2, 4\)"):
        predict(model_of(), stages, told=np.zeros((3, 2, 4), np.float32))
