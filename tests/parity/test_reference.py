"""Our parts in preset `reference` against tensors of the released code (rtol 1e-4, atol 1e-5)."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from typer.testing import CliRunner

import ifdd
from ifdd import cli
from ifdd.labels import EMOTIONS
from ifdd.models.ifdd.losses import LiftingLoss
from ifdd.models.ifdd.presets import PRESETS
from ifdd.models.loading import load_exactly
from ifdd.modules.head import Head, LearnedPooling
from ifdd.modules.issm import EvenOddSplit, IndexSplit, Split
from ifdd.modules.ladm import LADM, CrossLift, PredictFirstLADM, Refinement
from ifdd.modules.splits import OffsetSplit, TopKSplit, WeightSplit
from ifdd.weights.reference import rename_reference

PREFIX = "backbone.WaveLifts."


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def load(shared: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Tensors of one file: results, and parameters under our names."""
    tensors = load_file(shared / "reference" / f"{name}.safetensors")
    prefix = PREFIX + ("adapt_split." if name.startswith("issm") else "")
    parameters = {prefix + key.removeprefix("param."): value for key, value in tensors.items() if key.startswith("param.")}
    return tensors, rename_reference(parameters)


def part(parameters: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(name): value for key, value in parameters.items() if key.startswith(name)}


def build_issm(channels: int, steps: int) -> IndexSplit:
    return IndexSplit(channels, steps, offset_range=2, correlation_scale=1 / channels, read_at=PRESETS["reference"].read_at)


@pytest.mark.parametrize("grid", ["7x7", "14x14"])
def test_issm_index(shared: Path, grid: str) -> None:
    tensors, parameters = load(shared, f"issm_index_8x{grid}")
    features = tensors["x"]
    side = int(features.shape[-1] ** 0.5)
    split = build_issm(features.shape[1], features.shape[2])
    load_exactly(split, part(parameters, "issm."))
    caught: dict[str, Tensor] = {}
    for name in ("correlation", "position_S", "position_D"):
        getattr(split, name).register_forward_hook(lambda _m, _i, out, name=name: caught.__setitem__(name, out))
    static, dynamic = split(features.unflatten(-1, (side, side)))
    close(caught["correlation"], tensors["correlation"])
    close(caught["position_S"], tensors["index_static"])
    close(caught["position_D"], tensors["index_dynamic"])
    close(static.flatten(3), tensors["x_static"])
    close(dynamic.flatten(3), tensors["x_dynamic"])


@pytest.mark.parametrize("name", ["issm_topk_8x7x7", "issm_weight_8x7x7"])
def test_other_splits(shared: Path, name: str) -> None:
    tensors = load_file(shared / "reference" / f"{name}.safetensors")
    channels, steps = tensors["x"].shape[1:3]
    split = TopKSplit(steps) if "topk" in name else WeightSplit(channels, steps)
    load_exactly(
        split, {k.replace("param.dim_project.0.", "project."): value for k, value in tensors.items() if k.startswith("param.")}
    )
    static, dynamic = split(tensors["x"].unflatten(-1, (7, 7)))
    close(static.flatten(3), tensors["x_static"])
    close(dynamic.flatten(3), tensors["x_dynamic"])


@pytest.mark.parametrize("name", ["ladm_ifdd", "ladm_no_issm", "ladm_predict_first", "ladm_no_branch_norm"])
def test_ladm(shared: Path, name: str) -> None:
    tensors, parameters = load(shared, name)
    dim, heads, steps, side = 32, 4, 8, 7
    preset = PRESETS["reference"]
    split: Split = EvenOddSplit(steps) if name == "ladm_no_issm" else build_issm(dim, steps)
    lift = (PredictFirstLADM if name == "ladm_predict_first" else LADM)(
        dim,
        norm=nn.Identity if name == "ladm_no_branch_norm" else nn.LayerNorm,
        update=CrossLift(dim, heads, combine=preset.combine),
        predict=CrossLift(dim, heads, combine=preset.combine),
        refine=Refinement(dim, heads, drop_path=0.0, mlp_drop_path=0.0, mlp_skip=preset.mlp_skip),
    )
    pooling = LearnedPooling(steps // 2 * side * side)
    load_exactly(split, part(parameters, "issm."))
    load_exactly(lift, part(parameters, "ladm."))
    load_exactly(pooling, part(parameters, "head.pooling."))

    tokens = tensors["x"].clone().requires_grad_()
    features = tokens.transpose(1, 2).unflatten(2, (steps, side, side))
    y_static, y_dynamic = lift(*split(features))
    vector, _ = Head(dim, 7, pooling=pooling, dropout=0.0)(y_dynamic)
    residual = features.mean((1, 2)) - y_static.unflatten(1, (-1, side, side)).mean((1, 4))
    loss = LiftingLoss.from_preset("reference")(residual)
    close(y_static, tensors["y_static"])
    close(y_dynamic, tensors["y_dynamic"])
    close(vector, tensors["vector"])
    close(residual, tensors["residual"])
    close(loss.reshape(1), tensors["lifting_loss"])
    (gradient,) = torch.autograd.grad(loss + vector.square().sum(), tokens)
    close(gradient, tensors["grad_x"])


def fill(names: dict[str, list[int]], salt: str) -> dict[str, Tensor]:
    """The filling that shared/reference/README.md states."""
    filled = {}
    for name, shape in names.items():
        values = np.random.default_rng(zlib.crc32((salt + name).encode())).standard_normal(shape).astype("float32")
        if len(shape) >= 2:
            values /= np.float32(np.sqrt(np.prod(shape[1:])))
        else:
            values *= np.float32(0.1)
            values += np.float32(1.0 if name.endswith("weight") else 0.0)
        filled[name] = torch.from_numpy(values)
    return filled


def released_network(shared: Path) -> tuple[dict[str, Tensor], Tensor]:
    """State dict of the whole released network, and the clips that its outputs are known for."""
    description = json.loads((shared / "reference" / "network_xs.json").read_text())
    state_dict = fill(description["parameters"], description["salt"])
    state_dict |= {name: torch.zeros(shape, dtype=torch.int64) for name, shape in description["buffers"].items()}
    clips = np.random.default_rng(description["clip_seed"]).random((2, 3, 16, 224, 224), dtype=np.float32)
    return state_dict, torch.from_numpy(clips)


def test_whole_network(shared: Path) -> None:
    theirs = load_file(shared / "reference" / "network_xs.safetensors")
    state_dict, clips = released_network(shared)
    model = ifdd.weights.from_reference({f"module.{name}": value for name, value in state_dict.items()})
    with torch.no_grad():
        output, cache = model.run_with_cache(clips)
    close(output.logits, theirs["logits"])
    close(cache["issm.correlation"], theirs["correlation"])
    close(cache["issm.position_S"], theirs["index_static"])
    close(cache["issm.position_D"], theirs["index_dynamic"])
    close(cache["ladm.Y_S"][:, ::7, ::16], theirs["y_static"])
    close(cache["ladm.Y_D"][:, ::7, ::16], theirs["y_dynamic"])

    del state_dict["head.head.1.weight"]
    with pytest.raises(ifdd.InputError, match=r"missing head\.classify\.weight"):
        ifdd.weights.from_reference(state_dict | {"extra": torch.zeros(1)})


def test_a_released_checkpoint_is_converted_with_the_same_logits(shared: Path, tmp_path: Path) -> None:
    state_dict, clips = released_network(shared)
    wrapped = {f"module.{name}": value for name, value in state_dict.items()}
    torch.save({"epoch": 3, "model": wrapped, "opt": {"state": {}}, "ema": None}, tmp_path / "best é.pth")
    out = tmp_path / "checkpoints" / "dfew"
    arguments = ["weights", "convert", str(tmp_path / "best é.pth"), "--out", str(out), "--labels", ",".join(EMOTIONS)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    bundle = ifdd.load_checkpoint(out)
    assert (bundle.name, bundle.labels) == ("dfew", EMOTIONS)
    with torch.no_grad():
        close(bundle.model(clips).logits, load_file(shared / "reference" / "network_xs.safetensors")["logits"])


def without(state_dict: dict[str, Tensor], *parts: str) -> dict[str, Tensor]:
    return {name: value for name, value in state_dict.items() if not any(part in name for part in parts)}


def lift_keys(state_dict: dict[str, Tensor]) -> list[str]:
    return [key for key in state_dict if PREFIX in key and "adapt_split" not in key and "project_compress" not in key]


def sixteen_blocks(whole: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names and shapes of the released `MFViT_S`: the third stage has blocks 3 to 13, of which 5 to 7 are like the others."""
    grown = {key: value for key, value in whole.items() if "blocks." not in key}
    source = {i: i for i in range(8)} | dict.fromkeys(range(8, 14), 7) | {14: 8, 15: 9}
    for key, value in whole.items():
        if "blocks." in key:
            block = int(key.split("blocks.")[1].split(".")[0])
            grown |= {key.replace(f"blocks.{block}.", f"blocks.{i}."): value for i, j in source.items() if j == block}
    return grown


def offset_split(steps: int, channels: int) -> dict[str, list[int]]:
    """Names and shapes of the released `adaptIndexSplit_dimLearn`."""
    narrow = channels // 8
    names = {
        "dim_pool.0.weight": [narrow, channels, 1, 1],
        "dim_pool.0.bias": [narrow],
        "hwd_project.0.weight": [narrow, narrow, 3, 3],
        "hwd_project.0.bias": [narrow],
        "time_project.0.weight": [1, 16 * narrow, 3],
        "time_project.0.bias": [1],
        "offset_project_approx.0.weight": [steps // 2, steps],
        "offset_project_detail.0.weight": [steps // 2, steps],
    }
    return {f"{PREFIX}adapt_split.{name}": shape for name, shape in names.items()}


def test_variants_are_read_off_names_and_shapes(shared: Path) -> None:
    whole, _ = released_network(shared)
    alone = without(whole, "PANLayer", "CatConv")
    three = alone | {
        "backbone.PANLayer.0.weight": torch.zeros(192, 192, 3, 3),
        "backbone.PANLayer.1.weight": torch.zeros(384, 384, 3, 3),
        "backbone.CatConv.weight": torch.zeros(768, 192 + 384 + 768, 1, 1),
    }
    no_split = without(whole, "adapt_split")
    weight = {"dim_project.0.weight": torch.zeros(768, 49 * 768), "dim_project.0.bias": torch.zeros(768)}
    for state_dict, expected in (
        (whole, {"stages": (2, 3), "split": "index", "lift": "update-first", "branch_norms": True, "backbone": "mvit-xs"}),
        (alone, {"stages": (3,)}),
        (three, {"stages": (1, 2, 3)}),
        (no_split, {"split": "even-odd"}),
        (no_split | {f"{PREFIX}adapt_split.{key}": value for key, value in weight.items()}, {"split": "weight"}),
        (no_split | fill(offset_split(8, 768), ""), {"split": "offset"}),
        (without(whole, "xa_norm", "xd_norm"), {"branch_norms": False}),
        (sixteen_blocks(whole), {"backbone": "mvit-s"}),
    ):
        config = ifdd.weights.from_reference(state_dict).config
        assert expected == {key: getattr(config, key) for key in expected}
    assert ifdd.weights.from_reference(whole, lift="predict-first").config.lift == "predict-first"
    assert ifdd.weights.from_reference(no_split, split="topk").config.split == "topk"
    with pytest.raises(ifdd.InputError, match="has 9 blocks; known are mvit-xs with 10 and mvit-s with 16"):
        ifdd.weights.from_reference(without(whole, "blocks.9."))


def test_split_without_a_lift(shared: Path) -> None:
    """The released ISSM-only network pools X_D with weights and a bias, and classifies that."""
    whole, clips = released_network(shared)
    state_dict = without(whole, *lift_keys(whole)) | {f"{PREFIX}project_compress.bias": torch.tensor([0.3])}
    model = ifdd.weights.from_reference(state_dict)
    assert (model.config.split, model.config.lift) == ("index", "none")
    with torch.no_grad():
        output, cache = model.run_with_cache(clips[:1], names=("issm.X_D", "issm.X_S", "pyramid.X"))
    pooled = cache["issm.X_D"].flatten(2) @ state_dict[f"{PREFIX}project_compress.weight"][0] + 0.3
    close(output.logits, pooled @ state_dict["head.head.1.weight"].T + state_dict["head.head.1.bias"])
    pairs = cache["pyramid.X"].unflatten(2, (4, 2)).mean(3)
    close(output.static_residual, (pairs - cache["issm.X_S"]).mean((1, 2)))


def test_offsets_without_correlation() -> None:
    """Against the released layers written out with `grid_sample`, as the released code reads."""
    torch.manual_seed(0)
    steps, channels, narrow = 8, 16, 2
    weights = fill(offset_split(steps, channels), "")
    w = {key.removeprefix(f"{PREFIX}adapt_split."): value for key, value in weights.items()}
    features = torch.randn(2, channels, steps, 14, 14)
    frames = nn.functional.adaptive_avg_pool2d(features.transpose(1, 2).reshape(-1, channels, 14, 14), 7)
    frames = nn.functional.gelu(nn.functional.conv2d(frames, w["dim_pool.0.weight"], w["dim_pool.0.bias"]))
    frames = nn.functional.conv2d(frames, w["hwd_project.0.weight"], w["hwd_project.0.bias"], stride=2, padding=1)
    columns = nn.functional.gelu(frames).reshape(2, steps, 16 * narrow).transpose(1, 2)
    score = nn.functional.gelu(nn.functional.conv1d(columns, w["time_project.0.weight"], w["time_project.0.bias"], padding=1))
    expected = []
    for first, name in ((0, "approx"), (1, "detail")):
        offset = 2 * torch.tanh(score[:, 0] @ w[f"offset_project_{name}.0.weight"].T)
        index = torch.arange(first, steps, 2) + offset
        grid = nn.functional.pad((2 * index / (steps - 1) - 1)[..., None, None], (1, 0))
        read = nn.functional.grid_sample(
            features.flatten(3).permute(0, 3, 1, 2).reshape(2, -1, steps, 1), grid, padding_mode="border", align_corners=False
        )
        expected.append(read.reshape(2, 196, channels, steps // 2).permute(0, 2, 3, 1))

    split = OffsetSplit(channels, steps, offset_range=2, read_at=PRESETS["reference"].read_at)
    load_exactly(split, part(rename_reference(weights), "issm."))
    for ours, theirs in zip(split(features), expected, strict=True):
        close(ours.flatten(3), theirs)


def test_weights_of_another_type_are_refused_by_name(shared: Path) -> None:
    whole, _ = released_network(shared)
    half = whole | {"head.head.1.weight": whole["head.head.1.weight"].half()}
    with pytest.raises(ifdd.InputError, match=r"head\.classify\.weight is torch\.float16, expected torch\.float32"):
        ifdd.weights.from_reference(half)
