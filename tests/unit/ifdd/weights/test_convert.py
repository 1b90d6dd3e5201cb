"""Foreign checkpoints: read without running anything, refused by name. tests/parity has the conversion itself."""

import argparse
import collections
import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torchvision.models.video import r3d_18
from typer.testing import CliRunner

from ifdd.checkpoints import load_checkpoint
from ifdd.cli import app
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.weights.converting import convert, convert_kinetics, read_weights
from ifdd.weights.pickle_listing import list_pickle
from ifdd.weights.reference import rename_reference

WEIGHTS = {"a": torch.zeros(2), "b": torch.ones(1)}


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("was-run"),))


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"model": Evil()}, r"read safely.*objects of pathlib\.Path\.touch|read safely.*objects of .*Path"),
        ({"epoch": 1}, "holds no 'model', only epoch"),
        ({}, "holds no 'model', only nothing"),
        ({"model": 3}, "its 'model' is no state dict"),
        ({"model": {"a": torch.zeros(1)}}, "no key 'head.head.1.bias', but a"),
        ({"model": {**WEIGHTS, "epoch": 3}}, r"its 'model' holds 2 tensors, but also epoch \(int\); save a dict"),
        ({0: torch.zeros(1), 1: torch.ones(1)}, "it holds 2 tensors, but their names are no text"),
        ({"model": {"a": torch.eye(2).to_sparse()}}, "a is sparse; save the model's own state dict"),
        ({"model": {"a": torch.zeros(2, device="meta")}}, r"a has no numbers \(device meta\)"),
        ({"optimizer": {"state": {}, "param_groups": []}, "epoch": 3}, "holds no 'model', only optimizer, epoch"),
        ({"model": {"a": torch.full((1,), torch.nan)}}, "a holds NaN or infinity"),
        ([1, 2], "holds no 'model', only list"),
        (
            {"state_dict": WEIGHTS, "ema": WEIGHTS},
            r"several sets of weights: state_dict \(2 tensors\), ema \(2 tensors\); choose one with --key state_dict",
        ),
        (
            {"args": argparse.Namespace(lr=1), "epoch": 3, "state_dict": WEIGHTS},
            r"objects of argparse\.Namespace, which would run code; it has args \(argparse\.Namespace\), epoch \(int\), "
            r"state_dict \(2 tensors\); where it was made.*\['state_dict'\], NEW",
        ),
        (torch.nn.Linear(2, 1), r"weights_only=False\)\.state_dict\(\), NEW"),
        ({"net": torch.nn.Linear(2, 1)}, r"weights_only=False\)\['net'\]\.state_dict\(\), NEW"),
    ],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_what_is_no_released_checkpoint(
    payload: object, message: str, legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(payload, tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(InputError, match=message) as caught:
        convert(tmp_path / "x.pth", tmp_path / "out", EMOTIONS)
    assert "x.pth" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pth"]


@pytest.mark.parametrize(
    ("payload", "which", "key"),
    [
        (WEIGHTS, None, ""),
        ({"state_dict": WEIGHTS, "epoch": 3}, None, "state_dict"),
        ({"epoch": 1, "model": WEIGHTS, "ema": WEIGHTS, "best": np.float64(0.5), "n": np.int64(3)}, None, "model"),
        ({"model": WEIGHTS, "ema": WEIGHTS, "ok": np.bool_(True)}, "ema", "ema"),
        ({"ema": {"decay": 0.9, "module": collections.OrderedDict(WEIGHTS)}}, None, "ema.module"),
        ({"model": WEIGHTS, "ema": {"decay": 0.9, "module": WEIGHTS}}, "ema.module", "ema.module"),
        ({"model_state": {k: torch.nn.Parameter(v) for k, v in WEIGHTS.items()}, "best": np.float32(1)}, None, "model_state"),
    ],
)
def test_weights_are_found_where_they_lie(payload: object, which: str | None, key: str, tmp_path: Path) -> None:
    torch.save(payload, tmp_path / "x.pth.tar")
    weights, found = read_weights(tmp_path / "x.pth.tar", which)
    assert found == key
    assert {name: tensor.tolist() for name, tensor in weights.items()} == {"a": [0, 0], "b": [1]}


@pytest.mark.parametrize("wrapper", ["module.", "model.", "_orig_mod.", "model._orig_mod.module.", "ema_model.module."])
def test_wrappers_before_the_names_are_taken_off(wrapper: str) -> None:
    assert list(rename_reference({f"{wrapper}head.head.1.bias": torch.zeros(7)})) == ["head.classify.bias"]


def test_another_key_is_named(tmp_path: Path) -> None:
    torch.save({"model": WEIGHTS, "epoch": 2}, tmp_path / "x.pth")
    with pytest.raises(
        InputError, match=r"holds no 'ema', only model, epoch; weights are at model \(2 tensors\): choose with --key"
    ):
        read_weights(tmp_path / "x.pth", "ema")
    with pytest.raises(InputError, match=r"its 'epoch' is no state dict; weights are at model"):
        read_weights(tmp_path / "x.pth", "epoch")


def test_safetensors(tmp_path: Path) -> None:
    safetensors.torch.save_file(WEIGHTS, tmp_path / "x.safetensors")
    (tmp_path / "x.bin").write_bytes((tmp_path / "x.safetensors").read_bytes())
    for name in ("x.safetensors", "x.bin"):
        assert set(read_weights(tmp_path / name)[0]) == {"a", "b"}
    (tmp_path / "x.safetensors").write_bytes((tmp_path / "x.bin").read_bytes()[:40])
    with pytest.raises(InputError, match=r"x\.safetensors: not a file of weights"):
        read_weights(tmp_path / "x.safetensors")


def script(file: Path) -> None:
    torch.jit.script(torch.nn.Linear(2, 1)).save(str(file))


def archive(file: Path, *names: str) -> None:
    with tarfile.open(file, "w") as bundle:
        for name in names:
            bundle.addfile(tarfile.TarInfo(name), io.BytesIO())


def other_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("readme.txt", "text")


def cut(file: Path) -> None:
    torch.save({"model": WEIGHTS}, file)
    file.write_bytes(file.read_bytes()[:-100])


def hole(file: Path) -> None:
    torch.save({"model": {"a": torch.rand(4096)}}, file)
    content = file.read_bytes()
    file.write_bytes(content[:6000] + bytes(4000) + content[10000:])
    assert torch.load(file)["model"]["a"].eq(0).sum() > 900  # torch says nothing


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda f: f.write_bytes(b""), "is empty; fetch it again"),
    "text": (lambda f: f.write_text("no weights"), "not a file of weights that can be read safely"),
    "page": (lambda f: f.write_text("<!DOCTYPE html>"), "is a web page"),
    "pointer": (lambda f: f.write_text("version https://git-lfs.github.com/spec/v1\noid"), "pointer of Git LFS"),
    "gzip": (lambda f: f.write_bytes(gzip.compress(b"x")), r"is compressed \(gzip\); unpack it first"),
    "keras": (lambda f: f.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(600)), "is HDF5"),
    "numpy": (lambda f: np.save(f.open("wb"), np.zeros(3)), "is a NumPy array"),
    "TorchScript": (script, r"is TorchScript, a program; save its weights alone: torch\.save"),
    "old tar": (
        lambda f: archive(f, "sys_info", "pickle", "storages", "tensors"),
        r"a torch before 0\.1\.10; .*\['model'\], NEW",
    ),
    "tar": (lambda f: archive(f, "a.txt"), r"a tar archive of a\.txt; unpack it first"),
    "zip": (other_zip, r"a ZIP archive of readme\.txt; unpack"),
    "pickle": (lambda f: f.write_bytes(pickle.dumps(Evil())), "is a pickle that torch.save did not write"),
    "hole": (hole, r"is damaged: .*data/0 in it does not match its check sum; fetch it again"),
    "cut": (cut, "can be read safely|damaged"),
    "folder": (lambda f: f.mkdir(), "is a folder; give the file in it"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning", "ignore:.*TorchScript.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore:`torch.jit:FutureWarning")
def test_other_files(kind: str, tmp_path: Path) -> None:
    make, message = FILES[kind]
    make(tmp_path / "x.pth")
    with pytest.raises(InputError, match=message) as caught:
        convert(tmp_path / "x.pth", tmp_path / "out", EMOTIONS)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        convert(tmp_path / "none.pth", tmp_path / "out", EMOTIONS)


@pytest.mark.parametrize("legacy", [False, True])
def test_changed_bytes_end_in_one_line(legacy: bool, tmp_path: Path) -> None:
    file = tmp_path / "x.pth"
    torch.save({"args": argparse.Namespace(a=1), "model": WEIGHTS}, file, _use_new_zipfile_serialization=not legacy)
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(120):
        damaged = bytearray(whole)
        for at in random.integers(0, len(whole), random.integers(1, 6)):
            damaged[at] = int(random.integers(0, 256))
        file.write_bytes(damaged[: len(whole) if random.random() < 0.7 else int(random.integers(0, len(whole)))])
        with pytest.raises(InputError) as caught:
            convert(file, tmp_path / "out", EMOTIONS)
        assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]


def test_a_listing_names_all_that_is_there(tmp_path: Path) -> None:
    payload = {
        "state_dict": {**WEIGHTS, **{f"layer.{i}": torch.zeros(1) for i in range(2000)}},
        "optimizer": {"state": {0: {"m": WEIGHTS["a"]}}},
        "epoch": 7,
        "args": argparse.Namespace(a=[1, (2, 3)], b={"c": None}),
        "names": ["x", "y"],
        "done": True,
        "set": {1, 2},
    }
    for legacy in (False, True):
        torch.save(payload, tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy)
        content, names = list_pickle(tmp_path / "x.pth")
        assert list(content.items) == list(payload)
        assert content.items["state_dict"].tensors == 2002
        assert "argparse Namespace" in names


def test_kinetics_weights_become_a_checkpoint_to_begin_from(tmp_path: Path):
    """All of torchvision's backbone, under its names; the classifier of 400 classes is left behind."""
    torch.manual_seed(3)
    theirs = r3d_18().state_dict()
    torch.save(theirs, tmp_path / "r3d.pth")
    folder = convert_kinetics(tmp_path / "r3d.pth", tmp_path / "start", "r3d18-baseline", ("happy", "sad"))
    bundle = load_checkpoint(folder)
    ours = bundle.model.state_dict()
    assert all(torch.equal(ours[f"backbone.{key}"], value) for key, value in theirs.items() if not key.startswith("fc."))
    assert (bundle.labels, bundle.model.config.normalise) == (("happy", "sad"), "kinetics")
    assert "no classifier" in bundle.card.notice
    with pytest.raises(InputError, match="backbone mvit-tiny has no Kinetics weights"):
        convert_kinetics(tmp_path / "r3d.pth", tmp_path / "other", "ifdd-mvit-tiny", ("happy", "sad"))
    with pytest.raises(InputError, match=r"r3d\.pth: .*missing"):
        convert_kinetics(tmp_path / "r3d.pth", tmp_path / "other", "ifdd-mvit-xs", ("happy", "sad"))
    assert not (tmp_path / "other").exists()
    command = ["weights", "convert", str(tmp_path / "r3d.pth"), "--out", str(tmp_path / "other"), "--labels", "a,b"]
    told = CliRunner().invoke(app, [*command, "--kinetics", "r3d18-baseline", "--lift", "update-first"])
    assert "with --kinetics MODEL names them" in str(told.exception)
