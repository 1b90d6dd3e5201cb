"""The preset `released` against the released code's forward pass, written out again in NumPy from what is known of it.

Xinji-Mai/OUS, model2_dfew.py: an LSTM over face → scene at each frame, with a skip; the face by a transformer over frames with
learnt positions, a skip around it and the mean; the scene by the mean and a linear layer; blocks whose query is a parameter of
their own, without a norm, while keys and values are the normed types; the mean of the types, cosines with the prompts.
"""

import numpy as np
import pytest
import torch

import ifdd

Array = np.ndarray


def linear(x: Array, w: dict[str, Array], name: str) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def norm(x: Array, w: dict[str, Array], name: str) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * w[f"{name}.weight"] + w[f"{name}.bias"]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def attention(q: Array, kv: Array, w: dict[str, Array], name: str, heads: int) -> Array:
    """One clip: queries (Q, C), keys and values (S, C)."""
    dim = q.shape[1]
    parts = np.split(w[f"{name}.in_proj_weight"], 3), np.split(w[f"{name}.in_proj_bias"], 3)
    query, key, value = (x @ weight.T + bias for x, weight, bias in zip((q, kv, kv), *parts, strict=True))
    out = np.zeros_like(query)
    for head in range(heads):
        part = slice(head * dim // heads, (head + 1) * dim // heads)
        scores = query[:, part] @ key[:, part].T / np.sqrt(dim // heads)
        shares = np.exp(scores - scores.max(1, keepdims=True))
        out[:, part] = shares / shares.sum(1, keepdims=True) @ value[:, part]
    return linear(out, w, f"{name}.out_proj")


def mlp(x: Array, w: dict[str, Array], name: str) -> Array:
    inner = linear(x, w, f"{name}.c_fc")
    return linear(inner * sigmoid(1.702 * inner), w, f"{name}.c_proj")


def lstm(sequence: list[Array], w: dict[str, Array], name: str) -> list[Array]:
    hidden = cell = np.zeros_like(sequence[0])
    found = []
    for x in sequence:
        gates = w[f"{name}.weight_ih_l0"] @ x + w[f"{name}.bias_ih_l0"]
        gates = gates + w[f"{name}.weight_hh_l0"] @ hidden + w[f"{name}.bias_hh_l0"]
        i, f, g, o = np.split(gates, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        found.append(hidden)
    return found


def released_logits(face: Array, scene: Array, w: dict[str, Array], text: Array, heads: int, depth: int) -> Array:
    """One clip's features of frames (T, C) → logits (classes,)."""
    frames = []
    for f, s in zip(face, scene, strict=True):
        first, second = lstm([f, s], w, "lstm.lstm")
        frames.append((f + first, s + second))
    face, scene = (np.stack(stream) for stream in zip(*frames, strict=True))
    x = face + w["face.frame_encoder.positions"]
    for i in range(depth):
        name = f"face.frame_encoder.blocks.{i}"
        normed = norm(x, w, f"{name}.ln_1")
        x = x + attention(normed, normed, w, f"{name}.attn", heads)
        x = x + mlp(norm(x, w, f"{name}.ln_2"), w, f"{name}.mlp")
    face_video = (x + face).mean(0)
    scene_video = linear(scene.mean(0), w, "scene.frames_mean.projection")
    x = np.stack([face_video, scene_video]) + w["fusion.positions"]
    for i in range(depth):
        name = f"fusion.blocks.{i}"
        x = x + attention(w["fusion.query"][i], norm(x, w, f"{name}.ln_1"), w, f"{name}.attn", heads)
        x = x + mlp(norm(x, w, f"{name}.ln_2"), w, f"{name}.mlp")
    clip = x.mean(0)
    clip, text = clip / np.linalg.norm(clip), text / np.linalg.norm(text, axis=1, keepdims=True)
    return np.exp(w["head.logit_scale"]) * text @ clip


@pytest.mark.parametrize("seed", [0, 1])
def test_the_forward_pass_is_the_released_codes(seed: int) -> None:
    torch.manual_seed(seed)
    model = ifdd.create_model("ous-vit-tiny", preset="released", frames=5, size=(32, 32)).double().eval()
    for name, parameter in model.named_parameters():
        if name != "head.logit_scale":  # queries of ones and biases of zeros would hide an error
            parameter.data += 0.1 * torch.randn_like(parameter)
    clips = {name: torch.rand(2, *shape, dtype=torch.float64) for name, shape in model.inputs.items()}
    with torch.no_grad():
        output, cache = model.run_with_cache(clips, names=("face.V_f", "scene.V_s"))
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    face, scene = cache["face.V_f"].numpy(), cache["scene.V_s"].numpy()
    found = [released_logits(face[i], scene[i], weights, output.text.detach().numpy(), heads=4, depth=2) for i in range(2)]
    np.testing.assert_allclose(output.logits.numpy(), found, rtol=1e-10, atol=1e-10)
    assert output.polarity is None
