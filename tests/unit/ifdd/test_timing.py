import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ifdd import InputError
from ifdd.timing import feature_frames, repeat_to_clip_frames, to_clip_frames, to_feature_frames


@pytest.mark.parametrize(
    ("frames", "expected", "centres"), [(8, 8, [0, 1, 7]), (16, 8, [0, 2, 14]), (32, 8, [1, 5, 29]), (24, 12, [0, 2, 14])]
)
def test_centres_as_designed(frames: int, expected: int, centres: list[int]) -> None:
    assert feature_frames(frames) == expected
    torch.testing.assert_close(to_clip_frames(torch.tensor([0.0, 1.0, 7.0]), frames), torch.tensor(centres).float())


@given(st.sampled_from([8, 12, 16, 32, 64]), st.floats(0, 31, width=32))
def test_inverse(frames: int, position: float) -> None:
    there = to_clip_frames(torch.tensor([position], dtype=torch.float64), frames)
    assert to_feature_frames(there, frames).item() == pytest.approx(position, abs=1e-9)


@pytest.mark.parametrize("frames", [0, 2, 6, 10, 15, 17])
def test_impossible_lengths(frames: int) -> None:
    with pytest.raises(InputError, match=f"frames={frames}"):
        feature_frames(frames)


def test_repetition() -> None:
    maps = torch.tensor([[10.0, 20.0]])
    assert repeat_to_clip_frames(maps, 4).tolist() == [[10, 10, 20, 20]]
