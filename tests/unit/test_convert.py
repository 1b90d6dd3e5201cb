"""Foreign checkpoints: read without running anything, refused by name, converted with the same logits."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from typer.testing import CliRunner

import ifdd
from ifdd import cli
from ifdd.convert import convert
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS


def released(shared: Path) -> tuple[dict[str, Tensor], int]:
    """The state dict that shared/reference describes, and the seed of its clip."""
    about = json.loads((shared / "reference" / "network_xs.json").read_text())
    filled = {}
    for name, shape in about["parameters"].items():
        values = np.random.default_rng(zlib.crc32((about["salt"] + name).encode())).standard_normal(shape).astype("float32")
        values = values / np.float32(np.sqrt(np.prod(shape[1:]))) if len(shape) >= 2 else values * np.float32(0.1)
        filled[name] = torch.from_numpy(values + np.float32(len(shape) < 2 and name.endswith("weight")))
    return filled, about["clip_seed"]


def test_a_released_checkpoint_gives_the_same_logits(shared: Path, tmp_path: Path) -> None:
    weights, seed = released(shared)
    wrapped = {f"module.{key}": value for key, value in weights.items()}
    torch.save({"epoch": 3, "model": wrapped, "opt": {"state": {}}, "ema": None}, tmp_path / "best é.pth")
    out = tmp_path / "checkpoints" / "dfew"
    arguments = ["weights", "convert", str(tmp_path / "best é.pth"), "--out", str(out), "--labels", ",".join(EMOTIONS)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    bundle = ifdd.load_checkpoint(out)
    assert bundle.name == "dfew"
    assert bundle.labels == EMOTIONS
    clips = torch.from_numpy(np.random.default_rng(seed).random((2, 3, 16, 224, 224), dtype=np.float32))
    with torch.no_grad():
        logits = bundle.model(clips).logits
    expected = load_file(shared / "reference" / "network_xs.safetensors")["logits"]
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("was-run"),))


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"model": Evil()}, "read safely"),
        ({"epoch": 1}, "holds no 'model', only epoch"),
        ({"model": 3}, "its 'model' is no state dict"),
        ({"model": {"a": torch.zeros(1)}}, "no key 'head.head.1.bias'"),
        ([1, 2], "holds no 'model', only list"),
    ],
)
def test_what_is_no_released_checkpoint(payload: object, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(payload, tmp_path / "x.pth")
    with pytest.raises(InputError, match=message):
        convert(tmp_path / "x.pth", tmp_path / "out", EMOTIONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pth"]


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(InputError, match=r"text\.pth: not a file of weights"):
        convert(tmp_path / "text.pth", tmp_path / "out", EMOTIONS)
    with pytest.raises(InputError, match="no such file"):
        convert(tmp_path / "none.pth", tmp_path / "out", EMOTIONS)
