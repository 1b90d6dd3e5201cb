"""The fast paths against plain ones written out here, and against torchvision."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.video import mvit as torchvision_mvit

from ifdd import create_model
from ifdd.modules.mvit import mlp
from ifdd.modules.mvit.attention import MultiscaleAttention, pooled_grid, reached_places
from ifdd.modules.mvit.depthwise import project_and_pool
from ifdd.modules.mvit.mvit import MultiscaleBlock


def plain_pool(places: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, kernel: torch.Tensor, stride: int) -> torch.Tensor:
    """A linear layer, then one three-dimensional convolution, channels first."""
    volume = F.linear(places, weight, bias).permute(0, 4, 1, 2, 3)
    pooled = F.conv3d(volume, kernel, stride=(1, stride, stride), padding=1, groups=len(kernel))
    return pooled.permute(0, 2, 3, 4, 1)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("frames", [1, 2, 4])
def test_pooling_equals_the_plain_path_with_gradients(stride: int, frames: int) -> None:
    torch.manual_seed(0)
    inputs = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True)
        for shape in ((2, frames, 5, 6, 3), (4, 3), (4,), (4, 1, 3, 3, 3))
    ]
    fast, plain = project_and_pool(*inputs, stride), plain_pool(*inputs, stride)  # type: ignore[call-arg]
    torch.testing.assert_close(fast, plain)
    weight = torch.randn_like(fast)
    for ours, theirs in zip(*(torch.autograd.grad((out * weight).sum(), inputs) for out in (fast, plain)), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("size", [7, 8, 9, 14, 15, 16, 17, 56])
@pytest.mark.parametrize("stride", [4, 8])
def test_only_places_that_a_kernel_reaches_are_kept(size: int, stride: int) -> None:
    centres = range(0, size, stride)
    expected = sorted({centre + step for centre in centres for step in (-1, 0, 1) if 0 <= centre + step < size})
    assert reached_places(size, stride).tolist() == expected


@pytest.mark.parametrize("rows", [1, 5, 7])
def test_mlp_in_pieces_equals_the_whole_with_gradients(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    norm = nn.LayerNorm(3).double()
    layers = nn.Sequential(nn.Linear(3, 12), nn.GELU(), nn.Linear(12, 3)).double()
    tokens = torch.randn(2, 7, 3, dtype=torch.float64, requires_grad=True)
    monkeypatch.setattr(mlp, "PIECE", rows * 12)
    out, plain = mlp.normed_mlp(tokens, norm, layers), layers(norm(tokens))
    torch.testing.assert_close(out, plain)
    weight = torch.randn_like(out)
    wanted = (tokens, *norm.parameters(), *layers.parameters())
    for ours, theirs in zip(*(torch.autograd.grad((part * weight).sum(), wanted) for part in (out, plain)), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_keeps_less_than_half_of_what_torchvisions_block_keeps() -> None:
    """Bytes that a block holds for its backward pass, its parameters apart."""
    torch.manual_seed(0)
    grid, dim = (4, 14, 14), 32
    block = MultiscaleBlock(dim, dim, 2, grid, stride_q=1, stride_kv=4, drop_path=0.0)
    config = torchvision_mvit.MSBlockConfig(2, dim, dim, [3] * 3, [3] * 3, [1, 1, 1], [1, 4, 4])
    theirs = torchvision_mvit.MultiscaleBlock(
        list(grid),
        config,
        residual_pool=True,
        residual_with_cls_embed=False,
        rel_pos_embed=True,
        proj_after_attn=True,
        norm_layer=lambda size: nn.LayerNorm(size, eps=1e-6),
    )
    tokens = torch.randn(2, 1 + 4 * 14 * 14, dim, requires_grad=True)

    def kept(module: nn.Module) -> int:
        own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
        seen: dict[int, torch.UntypedStorage] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                seen[storage.data_ptr()] = storage
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            module(tokens, grid)
        return sum(storage.nbytes() for storage in seen.values())

    assert kept(block) < 0.5 * kept(theirs)


@pytest.mark.parametrize("training", [pytest.param(False, marks=pytest.mark.slow), True])
def test_compiles_without_a_graph_break(training: bool) -> None:
    torch.manual_seed(0)
    model = create_model("ifdd-mvit-tiny", num_classes=3, size=(32, 48), frames=8, drop_path=0.0, dropout=0.0).train(training)
    clips = torch.rand(2, 3, 8, 32, 48)
    expected = model(clips).logits
    found = torch.compile(model, backend="aot_eager", fullgraph=True)(clips).logits
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_attention_equals_torchvision_with_gradients() -> None:
    torch.manual_seed(0)
    grid, dim_in, dim, heads = (4, 8, 8), 12, 16, 2
    ours = MultiscaleAttention(dim_in, dim, heads, grid, stride_q=2, stride_kv=4).double()
    theirs = torchvision_mvit.MultiscaleAttention(
        list(grid),
        dim_in,
        dim,
        heads,
        [3, 3, 3],
        [3, 3, 3],
        [1, 2, 2],
        [1, 4, 4],
        True,
        False,
        True,
        0.0,
        lambda size: torch.nn.LayerNorm(size, eps=1e-6),
    ).double()
    names = {"qkv": "qkv", "project": "project.0"}
    state = {
        f"{there}.{kind}": ours.state_dict()[f"{here}.{kind}"] for here, there in names.items() for kind in ("weight", "bias")
    }
    for pool in ("pool_q", "pool_k", "pool_v"):
        state[f"{pool}.pool.weight"] = ours.state_dict()[f"{pool}.weight"]
        state |= {f"{pool}.norm_act.0.{kind}": ours.state_dict()[f"{pool}.norm.{kind}"] for kind in ("weight", "bias")}
    state |= {f"rel_pos_{axis}": ours.state_dict()[f"position.tables.{i}"] for i, axis in enumerate("thw")}
    theirs.load_state_dict(state)

    tokens = torch.randn(2, 1 + 4 * 8 * 8, dim_in, dtype=torch.float64, requires_grad=True)
    mine = ours(tokens[:, :1], tokens[:, 1:])
    reference, reference_grid = theirs(tokens, grid)
    assert pooled_grid(grid, 2) == tuple(reference_grid)
    torch.testing.assert_close(mine, reference)
    weight = torch.randn_like(mine)
    mine_gradient, reference_gradient = (
        torch.autograd.grad((out * weight).sum(), (tokens, *wanted))
        for out, wanted in (
            (mine, (*ours.position.tables, ours.qkv.weight, ours.qkv.bias, ours.pool_k.weight)),
            (
                reference,
                (
                    theirs.rel_pos_t,
                    theirs.rel_pos_h,
                    theirs.rel_pos_w,
                    theirs.qkv.weight,
                    theirs.qkv.bias,
                    theirs.pool_k.pool.weight,
                ),
            ),
        )
    )
    for a, b in zip(mine_gradient, reference_gradient, strict=True):
        torch.testing.assert_close(a, b)
