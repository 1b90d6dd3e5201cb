"""What a notebook hands in by mistake ends in one line, and classes go by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import ifdd
from ifdd.checkpoints import Bundle
from ifdd.data.clips import load_clip
from ifdd.errors import InputError
from workbench.analysis import saliency, splits
from workbench.analysis.counterfactuals import changes as counterfactuals
from workbench.analysis.faithfulness import channels, perturbation
from workbench.analysis.saliency import attribution, temporal

Call = Callable[[object, object], object]
CALLS: dict[str, Call] = {
    "gradcam": lambda model, clips: saliency.gradcam(model, clips, "ladm.Y_D"),
    "attribute": lambda model, clips: attribution.attribute(model, clips, "saliency"),
    "deletion": lambda model, clips: perturbation.perturb_clips(model, clips, {"a": np.zeros((2, 16, 64, 64))}),
    "frames": lambda model, clips: temporal.frame_importance(model, clips),
    "channels": lambda model, clips: channels.perturb_channels(model, clips, "ladm.Y_D"),
    "inspect": splits.inspect_split,
    "counterfactuals": lambda model, clips: counterfactuals.counterfactuals(model, clips, []),
}


@pytest.fixture(scope="module")
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return ifdd.load_checkpoint(tiny_bundle_dir)


@pytest.fixture(scope="module")
def clips(bundle: Bundle) -> torch.Tensor:
    return torch.rand(2, 3, bundle.model.config.frames, *bundle.model.config.size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_model_or_no_clips(call: Call, bundle: Bundle, clips: torch.Tensor) -> None:
    with pytest.raises(InputError, match=r"the model is a Bundle.*bundle\.model"):
        call(bundle, clips)
    for wrong, name in ((clips.numpy(), "ndarray"), ("x.mp4", "str"), (None, "NoneType")):
        with pytest.raises(InputError, match=f"clips are a {name}"):
            call(bundle.model, wrong)


def test_classes_go_by_name(bundle: Bundle, clips: torch.Tensor) -> None:
    labels = bundle.labels
    named = saliency.gradcam(bundle.model, clips, "ladm.Y_D", target=[labels[3], labels[1]], against=labels[0])
    numbered = saliency.gradcam(bundle.model, clips, "ladm.Y_D", target=[3, 1], against=0)
    assert named.target.tolist() == [3, 1]
    np.testing.assert_array_equal(named.raw, numbered.raw)


@pytest.mark.parametrize("target", ["joy", ["happy", "joy"], b"happy", 1.5, object(), -1, [0, 1, 2]])
def test_what_is_no_class_says_so(bundle: Bundle, clips: torch.Tensor, target: object) -> None:
    with pytest.raises(InputError, match="is no class"):
        saliency.gradcam(bundle.model, clips, "ladm.Y_D", target=target)  # type: ignore[arg-type]


def test_a_model_without_labels_asks_for_numbers(clips: torch.Tensor) -> None:
    model = ifdd.create_model("ifdd-mvit-tiny", size=(64, 64))
    with pytest.raises(InputError, match="give numbers from 0 to 6"):
        saliency.gradcam(model, clips, "ladm.Y_D", target="happy")


def test_a_checkpoint_predicts_a_file_as_its_preprocessing_reads_it(bundle: Bundle, clips_manifest: Path) -> None:
    folder = clips_manifest.parent / "clip-0"
    whole = Bundle(bundle.model, bundle.card, ifdd.checkpoints.Preprocessing(16, (64, 64), "none"), bundle.path)
    expected = whole.predict(load_clip(folder, whole.preprocessing).tensor()[None])
    for given in (folder, str(folder)):
        torch.testing.assert_close(whole.predict(given), expected, rtol=0, atol=0)
    for wrong in (clips_manifest.read_bytes(), np.zeros((1, 3, 16, 64, 64), np.float32), None):
        with pytest.raises(InputError, match="clips are a"):
            whole.predict(wrong)  # type: ignore[arg-type]


def test_a_model_that_is_none(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="name or a ModelConfig"):
        ifdd.create_model(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="given by name"):
        bundle.model.run_with_cache(torch.zeros(1), names=3)
