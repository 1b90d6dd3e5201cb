import json
from pathlib import Path

import pytest
import torch

import ifdd
from ifdd import InputError
from ifdd.checkpoints import Card, list_checkpoints, save_checkpoint
from ifdd.data.preprocessing import Preprocessing
from ifdd.labels import EMOTIONS
from ifdd.model import DFERModel


def make_card(model: DFERModel, name: str = "tiny") -> Card:
    return Card(
        name=name,
        notice="random weights",
        model=model.config,
        labels=EMOTIONS,
        preprocessing=Preprocessing(frames=8, size=(32, 32)).to_dict(),
        data={"name": "none"},
        training={},
        metrics={"test": {"n": 2, "WAR": 0.5, "UAR": 0.5, "recall": {"happy": 0.5}, "counts": {"happy": 2}}},
        versions={},
    )


@pytest.fixture
def saved(tmp_path: Path) -> tuple[DFERModel, Path]:
    model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    return model, save_checkpoint(tmp_path / "tiny", model, make_card(model))


def test_round_trip(saved: tuple[DFERModel, Path]) -> None:
    model, folder = saved
    bundle = ifdd.load_checkpoint(folder)
    clips = torch.rand(2, 3, 8, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(bundle.predict(clips), model(clips).logits.softmax(-1))
    assert bundle.labels == EMOTIONS
    assert bundle.preprocessing == Preprocessing(frames=8, size=(32, 32))
    assert bundle.model.config == model.config
    assert {file.name for file in folder.iterdir()} == {"weights.safetensors", "card.json", "README.md"}
    assert "50.0%" in (folder / "README.md").read_text()


def test_by_name(saved: tuple[DFERModel, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFDD_CHECKPOINTS", str(saved[1].parent))
    assert list_checkpoints()["tiny"] == saved[1]
    assert ifdd.load_checkpoint("tiny").name == "tiny"
    monkeypatch.chdir(saved[1].parent)
    assert ifdd.load_checkpoint("tiny").path == saved[1]  # not relative: who changes the folder still finds what lies beside it
    with pytest.raises(InputError, match=r"unknown checkpoint 'tinny'; known: .*tiny"):
        ifdd.load_checkpoint("tinny")


def test_changed_weights_are_refused(saved: tuple[DFERModel, Path]) -> None:
    file = saved[1] / "weights.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match="sha256"):
        ifdd.load_checkpoint(saved[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 0}, "schema version 0, this version reads 1"),
        ({"labels": ["happy"]}, "1 labels for 7 classes"),
        ({"notes": "x"}, "unknown key 'notes'"),
    ],
)
def test_wrong_cards(saved: tuple[DFERModel, Path], change: dict, message: str) -> None:
    file = saved[1] / "card.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=message):
        ifdd.load_checkpoint(saved[1])


def test_nothing_is_overwritten_or_half_written(saved: tuple[DFERModel, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    model, folder = saved
    with pytest.raises(InputError, match="exists"):
        save_checkpoint(folder, model, make_card(model))

    def full_disk(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full_disk)
    with pytest.raises(InputError, match="other: cannot be written: No space left on device"):
        save_checkpoint(folder.parent / "other", model, make_card(model))
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize(("value", "message"), [(float("nan"), "NaN"), (255.0, "values from")])
def test_values_are_checked_where_clips_enter(saved: tuple[DFERModel, Path], value: float, message: str) -> None:
    clips = torch.rand(1, 3, 8, 32, 32)
    clips[0, 0, 0, 0, 0] = value
    with pytest.raises(InputError, match=message):
        ifdd.load_checkpoint(saved[1]).predict(clips)


def test_others_may_read_what_is_saved(tiny_bundle_dir: Path) -> None:
    assert all(file.stat().st_mode & 0o044 == 0o044 for file in (tiny_bundle_dir, tiny_bundle_dir / "weights.safetensors"))
