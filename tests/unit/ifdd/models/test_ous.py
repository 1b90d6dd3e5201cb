"""The ous family: shapes, parts, ablations, errors, round trips."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import ifdd
from ifdd.activations import Activation
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS, POLARITIES, polarity_of
from ifdd.models.cost import cost
from ifdd.models.families import FAMILIES, short_names
from ifdd.models.loading import load_exactly
from ifdd.models.ous.config import OUSConfig
from ifdd.models.ous.model import OUSModel
from ifdd.models.ous.parts import Alignment, FrameEncoder, FramesMean, PolarityEncoder, TimeLSTM, TypeLSTM
from ifdd.models.ous.text import tokens_of
from ifdd.scripted.script.extras import POLARITY, SCENE_OF

SMALL = {"frames": 4, "size": (32, 48)}


def made(**changes: Any) -> OUSModel:
    torch.manual_seed(0)
    model = ifdd.create_model("ous-vit-tiny", **(SMALL | changes)).eval()
    assert isinstance(model, OUSModel)
    return model


def some_clips(model: OUSModel, n: int = 3, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.rand(n, *shape, generator=generator) for name, shape in model.inputs.items()}


@pytest.mark.parametrize("preset", ["paper", "released"])
def test_activations_have_the_shapes_that_they_tell(preset: str) -> None:
    model = made(preset=preset)
    with torch.no_grad():
        output, cache = model.run_with_cache(some_clips(model))
    types = 3 if preset == "paper" else 2
    wanted: dict[str, tuple[int, ...]] = {
        "face.map": (3, 64, 4, 2, 3),
        "face.V_f": (3, 4, 64),
        "face.V_ft": (3, 64),
        "scene.map": (3, 64, 4, 2, 3),
        "scene.V_s": (3, 4, 64),
        "scene.V_st": (3, 64),
        "fusion.queries": (3, 3, 64) if preset == "paper" else (3, 2, 2, 64),
        "fusion.attention": (3, 2, 4, types, types),
        "head.embedding": (3, 64),
        "head.logits": (3, 7),
    }
    wanted |= {"polarity": (3, 3)} if preset == "paper" else {}
    assert {name: tuple(found.shape) for name, found in cache.items()} == wanted
    assert set(cache) == set(model.activation_names)
    for name in wanted:
        told = model.describe(name)
        assert len(told.axes) == len(wanted[name]), name
        assert Activation.from_dict(name, told.to_dict()) == told
    assert {name: (model.describe(name).group, model.describe(name).input) for name in ("face.V_ft", "scene.map")} == {
        "face.V_ft": ("face", "face"),
        "scene.map": ("scene", "scene"),
    }
    assert model.branches == {"face": "face.map", "scene": "scene.map"}
    assert model.spatial_activations == ("face.map", "scene.map")
    assert model.capabilities == {"stages", "streams"}
    assert output.logits.shape == (3, 7)
    torch.testing.assert_close(output.embedding.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(cache["fusion.attention"].sum(-1), torch.ones(3, 2, 4, types))


def test_short_names_and_their_inputs() -> None:
    names = {name: fields for name, (family, fields) in short_names().items() if family.config is OUSConfig}
    assert set(names) == {"ous-vit-tiny", "ous-clip-b32", "ous-clip-l14"}
    config = OUSConfig.parse(names["ous-clip-l14"], "l14")
    assert config.inputs == {"face": (3, 16, 224, 224), "scene": (3, 16, 224, 224)}
    assert (config.scenes, config.class_names, config.encoder_is_trained) == ({"scene"}, EMOTIONS, False)


def test_batches_and_streams_do_not_mix() -> None:
    model = made()
    clips = some_clips(model)
    with torch.no_grad():
        alone = torch.cat([model({name: part[i : i + 1] for name, part in clips.items()}).logits for i in range(3)])
        torch.testing.assert_close(model(clips).logits, alone, rtol=1e-4, atol=1e-5)
        swapped = model({"face": clips["face"], "scene": clips["scene"].flip(0)})
        plain = model(clips)
    torch.testing.assert_close(swapped.V_ft, plain.V_ft)
    torch.testing.assert_close(swapped.V_st, plain.V_st.flip(0), rtol=1e-4, atol=1e-5)
    assert (swapped.logits[0] - plain.logits[0]).abs().max() > 1e-4


def test_the_encoder_is_shared() -> None:
    model = made(lstm="none")
    clips = some_clips(model)
    with torch.no_grad():
        _, cache = model.run_with_cache({"face": clips["face"], "scene": clips["face"]}, names=("face.V_f", "scene.V_s"))
    torch.testing.assert_close(cache["face.V_f"], cache["scene.V_s"])


def test_over_time_or_over_type() -> None:
    """Over time a frame depends on those before it; over type the scene depends on the face, at the same frame alone."""
    x, y = torch.randn(2, 5, 6), torch.randn(2, 5, 6)
    later = x.clone()
    later[:, 3] += 1
    with torch.no_grad():
        for kind in (TimeLSTM, TypeLSTM):
            lstm = kind(6)
            changed = [(a - b).abs().amax((0, 2)) > 1e-6 for a, b in zip(lstm((later, y)), lstm((x, y)), strict=True)]
            face, scene = ([False, False, False, True, True], [False] * 5)
            if kind is TypeLSTM:
                face = scene = [False, False, False, True, False]
            assert [one.tolist() for one in changed] == [face, scene]
    assert (TypeLSTM(6)((x, y))[0] - x).abs().max() > 1e-3


def test_a_scene_has_no_order_without_a_convolution_or_an_lstm() -> None:
    model = made(preset="released")
    clips = some_clips(model)
    with torch.no_grad():
        flipped = model({"face": clips["face"].flip(2), "scene": clips["scene"].flip(2)})
    torch.testing.assert_close(flipped.V_st, model(clips).V_st, rtol=1e-4, atol=1e-5)
    assert (flipped.V_ft - model(clips).V_ft).abs().max() > 1e-4


def test_the_polarity_can_be_said() -> None:
    """What the fusion knows of the first blocks is the polarity: said by hand, it is the same for all scenes of one V_st."""
    model = made()
    clips = some_clips(model)
    said = torch.tensor([[20.0, -20.0, -20.0]] * 3)
    with torch.no_grad(), model.hooks({"polarity": lambda found: said}):
        output = model(clips)
        assert (output.logits - model(clips).logits).abs().max() == 0
    torch.testing.assert_close(output.polarity, said)
    with torch.no_grad():
        assert (model(clips).logits - output.logits).abs().max() > 1e-4
    assert model.polarity_encoder is not None
    torch.testing.assert_close(model.polarity_encoder.token(said), model.polarity_encoder.vectors[:1].expand(3, -1))


def test_queries_are_shared_by_all_blocks_or_are_ones() -> None:
    shared, own = made(), made(preset="released")
    assert shared.fusion.query.shape == (3, 64)
    assert shared.fusion.query.std().item() == pytest.approx(1, abs=0.15)
    assert own.fusion.query.shape == (2, 2, 64)
    assert bool((own.fusion.query == 1).all())
    assert made(queries="per-block").fusion.query.shape == (2, 3, 64)
    clips = some_clips(shared)
    with torch.no_grad(), shared.hooks({"fusion.queries": torch.zeros_like}):
        even = shared.run_with_cache(clips, names="fusion.attention")[1]["fusion.attention"]
    assert (even.std(-2) < 1e-6).all()  # equal queries look at the same types


def test_late_fusion_is_the_mean_of_the_streams_logits() -> None:
    late = made(fusion="late")
    assert (late.config.parts.polarity, late.config.parts.align, late.config.parts.similarity_weight) == (False, False, 0)
    clips = some_clips(late)
    weights = late.state_dict()
    found = []
    for stream in ("face", "scene"):
        alone = made(streams=(stream,))
        load_exactly(alone, {key: value for key, value in weights.items() if key in alone.state_dict()})
        with torch.no_grad():
            found.append(alone(clips[stream]).logits)
    with torch.no_grad():
        torch.testing.assert_close(late(clips).logits, (found[0] + found[1]) / 2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stream", ["face", "scene"])
def test_one_stream_alone(stream: str) -> None:
    model = made(streams=(stream,))
    assert (model.inputs, model.branches) == ({stream: (3, 4, 32, 48)}, {stream: f"{stream}.map"})
    assert model.capabilities == {"stages"}
    clips = some_clips(model)
    with torch.no_grad():
        output = model(clips[stream])
        torch.testing.assert_close(output.logits, model(clips).logits)
    assert ((output.V_ft is None), (output.V_st is None), output.polarity) == (stream == "scene", stream == "face", None)


@pytest.mark.parametrize(
    "changes", [{}, {"preset": "released"}, {"fusion": "late"}, {"streams": ("face",)}, {"lstm": "none"}, {"classes": ("a", "b")}]
)
def test_a_state_dict_gives_the_same_model_again(changes: dict[str, Any]) -> None:
    model = made(**changes)
    torch.manual_seed(5)
    again = ifdd.create_model(model.config).eval()
    load_exactly(again, model.state_dict())
    clips = some_clips(model)
    with torch.no_grad():
        torch.testing.assert_close(again(clips).logits, model(clips).logits, rtol=0, atol=0)


def test_all_that_is_trained_takes_part() -> None:
    """No parameter is left over, which several processes would wait for."""
    for changes in ({}, {"preset": "released"}, {"fusion": "late"}, {"streams": ("scene",)}, {"polarity_weight": 0.0}):
        model = made(**changes).train()
        loss = FAMILIES["ous"].loss(model.config, type("Loss", (), {"label_smoothing": 0.0}))
        loss(model(some_clips(model)), torch.tensor([0, 1, 2]))["loss"].backward()
        assert not [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None], changes


def test_no_encoder_learns_that_is_kept() -> None:
    kept = made(train_encoder=False)
    assert not any(p.requires_grad for p in kept.encoder.parameters())
    assert all(p.requires_grad for p in kept.fusion.parameters())
    assert all(p.requires_grad for p in made().parameters())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "reference"}, "preset: .*'paper' or 'released'"),
        ({"encoder": "clip-b16"}, "encoder: "),
        ({"num_classes": 3}, "num_classes=3, and 7 classes are named"),
        ({"size": (32, 40)}, r"size \(32, 40\) must be positive multiples of 16"),
        ({"streams": ("scene", "face")}, "must be face, scene, or both in this order"),
        ({"streams": ()}, "must be face, scene"),
        ({"lstm": "type", "fusion": "late"}, "lstm='type' goes from face to scene"),
        ({"lstm": "type", "streams": ("face",)}, "lstm='type' goes from face to scene"),
        ({"queries": "shared", "fusion": "late"}, "there are none"),
        ({"similarity_weight": 1.0, "streams": ("face",)}, "compares the scene with the face; this model reads the face alone"),
        ({"polarity_weight": 1.0, "preset": "released"}, "preset='paper' with both streams fused"),
        ({"frames": 1}, "frames: .*greater than or equal to 2"),
        ({"framse": 8}, "unknown key 'framse'; did you mean 'frames'"),
        ({"classes": ("happy", "Happy")}, "twice"),
        ({"context": 78, "encoder": "clip-b32", "size": (224, 224)}, "context: .*less than or equal to 77"),
    ],
)
def test_impossible_models_are_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        ifdd.create_model("ous-vit-tiny", **(SMALL | changes))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scene": None}, "clips are of face; this model reads face, scene"),
        ({"scene": (2, 3, 6, 32, 48)}, r"clips of scene have shape \(2, 3, 6, 32, 48\); this model reads \(B, 3, 4, 32, 48\)"),
        ({"scene": (1, 3, 4, 32, 48)}, "2 clips of face, 1 clips of scene; give the same clips"),
        ({"face": (2, 3, 4, 48, 32)}, "clips of face have shape"),
    ],
)
def test_clips_that_do_not_fit_are_told(change: dict[str, Any], message: str) -> None:
    model = made()
    clips: dict[str, Any] = some_clips(model, 2)
    clips |= {name: None if shape is None else torch.rand(*shape) for name, shape in change.items()}
    with pytest.raises(InputError, match=message):
        model({name: part for name, part in clips.items() if part is not None})
    with pytest.raises(InputError, match="this model reads face and scene; give a dictionary"):
        model(clips["face"])


def test_polarities_are_those_of_the_scripted_clips() -> None:
    assert {name: polarity_of(name) for name in EMOTIONS} == {name: SCENE_OF[sign] for name, sign in POLARITY.items()}
    assert polarity_of("Helplessness") == "negative"
    assert polarity_of("yawning") is None
    assert set(SCENE_OF.values()) == set(POLARITIES)


def test_prompts_are_in_the_order_of_the_labels_and_end_in_the_class() -> None:
    tokenizer = pytest.importorskip("open_clip.tokenizer").SimpleTokenizer()
    for name in ("happy", "in two minds", "dis_gust"):
        theirs = tokenizer([" ".join(["X"] * 5) + f" {name.replace('_', ' ')}."])[0].tolist()
        assert tokens_of(name, 5) == theirs
    with pytest.raises(InputError, match=r"the prompt of 'happy' has 78 words with 74 learnt ones, CLIP reads 77; .*73 or less"):
        tokens_of("happy", 74)
    assert len(tokens_of("happy", 73)) == 77


def test_clip_without_its_vocabulary_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from ifdd.models.ous import text

    monkeypatch.setitem(__import__("sys").modules, "open_clip.tokenizer", None)
    text._tokenizer.cache_clear()
    with pytest.raises(InputError, match=r"pip install 'ifdd-workbench\[clip\]', or choose encoder=vit-tiny"):
        cost("ous-clip-b32")
    text._tokenizer.cache_clear()


def test_costs() -> None:
    found = cost("ous-vit-tiny")
    assert found.parameters == sum(p.numel() for p in ifdd.create_model("ous-vit-tiny").parameters())
    assert 0.6e9 < found.macs < 0.8e9
    assert cost(OUSConfig(streams=("face",))).macs < 0.52 * found.macs


@pytest.mark.parametrize(
    "piece",
    [
        TimeLSTM(4),
        TypeLSTM(4),
        Alignment(4),
        FrameEncoder(4, 3, 1, 2, 0.02),
        FramesMean(torch.nn.Linear(4, 4)),
        PolarityEncoder(3, 4, 4),
    ],
    ids=lambda piece: type(piece).__name__,
)
def test_gradients_of_the_pieces(piece: torch.nn.Module) -> None:
    piece = piece.double()
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    y = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    if isinstance(piece, TimeLSTM | TypeLSTM):
        assert torch.autograd.gradcheck(lambda a, b: tuple(piece((a, b))), (x, y))
    elif isinstance(piece, PolarityEncoder):
        assert torch.autograd.gradcheck(lambda a: piece.token(piece(a)), (x,))
    else:
        assert torch.autograd.gradcheck(piece, (x,))


def test_a_checkpoint_keeps_the_order_of_the_classes(tmp_path: Path) -> None:
    from ifdd.card import Card
    from ifdd.checkpoints import library_versions, load_checkpoint, save_checkpoint

    model = made(classes=("sad", "happy", "angry"))
    card = {
        "name": "ous",
        "notice": "for a test",
        "model": model.config.model_dump(mode="json"),
        "labels": ["sad", "happy", "angry"],
        "preprocessing": {
            "face": {"frames": 4, "size": [32, 48]},
            "scene": {"frames": 4, "size": [32, 48], "crop": "none"},
        },
        "data": {},
        "training": {},
        "metrics": {},
        "versions": library_versions(),
    }
    save_checkpoint(tmp_path / "ous", model, Card.parse(card, "card"))
    bundle = load_checkpoint(tmp_path / "ous")
    assert bundle.model.config == model.config
    clips = some_clips(model)
    with torch.no_grad():
        torch.testing.assert_close(bundle.predict(clips), model(clips).logits.softmax(1), rtol=0, atol=1e-6)
    with pytest.raises(InputError, match="they are happy, sad, angry, the model's prompts sad, happy, angry"):
        Card.parse(card | {"labels": ["happy", "sad", "angry"]}, "card")


def test_a_small_encoder_reads_each_frame_beside_what_moved_in_it() -> None:
    model = made()
    clips = some_clips(model)
    shown = model.normalise(clips["face"])
    torch.testing.assert_close(shown[:, :3], clips["face"])
    torch.testing.assert_close(shown[:, 3:].mean(2), torch.zeros_like(shown[:, 3:, 0]), atol=1e-5, rtol=0)
    still = clips["face"][:, :, :1].expand_as(clips["face"])
    assert model.normalise(still)[:, 3:].abs().max() < 1e-6
