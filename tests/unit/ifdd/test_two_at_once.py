"""Two commands with one --out: one writes, the other is told so in one line, before it has worked for minutes."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from bundles import SIZE
from colours import recipe
from typer.testing import CliRunner

import ifdd
import workbench
from ifdd.cli import app as ifdd_app
from ifdd.data.decoded import from_manifest
from ifdd.data.manifest import read_manifest
from ifdd.errors import InputError
from ifdd.inputs import to_clips
from ifdd.io import claim
from ifdd.training.recipe import recipe_yaml
from workbench.cli import app as workbench_app
from workbench.store import collecting as module

ROOT = Path(__file__).resolve().parents[3]
SLOW = """
import sys, time
from pathlib import Path
import ifdd, workbench
from workbench.store import collecting as module
checkpoint, manifest, out, gate = sys.argv[1:]
read, count = module.read_inputs, 0
def slow(*args):
    global count
    count += 1
    while count == 3 and not Path(gate).exists():
        time.sleep(0.05)
    return read(*args)
module.read_inputs = slow
workbench.collect(ifdd.load_checkpoint(checkpoint), manifest, out, batch=1)
"""


def test_two_collects_into_one_folder(tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path: Path):
    out, gate = tmp_path / "out", tmp_path / "gate"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(tiny_bundle_dir), str(clips_manifest), str(out), str(gate)], env=environment
    )
    try:
        while not list(tmp_path.glob(".out.*.ifdd-work/state.json")):
            assert first.poll() is None
            time.sleep(0.05)
        command = ["collect", str(baseline_bundle_dir), str(clips_manifest), "--out", str(out), "--batch", "1"]
        second = subprocess.run(
            [sys.executable, "-c", "from workbench.cli import main; main()", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        (line,) = [text for text in second.stderr.splitlines() if text.startswith("error:")]
        assert f"{out}: is being written by" in line
        assert f"process {first.pid} on" in line
        # the app reads with the same function, in another thread of another process
        with pytest.raises(InputError, match=f"process {first.pid} on"):
            workbench.collect(ifdd.load_checkpoint(baseline_bundle_dir), clips_manifest, out)
    finally:
        gate.touch()
        first.wait(60)
    assert first.returncode == 0
    made = workbench.open_collection(out, ifdd.load_checkpoint(tiny_bundle_dir))
    alone = workbench.collect(ifdd.load_checkpoint(tiny_bundle_dir), clips_manifest, tmp_path / "alone", batch=1)
    np.testing.assert_allclose(made.probs, alone.probs, atol=1e-5)  # two processes may add up in another order
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "gate", "out"]


@pytest.fixture(scope="module")
def material(tiny_bundle_dir: Path, clips_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("material")
    workbench.collect(ifdd.load_checkpoint(tiny_bundle_dir), clips_manifest, folder / "collection")
    (folder / "tiny.yaml").write_text(recipe_yaml(recipe()))
    clip = clips_manifest.parent / "clip-0"
    return {
        "CHECKPOINT": str(tiny_bundle_dir),
        "CLIPS": str(clips_manifest),
        "COLLECTION": str(folder / "collection"),
        "RECIPE": str(folder / "tiny.yaml"),
        "CLIP": str(clip),
    }


COMMANDS = {
    "train": "RECIPE",
    "sweep": "RECIPE",
    "evaluate": "CHECKPOINT --manifest CLIPS",
    "data render": "--clips 7",
    "collect": "CHECKPOINT CLIPS",
    "explain": "CLIP --checkpoint CHECKPOINT --crop none --fps 8",
    "figures": "CHECKPOINT --data CLIPS",
    "report": "CHECKPOINT --data CLIPS",
    "saliency": "--data CLIPS --checkpoint CHECKPOINT",
    "faithfulness": "CHECKPOINT --data CLIPS",
    "splits": "CHECKPOINT --data CLIPS",
    "scorecard": "CHECKPOINT --data CLIPS",
    "benchmark": "CHECKPOINT",
    "compare": "COLLECTION COLLECTION",
    "calibrate": "COLLECTION",
    "embed": "COLLECTION",
    "counterfactual": "CHECKPOINT CLIPS",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_second_command_is_refused_at_once(material: dict[str, str], tmp_path: Path, command: str):
    out = tmp_path / ("out.html" if command == "report" else "out")
    held = out / "clip-0" if command == "explain" else out
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        with claim(held):
            ready.set()
            done.wait(120)

    thread = threading.Thread(target=hold)
    thread.start()
    ready.wait()
    words = [material.get(word, word) for word in COMMANDS[command].split()]
    app = ifdd_app if command.split()[0] in ("train", "sweep", "evaluate", "data") else workbench_app
    try:
        result = CliRunner().invoke(app, [*command.split(), *words, "--out", str(out)])
    finally:
        done.set()
        thread.join()
    assert result.exit_code == 1
    told = str(result.exception) if isinstance(result.exception, InputError) else result.stderr
    assert f"{held}: is being written by" in told
    assert not list(tmp_path.rglob("*"))


def test_clips_that_were_decoded_are_not_decoded_again(
    tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    bundle, cache = ifdd.load_checkpoint(tiny_bundle_dir), tmp_path / "cache"
    own = workbench.collect(bundle, clips_manifest, tmp_path / "own", batch=2, cache=cache)
    assert not cache.exists()
    decoded = from_manifest(clips_manifest, bundle.preprocessing, bundle.labels, cache, progress=False)
    table = read_manifest(clips_manifest)
    clips = to_clips(__import__("torch").from_numpy(decoded.read([0, 1, 2, 3, 4])))
    for i, row in enumerate(table.to_dict("records")):
        np.testing.assert_array_equal(clips[i], module.load_row(table, row, bundle))
    assert clips.shape == (5, 3, 16, *SIZE)
    monkeypatch.setattr(module, "read_inputs", lambda *_: pytest.fail("decoded again"))
    shared = workbench.collect(bundle, clips_manifest, tmp_path / "shared", batch=2, cache=cache)
    np.testing.assert_array_equal(shared.probs, own.probs)
    for name in own.activation_names:
        np.testing.assert_array_equal(shared.activation(name), own.activation(name))


def test_collect_shows_its_progress(tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path):
    result = CliRunner().invoke(
        workbench_app, ["collect", str(tiny_bundle_dir), str(clips_manifest), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.stderr
    assert "collect tiny-ifdd: 100%" in result.stderr
