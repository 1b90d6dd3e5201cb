"""CLIP's weights → encoders of OUS, which then compute what open_clip computes."""

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

import ifdd
from ifdd.checkpoints import load_checkpoint
from ifdd.errors import InputError
from ifdd.models.families import create_model
from ifdd.models.ous.config import ENCODERS
from ifdd.weights.converting import convert_clip

open_clip = pytest.importorskip("open_clip")


@pytest.mark.slow
@pytest.mark.parametrize("gelu", ["quick-gelu", "gelu"])
def test_clips_logits_are_open_clips_own(gelu: str, tmp_path: Path) -> None:
    """A frame of a clip, and prompts without learnt words ("X X X happy."), at random weights of full size."""
    torch.manual_seed(0)
    theirs = open_clip.create_model("ViT-B-32-quickgelu" if gelu == "quick-gelu" else "ViT-B-32", pretrained=None).eval()
    model: Any = ifdd.weights.from_clip(theirs.state_dict(), "ous-clip-b32", frames=2, context=3, gelu=gelu)
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    texts = tokenizer([f"X X X {name}." for name in model.config.classes])
    clips = {name: torch.rand(1, *shape) for name, shape in model.inputs.items()}
    with torch.no_grad():
        model.prompts.context.copy_(theirs.token_embedding(texts[0, 1:4]))
        output, cache = model.run_with_cache(clips, names=("face.V_f", "scene.V_s"))
        mean, std = (
            torch.tensor(values)[:, None, None] for values in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
        )
        for stream, name in (("face", "face.V_f"), ("scene", "scene.V_s")):
            frames = (clips[stream][0].transpose(0, 1) - mean) / std
            features = theirs.encode_image(frames)
            torch.testing.assert_close(cache[name][0], features, rtol=0, atol=1e-5)
            logits, _ = theirs.get_logits(frames, texts)
            own = model.head(torch.nn.functional.normalize(cache[name][0], dim=1), output.text)[1]
            torch.testing.assert_close(own, logits, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(output.text, theirs.encode_text(texts), rtol=0, atol=1e-5)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """An encoder of CLIP's kind with two blocks in place of clip-b32, and weights for it."""
    sizes = ENCODERS["clip-b32"]
    tiny = type(sizes)((32, 32), 16, 32, 5, 2, 16, 1, 2, (24, 1, 2), "small")
    monkeypatch.setitem(ENCODERS, "clip-b32", tiny)
    vision = {"image_size": 32, "layers": 5, "width": 32, "patch_size": 16, "head_width": 16}
    text = {"context_length": 77, "vocab_size": 49408, "width": 24, "heads": 2, "layers": 1}
    torch.manual_seed(1)
    return dict(open_clip.CLIP(16, vision, text, quick_gelu=True).state_dict())


def test_a_file_becomes_a_checkpoint_to_begin_from(small: dict[str, torch.Tensor], tmp_path: Path) -> None:
    half = {f"module.{key}": value.half().contiguous() for key, value in small.items()}
    safetensors.torch.save_file(half | {"module.context_length": torch.tensor(77)}, tmp_path / "clip.safetensors")
    labels = ("sad", "happy", "in two minds")
    folder = convert_clip(tmp_path / "clip.safetensors", tmp_path / "begun", "ous-clip-b32", labels)
    bundle = load_checkpoint(folder)
    assert bundle.labels == bundle.model.config.classes == labels
    assert {name: read.crop for name, read in bundle.inputs.items()} == {"face": "face", "scene": "none"}
    found = bundle.model.state_dict()
    torch.testing.assert_close(found["encoder.proj"], small["visual.proj"], rtol=0, atol=1e-2)
    torch.testing.assert_close(
        found["text_encoder.blocks.0.ln_1.weight"], small["transformer.resblocks.0.ln_1.weight"], rtol=0, atol=1e-2
    )
    torch.testing.assert_close(found["head.logit_scale"], small["logit_scale"], rtol=0, atol=1e-2)


def test_what_is_trained_of_clip(small: dict[str, torch.Tensor]) -> None:
    """Its encoders and scale are kept, as released; the learnt words of the prompts are not."""
    model = create_model("ous-clip-b32")
    kept = {name.partition(".")[0] for name, p in model.named_parameters() if not p.requires_grad}
    trained = {name.partition(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert kept == {"encoder", "text_encoder", "head"}
    assert trained == {"face", "scene", "lstm", "polarity_encoder", "fusion", "prompts"}
    output = model({name: torch.rand(2, *shape) for name, shape in model.inputs.items()})
    output.logits[:, 0].sum().backward()
    assert bool(model.prompts.context.grad.any())


@pytest.mark.parametrize(
    ("change", "model", "message"),
    [
        (
            {"visual.conv1.weight": torch.zeros(1024, 3, 14, 14), "visual.proj": torch.zeros(1024, 768)},
            "ous-clip-b32",
            "weights of width 1024, patch 14, 768 features; clip-b32 has 32, 16, 16: choose ous-clip-l14",
        ),
        (
            {"visual.conv1.weight": torch.zeros(64, 3, 16, 16)},
            "ous-clip-b32",
            "width 64, patch 16, 16 features; .*: give the weights of small",
        ),
        ({"visual.proj": None}, "ous-clip-b32", "no visual.conv1.weight and visual.proj"),
        (
            {"visual.positional_embedding": torch.zeros(50, 32)},
            "ous-clip-b32",
            "positional_embedding is .50, 32., expected .5, 32.",
        ),
        ({"transformer.resblocks.0.ln_2.bias": None}, "ous-clip-b32", "missing text_encoder.blocks.0.ln_2.bias"),
        ({}, "ous-vit-tiny", "ous-vit-tiny has no CLIP encoder; choose ous-clip-b32, ous-clip-l14"),
        ({}, "ifdd-mvit-tiny", "ifdd-mvit-tiny has no CLIP encoder"),
    ],
)
def test_weights_that_do_not_fit(
    change: dict[str, torch.Tensor | None], model: str, message: str, small: dict[str, torch.Tensor]
) -> None:
    weights = {key: value for key, value in (small | change).items() if value is not None}
    with pytest.raises(InputError, match=message) as error:
        ifdd.weights.from_clip(weights, model)
    assert "\n" not in str(error.value)
