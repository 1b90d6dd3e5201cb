"""Ctrl-C through the real commands: one line, exit code 130, nothing half-written; the same command then goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bundles import save_random
from PIL import Image
from test_kills import tree

import ifdd
import workbench
from ifdd.labels import EMOTIONS
from ifdd.scripted import SuiteConfig, render_suite
from workbench.store.collection import open_collection

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
CLIPS = 40


def command(program: str, *words: str | Path) -> list[str]:
    return [sys.executable, "-c", f"from {program}.cli import main; main()", *map(str, words)]


def interrupted(words: list[str], begun: Callable[[], bool]) -> tuple[int, str]:
    """Exit code and standard error of a command whose whole group of processes gets SIGINT as soon as `begun`."""
    process = subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored, where the tests run in the background
    )
    limit = time.monotonic() + 60
    while not begun():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    return process.returncode, error


def left(folder: Path) -> list[str]:
    """What lies beside a result that does not exist yet: work to go on with, no lock and no part."""
    return [path.suffix for path in folder.iterdir()]


def test_collect(tmp_path: Path):
    tiny = save_random(tmp_path / "tiny", "ifdd-mvit-tiny", 0)
    rows = ["path,label"]
    for i in range(CLIPS):
        (tmp_path / f"clip-{i}").mkdir()
        for j in range(4):
            Image.new("L", (32, 32), (7 * i + 60 * j) % 256).save(tmp_path / f"clip-{i}" / f"{j}.png")
        rows.append(f"clip-{i},{EMOTIONS[i % 7]}")
    (clips := tmp_path / "clips.csv").write_text("\n".join(rows))
    place = tmp_path / "made"
    words = command("workbench", "collect", tiny, clips, "--out", place / "out", "--batch", "1", "--cache", tmp_path / "none")
    code, error = interrupted(words, lambda: any(place.glob(".out.*.ifdd-work/state.json")))
    assert code == 130
    assert error.splitlines()[-1] == "interrupted: what was read is kept; the same command goes on from there"
    assert "Traceback" not in error
    assert left(place) == [".ifdd-work"]
    again = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert f"{CLIPS} clips" in again.stdout
    assert left(place) == [""]
    undisturbed = workbench.collect(ifdd.load_checkpoint(tiny), clips, tmp_path / "undisturbed", batch=1)
    np.testing.assert_allclose(open_collection(place / "out").probs, undisturbed.probs, atol=1e-6)


@pytest.mark.slow
def test_render_in_several_processes(tmp_path: Path):
    place = tmp_path / "made"
    words = command(
        "ifdd",
        "data",
        "render",
        "--suite-name",
        "noisy-50-v2",
        "--clips",
        "64",
        "--frames",
        "4",
        "--size",
        "32",
        "--workers",
        "2",
        "--out",
        place / "out",
    )
    code, error = interrupted(words, lambda: len(list(place.glob(".out.*.ifdd-work/truth/[!.]*.npz"))) > 2)
    assert code == 130
    assert error.splitlines()[-1] == "interrupted: what was rendered is kept; the same command goes on from there"
    assert "Traceback" not in error
    assert "Process Spawn" not in error
    assert left(place) == [".ifdd-work"]
    subprocess.run(words, capture_output=True, env=ENVIRONMENT, check=True)
    config = SuiteConfig("noisy-50-v2", 1, 64, 140, split="test", difficulty="noisy-50-v2")
    render_suite(config, tmp_path / "undisturbed", frames=4, size=32, workers=1, progress=False, full=True)
    assert tree(place / "out") == tree(tmp_path / "undisturbed")
