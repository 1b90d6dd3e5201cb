"""Our transformers compute what open_clip's do."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ifdd.modules.vit import Block, Gelu, PatchStem, TextTransformer, VisionTransformer
from ifdd.weights.clip import renamed

WIDTH, LAYERS, HEADS, DIM, LENGTH, WORDS = 32, 5, 4, 16, 12, 50


def theirs(gelu: Gelu) -> Any:
    open_clip = pytest.importorskip("open_clip")
    vision = {"image_size": (48, 32), "layers": LAYERS, "width": WIDTH, "patch_size": 16, "head_width": WIDTH // HEADS}
    text = {"context_length": LENGTH, "vocab_size": WORDS, "width": WIDTH, "heads": HEADS, "layers": 2}
    torch.manual_seed(1)
    model = open_clip.CLIP(DIM, vision, text, quick_gelu=gelu == "quick-gelu").eval()
    for parameter in model.parameters():  # some begin as zeros
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


class Ours(nn.Module):
    def __init__(self, gelu: Gelu) -> None:
        super().__init__()
        self.encoder = VisionTransformer((48, 32), patch=16, width=WIDTH, layers=LAYERS, heads=HEADS, dim=DIM, gelu=gelu)
        self.text_encoder = TextTransformer(words=WORDS, length=LENGTH, width=WIDTH, layers=2, heads=HEADS, dim=DIM, gelu=gelu)
        self.head = nn.Module()
        self.head.logit_scale = nn.Parameter(torch.zeros(()))


@pytest.mark.parametrize("gelu", ["quick-gelu", "gelu"])
def test_the_same_weights_give_open_clips_features(gelu: Gelu) -> None:
    clip, own = theirs(gelu), Ours(gelu).eval()
    own.load_state_dict({name: value for key, value in clip.state_dict().items() if (name := renamed(key)) is not None})
    pictures, words = torch.rand(3, 3, 48, 32), torch.randint(1, WORDS - 1, (4, LENGTH))
    words[:, 7] = WORDS - 1  # the last word is the one of the highest number
    with torch.no_grad():
        torch.testing.assert_close(own.encoder(pictures)[0], clip.encode_image(pictures), rtol=0, atol=1e-5)
        embedded = own.text_encoder.token_embedding(words)
        found = own.text_encoder(embedded, torch.full((4,), 7))
        torch.testing.assert_close(found, clip.encode_text(words), rtol=0, atol=1e-5)


def test_means_of_the_first_blocks_are_open_clips() -> None:
    clip, own = theirs("gelu"), Ours("gelu").eval()
    own.load_state_dict({name: value for key, value in clip.state_dict().items() if (name := renamed(key)) is not None})
    pictures = torch.rand(2, 3, 48, 32)
    with torch.no_grad():
        found = clip.visual.forward_intermediates(pictures, indices=[0, 1, 2, 3])["image_intermediates"]
        wanted = torch.stack([places.mean((2, 3)) for places in found], 1)
        torch.testing.assert_close(own.encoder(pictures, early=4)[1], wanted, rtol=0, atol=1e-5)


def test_what_is_seen_is_what_the_last_block_reads() -> None:
    encoder = VisionTransformer((32, 32), patch=16, width=WIDTH, layers=2, heads=HEADS, dim=DIM).eval()
    pictures, seen = torch.rand(2, 3, 32, 32), []

    def keep(places: Tensor) -> Tensor:
        seen.append(places)
        return places

    plain = encoder(pictures)[0]
    torch.testing.assert_close(encoder(pictures, keep)[0], plain)
    assert seen[0].shape == (2, 4, WIDTH)
    assert (encoder(pictures, torch.zeros_like)[0] - plain).abs().max() > 1e-3
    assert encoder(pictures)[1].shape == (2, 0, WIDTH)


def test_a_word_is_shown_those_before_it_alone() -> None:
    text = TextTransformer(words=WORDS, length=LENGTH, width=WIDTH, layers=2, heads=HEADS, dim=DIM, gelu="gelu").eval()
    words = torch.randn(1, LENGTH, WIDTH)
    changed = words.clone()
    changed[:, 6:] += torch.randn(1, LENGTH - 6, WIDTH)
    place = torch.tensor([5])
    with torch.no_grad():
        torch.testing.assert_close(text(changed, place), text(words, place))
        assert (text(changed, place + 1) - text(words, place + 1)).abs().max() > 1e-3


@pytest.mark.parametrize("patch", [4, 8, 16])
def test_convolutions_make_a_vector_for_each_patch(patch: int) -> None:
    assert PatchStem(64, patch)(torch.rand(1, 3, 2 * patch, 3 * patch)).shape == (1, 64, 2, 3)


def test_gradients_of_a_block() -> None:
    block = Block(8, 2, "quick-gelu").double()
    assert torch.autograd.gradcheck(block, (torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True),))
