import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import ifdd
from ifdd import InputError
from ifdd.card import Card
from ifdd.checkpoints import card_markdown, list_checkpoints, read_card, save_checkpoint, verify_checkpoint
from ifdd.cli.weights import weights_app
from ifdd.data.preprocessing import Preprocessing
from ifdd.labels import EMOTIONS
from ifdd.metrics import evaluate
from ifdd.models.base import VideoModel

SHIPPED = Path(__file__).resolve().parents[3] / "checkpoints"
SCORES = {"n": 1, "WAR": 0.5, "UAR": 0.5, "recall": {}, "counts": {}}


def make_card(model: VideoModel, name: str = "tiny") -> Card:
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
def saved(tmp_path: Path) -> tuple[VideoModel, Path]:
    model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    return model, save_checkpoint(tmp_path / "tiny", model, make_card(model))


def test_round_trip(saved: tuple[VideoModel, Path]) -> None:
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


def test_by_name(saved: tuple[VideoModel, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFDD_CHECKPOINTS", str(saved[1].parent))
    assert list_checkpoints()["tiny"] == saved[1]
    assert ifdd.load_checkpoint("tiny").name == "tiny"
    monkeypatch.chdir(saved[1].parent)
    assert ifdd.load_checkpoint("tiny").path == saved[1]  # not relative: who changes the folder still finds what lies beside it
    with pytest.raises(InputError, match=r"unknown checkpoint 'tinny'; known: .*tiny"):
        ifdd.load_checkpoint("tinny")


def test_changed_weights_are_refused(saved: tuple[VideoModel, Path]) -> None:
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
        ({"labels": ["happy"] * 7}, "'happy' is there twice"),
        ({"labels": ["a", "b", "c", "d", "e", "f", "A"]}, "the label 'a' is there twice, but for case and space"),
        ({"labels": ["", "b", "c", "d", "e", "f", "g"]}, "must be visible text"),
        ({"labels": [1, 2, 3, 4, 5, 6, 7]}, r"labels.0: .*string \(given: 1\)"),
        ({"name": "../away"}, "must be a plain file name"),
        ({"preprocessing": {"frames": "x"}}, "preprocessing: frames: .*integer"),
        ({"preprocessing": {"frames": 16, "size": [32, 32]}}, r"makes clips of 16 frames of \(32, 32\), the model reads 8"),
        ({"preprocessing": {"frames": 8, "size": [64, 32]}}, r"of \(64, 32\), the model reads 8 of \(32, 32\)"),
        ({"preprocessing": 3}, "preprocessing: .*dictionary"),
        ({"metrics": {"test": 1}}, "metrics.test: .*dictionary"),
        ({"metrics": {"test": SCORES | {"WAR": "high"}}}, r"metrics.test.WAR: .*number"),
        ({"metrics": {"test": SCORES | {"recall": {"a": 1}}}}, "metrics.test has a recall of 'a' and no count"),
        ({"metrics": {"test": {"WAR": 0.5}}}, "metrics.test.n: Field required"),
        ({"metrics": {"test": SCORES | {"WAR": 3}}}, r"metrics.test.WAR: .*less than or equal to 1"),
        ({"training": {"recipe": []}}, "training.recipe: .*dictionary"),
        ({"training": {"recipe": {"seed": -1}}}, "training.recipe.seed: .*greater than or equal to 0"),
        ({"data": {"test": "none"}}, "data.test: .*dictionary"),
        ({"versions": {"torch": 2}}, "versions.torch: .*string"),
        ({"sha256": None}, "sha256: .*string"),
    ],
)
def test_wrong_cards(saved: tuple[VideoModel, Path], change: dict, message: str) -> None:
    file = saved[1] / "card.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=message):
        ifdd.load_checkpoint(saved[1])


@pytest.mark.parametrize("change", [{"size": [1e9, 1e9]}, {"size": [2**31, 2**31]}, {"frames": 10**9}, {"num_classes": 10**12}])
def test_a_model_of_absurd_size_is_refused_before_it_is_built(saved: tuple[VideoModel, Path], change: dict) -> None:
    file = saved[1] / "card.json"
    card = json.loads(file.read_text())
    file.write_text(json.dumps(card | {"model": card["model"] | change}))
    with pytest.raises(InputError, match=next(iter(change))):
        ifdd.load_checkpoint(saved[1])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused_where_they_are_loaded(tmp_path: Path, value: float) -> None:
    model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    with torch.no_grad():
        model.head.classify.weight[0, 0] = value
    folder = save_checkpoint(tmp_path / "bad", model, make_card(model))
    with pytest.raises(InputError, match=r"weights.safetensors: head.classify.weight holds NaN or infinity"):
        ifdd.load_checkpoint(folder)


@pytest.mark.parametrize("name", ["mvit-tiny-baseline", "ifdd-mvit-tiny"])
@pytest.mark.parametrize("part", ["pyramid", "backbone"])
def test_weights_that_overflow_end_in_one_line(tmp_path: Path, name: str, part: str) -> None:
    """Finite weights, but products that are not: every class would have NaN."""
    model = ifdd.create_model(name, frames=8, size=(32, 32)).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if key.startswith(part):
                weight.mul_(1e30).add_(1e30)
    folder = save_checkpoint(tmp_path / "bad", model, make_card(model))
    with pytest.raises(InputError, match="overflow; train or fetch it again"):
        ifdd.load_checkpoint(folder).predict(torch.rand(1, 3, 8, 32, 32))
    with pytest.raises(InputError, match="overflow"):
        verify_checkpoint(folder)


def test_one_bad_card_leaves_the_others(saved: tuple[VideoModel, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {"bad": b"[" * 100_000, "worse": b"\xff\xfe", "empty": b""}.items():
        (saved[1].parent / name).mkdir()
        (saved[1].parent / name / "card.json").write_bytes(content)
    monkeypatch.setenv("IFDD_CHECKPOINTS", str(saved[1].parent))
    found = CliRunner().invoke(weights_app, ["list"])
    assert found.exit_code == 0
    lines = {line.split()[0]: line for line in found.stdout.splitlines()}
    assert "mvit-tiny" in lines["tiny"]
    assert "deeper than 64" in lines["bad"]
    assert "no UTF-8" in lines["worse"]
    assert "not valid JSON" in lines["empty"]


def test_nothing_is_overwritten_or_half_written(saved: tuple[VideoModel, Path], monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_values_are_checked_where_clips_enter(saved: tuple[VideoModel, Path], value: float, message: str) -> None:
    clips = torch.rand(1, 3, 8, 32, 32)
    clips[0, 0, 0, 0, 0] = value
    with pytest.raises(InputError, match=message):
        ifdd.load_checkpoint(saved[1]).predict(clips)


def test_others_may_read_what_is_saved(tiny_bundle_dir: Path) -> None:
    assert all(file.stat().st_mode & 0o044 == 0o044 for file in (tiny_bundle_dir, tiny_bundle_dir / "weights.safetensors"))


@pytest.mark.parametrize("file", sorted(SHIPPED.rglob("card.json")), ids=lambda file: file.parent.name)
def test_shipped_cards_hold_what_their_confusions_say_and_todays_intervals(file: Path) -> None:
    card = read_card(file.parent)
    for result in card.metrics.values():
        counts = np.array(result["confusion"])
        truth, guess = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        again = evaluate(np.eye(len(card.labels))[guess], truth, card.labels).to_dict()
        # nobody shows an emotion twice in these suites: the clips of a class are independent, of whichever persons they are
        for key in ("n", "WAR", "UAR", "recall", "counts", "constant_guess", "recall_intervals"):
            assert result[key] == again[key], key
        assert re.fullmatch(r"over \d+ persons", result["intervals_over"])
        assert all(low < result[score] < high for score, (low, high) in result["intervals"].items())
    assert (file.parent / "README.md").read_text(encoding="utf-8") == card_markdown(card)
