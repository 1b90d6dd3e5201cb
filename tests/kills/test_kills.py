"""Whatever is killed, and whenever: nothing half-written is seen, nothing that was finished is lost, and the same call ends as if
nothing had been."""

import json
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from ifdd.checkpoints import verify_checkpoint
from ifdd.io import clear_folder

HERE = Path(__file__).resolve().parent
JOBS = ("train", "render", "collect", "explain", "figures", "stream")
TRAININGS = ("train", "stream")
# steps to kill at (twice each, where work is left), and kills at random moments of each job
AIMED = {"train": 8, "stream": 4, "render": 8, "collect": 8, "explain": 3, "figures": 4}
RANDOM = {"train": 22, "stream": 50, "render": 30, "collect": 30, "explain": 10, "figures": 14}
LONGEST = 30  # kills in a row of one piece of work


class Workshop:
    """The process that does the jobs, and what they make when nobody disturbs them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.material = folder, folder / "material"
        self.material.mkdir()
        self.kills = 0
        places = [HERE.parents[1], HERE, HERE.parent / "unit"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, places)), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(HERE / "driver.py"), str(self.material)]
        pipe = subprocess.PIPE
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=environment)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n", (folder / "log").read_text()
        self.whole: dict[str, tuple[Path, dict[str, Any]]] = {}

    def do(self, job: str, folder: Path, step: int | None = None, after: float | None = None) -> dict[str, Any]:
        """One call; see driver.py."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"job": job, "folder": str(folder), "step": step, "after": after}), file=self.process.stdin, flush=True)
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert told["status"] != "failed", told
        self.kills += told["status"] == "killed"
        return told

    def undisturbed(self, job: str) -> tuple[Path, dict[str, Any]]:
        """What the job makes, and in how many steps and seconds."""
        if job not in self.whole:
            folder = self.folder / f"whole-{job}"
            folder.mkdir()
            self.whole[job] = folder / "out", self.do(job, folder)
            assert self.whole[job][1]["status"] == "done"
        return self.whole[job]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("workshop"))
    yield made
    assert made.process.stdin is not None
    assert made.process.stdout is not None
    made.process.stdin.close()
    made.process.wait(60)
    made.process.stdout.close()


def content(file: Path) -> Any:
    """A file's content, without what tells when it was made."""
    if file.name in ("env.json", "speed.csv"):
        return None
    if file.suffix == ".ckpt":
        return None  # the weights that count are those of the checkpoint; these hold times
    if file.name in ("metrics.json", "card.json"):
        values = json.loads(file.read_text())
        values.get("training", {}).pop("minutes", None)
        return values
    if file.name == "README.md":
        return [line for line in file.read_text().splitlines() if "minute" not in line]
    return file.read_bytes()


def tree(folder: Path) -> dict[str, Any]:
    return {str(file.relative_to(folder)): content(file) for file in sorted(folder.rglob("*")) if file.is_file()}


def visible(folder: Path) -> list[Path]:
    """Files that lie in no hidden place."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]


def finished(job: str, folder: Path) -> int:
    """How much of the work a dead process has left for the next."""
    if job in TRAININGS:
        for name in ("last", "before"):
            file = folder / "out" / "lightning" / f"{name}.ckpt"
            if file.is_file():
                return int(torch.load(file, weights_only=True)["epoch"]) + 1
        return 0
    work = [*folder.glob(".out.*.ifdd-work"), *folder.glob("out")]
    if job == "render":
        return max((len(list(place.glob("truth/[!.]*.npz"))) for place in work), default=0)
    if job == "collect":
        if (folder / "out").exists() or any((place / "manifest.json").is_file() for place in work):
            return 4
        return max((json.loads(file.read_text())["done"] for place in work for file in place.glob("state.json")), default=0)
    return 0


def check_whole(job: str, folder: Path, expected: Path) -> None:
    """Everything that can be seen is whole."""
    for file in visible(folder):
        told = str(file.relative_to(folder))
        if job not in TRAININGS:
            if file.name != "mine.txt":
                assert content(file) == content(expected.parent / told), told
        elif file.suffix == ".ckpt":
            with zipfile.ZipFile(file) as parts:
                assert parts.testzip() is None, told
            torch.load(file, weights_only=True)
        elif file.name == "speed.csv":
            assert not pd.read_csv(file).empty
        elif file.suffix == ".csv":
            pd.testing.assert_frame_equal(pd.read_csv(file), pd.read_csv(expected.parent / told)[: len(pd.read_csv(file))])
        elif file.suffix in (".json", ".yaml"):
            assert yaml.safe_load(file.read_text()), told
        else:
            assert content(file) == content(expected.parent / told), told
    out = folder / "out"
    if job in TRAININGS:
        assert not out.exists() or {"config.yaml", "env.json"} <= {path.name for path in out.iterdir()}
        if (out / "checkpoint").exists():
            verify_checkpoint(str(out / "checkpoint"))
    elif job == "figures":
        assert not (out / "captions.md").exists() or tree(out) == tree(expected)
    elif out.exists():
        assert tree(out) == tree(expected)


def is_done(job: str, folder: Path) -> bool:
    """Whether a process that was killed had made all before."""
    return (folder / "out" / {"train": "checkpoint", "stream": "checkpoint", "figures": "captions.md"}.get(job, "")).exists()


def check_end(workshop: Workshop, job: str, folder: Path) -> None:
    """The same call, undisturbed, makes what it would have made at once, and leaves nothing else."""
    expected, _ = workshop.undisturbed(job)
    if not is_done(job, folder):
        assert workshop.do(job, folder)["status"] == "done"
    clear_folder(folder)  # as the next write into it does
    assert tree(folder / "out") == tree(expected)
    if job in TRAININGS:
        kept, other = (torch.load(place / "lightning" / "last.ckpt", weights_only=True) for place in (folder / "out", expected))
        assert all(torch.equal(value, kept["state_dict"][name]) for name, value in other["state_dict"].items())
    assert [path.name for path in folder.iterdir()] == ["out"]


def aimed(workshop: Workshop, tmp_path: Path, job: str, step: int) -> None:
    """Kill at one step, then at the same step of what is left, then end."""
    expected, _ = workshop.undisturbed(job)
    done = 0
    for _ in range(2):
        if workshop.do(job, tmp_path, step=step)["status"] != "killed":
            break
        check_whole(job, tmp_path, expected)
        assert finished(job, tmp_path) >= done
        done = finished(job, tmp_path)
        if is_done(job, tmp_path):
            break
    check_end(workshop, job, tmp_path)


def random(workshop: Workshop, folder: Path, job: str, kills: int, seed: int) -> None:
    """Kill at random moments, again and again, until the work is done, and begin anew until there were so many kills."""
    expected, about = workshop.undisturbed(job)
    generator = np.random.default_rng([seed, JOBS.index(job)])
    first, number = workshop.kills, 0
    while workshop.kills - first < kills:
        place, done = folder / f"{job}-{number}", 0
        place.mkdir()
        number += 1
        for _ in range(LONGEST):
            if workshop.kills - first >= kills:
                break
            if workshop.do(job, place, after=float(generator.uniform(0, about["seconds"])))["status"] == "done":
                break
            check_whole(job, place, expected)
            assert finished(job, place) >= done
            done = finished(job, place)
            if is_done(job, place):
                break
        check_end(workshop, job, place)


@pytest.mark.parametrize("job", JOBS)
def test_a_few_kills(workshop: Workshop, tmp_path: Path, job: str):
    _, about = workshop.undisturbed(job)
    aimed(workshop, tmp_path, job, int(np.random.default_rng([7, JOBS.index(job)]).integers(about["steps"])))


def test_one_random_kill(workshop: Workshop, tmp_path: Path):
    random(workshop, tmp_path, "collect", 1, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("job", JOBS)
def test_kills_at_every_kind_of_step(workshop: Workshop, tmp_path: Path, job: str):
    _, about = workshop.undisturbed(job)
    for i, step in enumerate(np.linspace(0, about["steps"] - 1, AIMED[job]).round().astype(int).tolist()):
        (tmp_path / str(i)).mkdir()
        aimed(workshop, tmp_path / str(i), job, step)
    logging.getLogger("kills").warning("%s: %d steps, %d kills so far", job, about["steps"], workshop.kills)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("job", JOBS)
def test_kills_at_random_moments(workshop: Workshop, tmp_path: Path, job: str):
    random(workshop, tmp_path, job, RANDOM[job], seed=1)
    logging.getLogger("kills").warning("%s: %d kills so far", job, workshop.kills)
