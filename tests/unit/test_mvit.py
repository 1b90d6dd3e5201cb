"""The fast paths against plain ones written out here, and against torchvision."""

import torch
from torch.nn import functional as F
from torchvision.models.video import mvit as torchvision_mvit

from ifdd.modules.mvit import MultiscaleAttention, TokenPool


def plain_pool(pool: TokenPool, tokens: torch.Tensor, grid: tuple[int, int, int]) -> torch.Tensor:
    """One head at a time, channels first."""
    batch, _, heads, dim = tokens.shape
    out = []
    for head in range(heads):
        volume = tokens[:, 1:, head].transpose(1, 2).reshape(batch, dim, *grid)
        pooled = F.conv3d(volume, pool.weight, stride=(1, pool.stride, pool.stride), padding=1, groups=dim)
        out.append(torch.cat((tokens[:, :1, head], pooled.flatten(2).transpose(1, 2)), 1))
    return pool.norm(torch.stack(out, 1))


def test_pooling_equals_the_plain_path_with_gradients() -> None:
    torch.manual_seed(0)
    pool = TokenPool(6, stride=2).double()
    tokens = torch.randn(2, 1 + 4 * 5 * 6, 3, 6, dtype=torch.float64, requires_grad=True)
    fast, grid = pool(tokens, (4, 5, 6))
    plain = plain_pool(pool, tokens, (4, 5, 6))
    assert grid == (4, 3, 3)
    torch.testing.assert_close(fast, plain)
    weight = torch.randn_like(fast)
    for ours, theirs in zip(
        torch.autograd.grad((fast * weight).sum(), (tokens, pool.weight)),
        torch.autograd.grad((plain * weight).sum(), (tokens, pool.weight)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_attention_equals_torchvision_with_gradients() -> None:
    torch.manual_seed(0)
    grid, dim_in, dim, heads = (4, 8, 8), 12, 16, 2
    ours = MultiscaleAttention(dim_in, dim, heads, grid, stride_q=2, stride_kv=4).double()
    theirs = torchvision_mvit.MultiscaleAttention(
        list(grid), dim_in, dim, heads, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 4, 4], True, False, True, 0.0,
        lambda size: torch.nn.LayerNorm(size, eps=1e-6),
    ).double()  # fmt: skip
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
    mine, new_grid = ours(tokens, grid)
    reference, reference_grid = theirs(tokens, grid)
    assert new_grid == tuple(reference_grid)
    torch.testing.assert_close(mine, reference)
    weight = torch.randn_like(mine)
    mine_gradient, reference_gradient = (
        torch.autograd.grad((out * weight).sum(), (tokens, table))
        for out, table in ((mine, ours.position.tables[1]), (reference, theirs.rel_pos_h))
    )
    for a, b in zip(mine_gradient, reference_gradient, strict=True):
        torch.testing.assert_close(a, b)
