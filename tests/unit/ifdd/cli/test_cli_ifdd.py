import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from ifdd import cli, create_model
from ifdd.checkpoints import read_card
from ifdd.labels import EMOTIONS
from ifdd.models.families import short_names
from ifdd.scripted import SuiteConfig, render_suite

runner = CliRunner()
COMMANDS = [
    *(
        ["models"],
        ["train"],
        ["cross-validate"],
        ["evaluate"],
        ["audit"],
        ["predict"],
        ["data", "render"],
        ["data", "index"],
        ["data", "crop"],
    ),
    *(["weights", "list"], ["weights", "verify"], ["weights", "convert"]),
]


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """What `main` exits with."""
    monkeypatch.setattr(sys, "argv", ["ifdd", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven scripted clips of 8 frames, 64 × 64."""
    suite = SuiteConfig("cli", seed=3, clips=7, identities=3, split="test")
    return render_suite(suite, tmp_path_factory.mktemp("suite") / "clips", frames=8, size=64, workers=1, progress=False)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example(command: list[str]):
    result = runner.invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    assert f"Example: ifdd {' '.join(command)}" in result.output


def test_models_are_listed_with_parameters(monkeypatch: pytest.MonkeyPatch):
    counts = json.loads(runner.invoke(cli.app, ["models", "--json"]).output)
    assert 37e6 < counts["ifdd-mvit-xs"]["parameters"] < 38e6
    assert counts["ifdd-mvit-xs"]["flops"] == 2 * counts["ifdd-mvit-xs"]["macs"]
    names = short_names()
    assert list(counts) == list(names)
    monkeypatch.setattr("ifdd.models.families.short_names", lambda: {"ifdd-mvit-tiny": names["ifdd-mvit-tiny"]})
    assert "ifdd-mvit-tiny" in runner.invoke(cli.app, ["models"]).output


def test_variants_of_a_model_are_listed():
    counts = json.loads(runner.invoke(cli.app, ["models", "--variants", "ifdd-r3d-tiny", "--json"]).output)
    assert len(counts) == 3 + 6 * 3
    assert counts["index, update-first"]["parameters"] == sum(p.numel() for p in create_model("ifdd-r3d-tiny").parameters())
    assert counts["even-odd, none"]["parameters"] < counts["index, none"]["parameters"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "none.yaml"], "no such recipe"),
        (["evaluate", "x", "--out", "o"], "either --manifest or --suite"),
        (["evaluate", "x", "--suite", "test", "--out", "o"], "unknown checkpoint 'x'"),
        (["predict", "none.mp4", "--checkpoint", "x"], "unknown checkpoint 'x'"),
        (["data", "index", "none"], "no such folder"),
        (["data", "render", "--suite", "exam", "--out", "o"], "'exam' is not one of train, val, test"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert run_main(monkeypatch, *arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (OSError(28, "No space left on device", "runs/x"), 1, "error: runs/x: No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted: what was finished stays, nothing is half-written"),
    ],
)
def test_a_full_disk_and_control_c(
    raised: BaseException,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def fail() -> None:
        raise raised

    monkeypatch.setattr("ifdd.models.families.short_names", fail)
    assert run_main(monkeypatch, "models") == code
    assert capsys.readouterr().err.strip() == message


def test_evaluate_a_manifest(rendered: Path, tiny_bundle_dir: Path, tmp_path: Path):
    out = tmp_path / "out"
    arguments = [
        "evaluate",
        str(tiny_bundle_dir),
        "--manifest",
        str(rendered),
        "--out",
        str(out),
        "--cache",
        str(tmp_path / "cache"),
    ]
    result = runner.invoke(cli.app, [*arguments, "--device", "cpu", "--json"], catch_exceptions=False)
    metrics = json.loads(result.stdout)
    frame = pd.read_parquet(out / "predictions.parquet")
    probabilities = frame[[f"p_{label}" for label in EMOTIONS]].to_numpy()
    assert len(frame) == metrics["n"] == 7
    assert metrics["WAR"] == pytest.approx((probabilities.argmax(1) == frame["label"]).mean())
    assert json.loads((out / "metrics.json").read_text())["recall"] == metrics["recall"]
    assert {path.name for path in out.iterdir()} == {"metrics.json", "predictions.parquet"}


def test_predict_prints_probabilities(rendered: Path, tiny_bundle_dir: Path):
    clip = rendered.parent / pd.read_parquet(rendered)["path"][0]
    arguments = ["predict", str(clip), "--checkpoint", str(tiny_bundle_dir), "--crop", "none"]
    result = runner.invoke(cli.app, [*arguments, "--json"], catch_exceptions=False)
    probabilities = json.loads(result.stdout)["probabilities"]
    assert list(probabilities) == list(EMOTIONS)
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert "8 frames for 16" in result.stderr
    notice = read_card(tiny_bundle_dir).notice
    assert json.loads(result.stdout)["notice"] == notice
    assert f"note: {notice}" in runner.invoke(cli.app, arguments, catch_exceptions=False).stderr


def test_index_a_folder_of_classes(rendered: Path, tmp_path: Path):
    frame = pd.read_parquet(rendered)
    for name, path in zip(frame["label_name"], frame["path"], strict=True):
        (tmp_path / "mine" / name).mkdir(parents=True)
        (tmp_path / "mine" / name / "clip").symlink_to(rendered.parent / path)
    result = runner.invoke(cli.app, ["data", "index", str(tmp_path / "mine")], catch_exceptions=False)
    assert result.output.strip().endswith("7 clips")
    assert sorted(pd.read_parquet(tmp_path / "mine" / "clips.parquet")["label"]) == list(range(7))
    again = runner.invoke(cli.app, ["data", "index", str(tmp_path / "mine"), "--out", str(tmp_path / "two.parquet"), "--json"])
    assert json.loads(again.output) == {"manifest": str(tmp_path / "two.parquet"), "clips": 7, "notes": []}


def classes_of(rendered: Path, folder: Path, names: dict[str, str]) -> Path:
    """The rendered clips in folders of other names."""
    frame = pd.read_parquet(rendered)
    for label, path in zip(frame["label_name"], frame["path"], strict=True):
        (folder / names.get(label, label)).mkdir(parents=True)
        (folder / names.get(label, label) / "clip").symlink_to(rendered.parent / path)
    return folder


def test_index_names_what_it_does_not_know_and_takes_a_map(rendered: Path, tmp_path: Path, monkeypatch, capsys):
    folder = classes_of(rendered, tmp_path / "mine", {"angry": "ANG", "sad": "Sadness", "fear": "FEAR", "disgust": "other"})
    assert run_main(monkeypatch, "data", "index", str(folder)) == 1
    error = capsys.readouterr().err
    assert "ANG, other are no classes; classes are happy, sad" in error
    assert "--map ANG=angry,other=CLASS" in error
    assert (
        run_main(
            monkeypatch,
            "data",
            "index",
            str(folder),
            "--map",
            "ANG=angry,other=",
            "--labels",
            " ".join(["happy,"] + [f"{label}," for label in EMOTIONS[1:-1]] + ["fear"]),
        )
        == 0
    )
    told = capsys.readouterr()
    assert told.out.strip().endswith("6 clips")
    assert told.err.splitlines() == [
        "warning: other is left out",
        "warning: FEAR is read as fear, Sadness as sad",
    ]
    frame = pd.read_parquet(folder / "clips.parquet").set_index("clip_id")
    assert frame.loc["ANG/clip", ["label", "label_name"]].tolist() == [3, "angry"]
    assert frame.loc["Sadness/clip", "label_name"] == "sad"


def test_index_names_all_bad_clips_and_skips_few(rendered: Path, tmp_path: Path, monkeypatch, capsys):
    folder = classes_of(rendered, tmp_path / "mine", {})
    (folder / "sad" / "text.mp4").write_text("no video")
    (folder / "fear" / "empty").mkdir()
    assert run_main(monkeypatch, "data", "index", str(folder)) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "2 of 9 clips cannot be read: sad/text.mp4: not a video" in error
    assert "fear/empty: the folder holds no image" in error
    assert error.endswith("; mend or remove them\n")  # nobody asked to leave out any
    assert run_main(monkeypatch, "data", "index", str(folder), "--on-error", "skip") == 1
    assert "mend or remove them: more than 20%" in capsys.readouterr().err
    assert not (folder / "clips.parquet").exists()
    (folder / "fear" / "empty").rmdir()
    assert run_main(monkeypatch, "data", "index", str(folder)) == 1
    assert "or leave them out with --on-error skip" in capsys.readouterr().err
    assert run_main(monkeypatch, "data", "index", str(folder), "--on-error", "skip") == 0
    told = capsys.readouterr()
    assert told.out.strip().endswith("7 clips")
    assert "warning: 1 of 8 clips left out, they cannot be read: sad/text.mp4: not a video" in told.err


def test_index_a_list(rendered: Path, tmp_path: Path, monkeypatch, capsys):
    frame = pd.read_parquet(rendered)
    paths = [str((rendered.parent / path).resolve()) for path in frame["path"]]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "relative").symlink_to(paths[0])
    file = tmp_path / "a" / "list.csv"
    rows = ["path,label,age", *(f"{path},{label},{i}" for i, (path, label) in enumerate(zip(paths, frame["label"], strict=True)))]
    file.write_text("\n".join([*rows, "relative,0,9"]))
    assert run_main(monkeypatch, "data", "index", str(file), "--out", str(tmp_path / "b")) == 1
    assert "nothing says which class they stand for" in capsys.readouterr().err
    assert run_main(monkeypatch, "data", "index", str(file)) == 1
    assert "is a list; name the manifest to write with --out" in capsys.readouterr().err
    arguments = ["data", "index", str(file), "--out", str(tmp_path / "b"), "--labels", ", ".join(EMOTIONS)]
    assert run_main(monkeypatch, *arguments) == 0
    found = pd.read_parquet(tmp_path / "b" / "clips.parquet")
    assert found["path"].tolist() == [*paths, "../a/relative"]
    assert found["label_name"].tolist() == [*frame["label_name"], "happy"]
    assert (found["n_frames"] == 8).all()
    assert (found[["width", "height"]] == 64).all(axis=None)
    assert found["crop"].tolist() == ["none"] * 8
    assert found["age"].tolist() == [*range(7), 9]


def test_the_installed_command_prints_no_traceback(tmp_path: Path):
    code = "import sys; sys.argv = ['ifdd', 'train', 'none.yaml']; from ifdd.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: none.yaml")
    assert done.stdout == ""
