import json
import socket
from pathlib import Path

import pytest
from media import gray_images, write_sound, write_video

from workbench.app import serve
from workbench.store.workspace import init_workspace


def one_error(err: str) -> str:
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def test_good_videos_are_written_and_bad_ones_named(run, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    good = write_video(tmp_path / "schöner clip.mp4", gray_images(range(0, 250, 10)))
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    sound = write_sound(tmp_path / "sound.mp4")
    one = write_video(tmp_path / "one.mp4", gray_images([0]))
    out = tmp_path / "out put"
    options = ["--checkpoint", tiny_bundle_dir, "--out", out, "--crop", "none"]
    code, told, err = run("explain", text, good, sound, one, *options, "--json")
    assert code == 1
    assert [path.name for path in out.iterdir()] == ["schöner clip"]
    lines = told.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["video"] == str(good)
    errors = [line for line in err.splitlines() if not line.startswith(f"warning: {good}")]
    assert len(errors) == 3, err
    for line, video in zip(errors, (text, sound, one), strict=True):
        assert line.startswith("error: ")
        assert str(video) in line
    again = run("explain", good, *options)
    assert again[0] == 1
    assert "exists; choose another --out" in one_error(again[2])


def test_a_failed_run_leaves_no_folder(run, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    video = write_video(tmp_path / "faceless.mp4", gray_images(range(20)))
    code, _, err = run("explain", video, "--checkpoint", tiny_bundle_dir, "--out", tmp_path / "out")
    assert code == 1
    assert "no face found in 20 frames of 64×48, searched for faces of 24 pixels or more; give a stretch" in one_error(err)
    assert "--crop none" in err
    assert "center" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a/x.mp4", "b/x.mov", "--checkpoint", "TINY"], "a/x.mp4 and b/x.mov would both be written to x"),
        (["x.mp4", "--checkpoint", "nobody"], "unknown checkpoint 'nobody'; known:"),
        (["x.mp4", "--checkpoint", "TINY", "--target", "joy"], "unknown class 'joy'; this checkpoint knows happy, sad"),
        (["x.mp4", "--checkpoint", "TINY", "--device", "abacus"], "no device 'abacus'"),
        (["x.mp4", "--checkpoint", "TINY"], "x.mp4: no such file or folder"),
    ],
)
def test_bad_arguments_are_one_line(run, tiny_bundle_dir: Path, tmp_path: Path, words: list[str], message: str) -> None:
    words = [str(tiny_bundle_dir) if word == "TINY" else word for word in words]
    code, out, err = run("explain", *words, "--out", tmp_path / "out")
    assert code == 1
    assert out == ""
    assert message in one_error(err)
    assert not (tmp_path / "out").exists()


def test_weights_that_the_card_does_not_describe(run, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    folder.mkdir()
    for file in tiny_bundle_dir.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "weights.safetensors").open("ab") as file:
        file.write(b"0")
    code, _, err = run("explain", "x.mp4", "--checkpoint", folder, "--out", tmp_path / "out")
    assert code == 1
    assert "sha256" in one_error(err)


def test_collect(run, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    command = ["collect", baseline_bundle_dir, clips_manifest, "--out", tmp_path / "c", "--names", "head.logits, pyramid.X"]
    code, told, _ = run(*command, "--pool", "mean", "--json")
    assert code == 0
    meta = json.loads(told)
    assert meta["clips"] == 5
    assert meta["pool"] == "mean"
    assert list(meta["activations"]) == ["head.logits", "pyramid.X"]
    code, _, err = run(*command)
    assert code == 1
    assert "exists" in one_error(err)


def test_a_port_in_use(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = tmp_path / "demo"
    monkeypatch.setenv("IFDD_DEMO", str(demo))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = run("app", "--port", port, "--with-demo")
    assert code == 1
    assert not demo.exists()  # a demo takes minutes: the port comes first
    assert one_error(err) == f"error: port {port} is in use; choose another: make app PORT={port + 1}"


@pytest.mark.parametrize(("screen", "headless"), [("", "true"), (":0", "false")])
def test_how_the_app_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: str, headless: str) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    command = serve.app_command(tmp_path / "app.py", 8502, "127.0.0.1")
    assert command[1:5] == ["-m", "streamlit", "run", str(tmp_path / "app.py")]
    pairs = dict(zip(command[5::2], command[6::2], strict=True))
    assert pairs == {
        "--server.port": "8502",
        "--server.address": "127.0.0.1",
        "--server.fileWatcherType": "none",
        "--server.headless": headless,
        "--server.showEmailPrompt": "false",
        "--browser.gatherUsageStats": "false",
    }


def test_the_workspace_of_the_app_is_named_as_elsewhere(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(serve, "start_app", lambda *given: started.append(given[3]))
    init_workspace(tmp_path / "mine", {}, [])
    for words in ([tmp_path / "mine"], ["--workspace", tmp_path / "mine"]):
        assert run("app", *words)[0] == 0
    assert started == [tmp_path / "mine"] * 2
    code, _, err = run("app", tmp_path / "mine", "--workspace", tmp_path / "other")
    assert code == 1
    assert "the workspace is given twice" in one_error(err)


def test_interrupted(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serve, "start_app", stop)
    code, _, err = run("app")
    assert code == 130
    assert err == "interrupted: what was finished stays, nothing is half-written\n"


@pytest.mark.parametrize("command", ["explain", "collect", "demo", "app"])
def test_help_has_an_example(run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: workbench {command}" in " ".join(out.split())


TAKEN = {
    "explain": ["VIDEO", "--checkpoint", "X", "--out", "OUT"],
    "collect": ["X", "clips.parquet", "--out", "OUT"],
    "saliency": ["VIDEO", "--checkpoint", "X", "--out", "OUT"],
    "counterfactual": ["X", "clips.parquet", "--out", "OUT"],
    "compare": ["one", "two", "--out", "OUT"],
    "calibrate": ["one", "--out", "OUT"],
    "embed": ["one", "--out", "OUT"],
    "report": ["X", "--data", "clips.parquet", "--out", "OUT/a.html"],
    "figures": ["X", "--data", "clips.parquet", "--out", "OUT"],
    "scorecard": ["X", "--data", "clips.parquet", "--out", "OUT/a.html"],
    "splits": ["X", "--data", "clips.parquet", "--out", "OUT/a.html"],
    "faithfulness": ["X", "--data", "clips.parquet", "--out", "OUT/a.html"],
    "benchmark": ["X", "--out", "OUT/a.html"],
}


@pytest.mark.parametrize("command", TAKEN)
def test_what_is_taken_is_refused_before_a_model_is_loaded(
    run, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command that writes to --out; those that add to a folder refuse a file."""
    (tmp_path / "out/clip").mkdir(parents=True)
    for name in ("captions.md", "a.html"):
        (tmp_path / "out" / name).write_text("mine")
    monkeypatch.setattr("ifdd.checkpoint_files.read_card", lambda *_: pytest.fail("a model was loaded"))
    places = {"VIDEO": str(tmp_path / "clip.mp4"), "OUT": str(tmp_path / "out"), "OUT/a.html": str(tmp_path / "out/a.html")}
    code, told, err = run(command, *(places.get(word, word) for word in TAKEN[command]))
    assert (code, told) == (1, "")
    assert any(
        words in one_error(err) for words in ("exists; choose another", "holds figures already", "is a file; give a folder")
    )
    assert (tmp_path / "out/a.html").read_text() == "mine"


@pytest.mark.parametrize(
    "words",
    [
        ["report", "X", "--out", "new.html", "--benchmark", "gone.json"],
        ["report", "X", "--out", "new.html", "--scorecard", "gone.json"],
        ["figures", "X", "--out", "new", "--benchmark", "gone.json"],
        ["benchmark", "X", "--out", "new", "--earlier", "gone.json"],
        ["benchmark", "X", "--out", "new", "--table", "gone.md"],
    ],
)
def test_a_file_that_is_needed_at_the_end_is_read_first(
    run, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ifdd.checkpoint_files.read_card", lambda *_: pytest.fail("a model was loaded"))
    code, _, err = run(*words)
    assert code == 1
    assert words[-1] in one_error(err)
    assert not list(tmp_path.iterdir())
