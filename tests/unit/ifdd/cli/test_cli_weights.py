"""`ifdd weights list` and `verify`; tests/parity has `convert`."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from ifdd import cli
from ifdd.checkpoint_files import CARD, WEIGHTS, sha256_of

runner = CliRunner()


@pytest.fixture
def folder(tiny_bundle_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of checkpoints where names are looked up first, with one in it."""
    shutil.copytree(tiny_bundle_dir, tmp_path / "mine" / "tiny-ifdd")
    monkeypatch.setenv("IFDD_CHECKPOINTS", str(tmp_path / "mine"))
    return tmp_path / "mine"


def break_weights(checkpoint: Path, key: str, value: torch.Tensor | None) -> None:
    """Replace or drop one tensor, with a checksum that fits."""
    state_dict = load_file(checkpoint / WEIGHTS)
    if value is None:
        del state_dict[key]
    else:
        state_dict[key] = value
    save_file(state_dict, checkpoint / WEIGHTS)
    card = json.loads((checkpoint / CARD).read_text())
    (checkpoint / CARD).write_text(json.dumps(card | {"sha256": sha256_of(checkpoint / WEIGHTS)}))


def test_list_names_each_with_what_it_is(folder: Path) -> None:
    shutil.copytree(folder / "tiny-ifdd", folder / "damaged")
    (folder / "damaged" / CARD).write_text("{")
    rows = json.loads(runner.invoke(cli.app, ["weights", "list", "--json"]).output)
    assert rows["tiny-ifdd"]["backbone"] == "mvit-tiny"
    assert (rows["tiny-ifdd"]["split"], rows["tiny-ifdd"]["WAR"]) == ("index", None)
    assert "not valid JSON" in rows["damaged"]["problem"]
    lines = runner.invoke(cli.app, ["weights", "list"]).output.splitlines()
    assert any(line.startswith("tiny-ifdd ") and "not tested" in line for line in lines)


def test_verify_passes_what_is_whole(folder: Path) -> None:
    result = runner.invoke(cli.app, ["weights", "verify", "tiny-ifdd"])
    assert (result.exit_code, result.output.split()) == (0, ["tiny-ifdd", "whole"])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (torch.full((7,), torch.nan), "holds NaN or infinity"),
        (torch.zeros(7, dtype=torch.float64), "is torch.float64, expected torch.float32"),
        (torch.zeros(5), "is (5,), expected (7,)"),
        (None, "missing head.classify.bias"),
    ],
)
def test_verify_names_what_is_wrong(folder: Path, value: torch.Tensor | None, problem: str) -> None:
    break_weights(folder / "tiny-ifdd", "head.classify.bias", value)
    result = runner.invoke(cli.app, ["weights", "verify", "tiny-ifdd", "--json"])
    assert result.exit_code == 1
    assert problem in json.loads(result.output)["tiny-ifdd"]


def test_verify_notices_a_changed_file(folder: Path) -> None:
    with (folder / "tiny-ifdd" / WEIGHTS).open("ab") as stream:
        stream.write(b"x")
    result = runner.invoke(cli.app, ["weights", "verify", str(folder / "tiny-ifdd")])
    assert result.exit_code == 1
    assert "the weights are not the ones that the card describes" in result.output
