"""Trainings in processes of their own, some at a time, spread over the devices that are there."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from ifdd.errors import InputError
from ifdd.io import claim, is_claimed, write_text
from ifdd.training.keeping import CHECKPOINT, CONFIG, find_unfinished
from ifdd.training.recipe import Recipe, load_recipe, recipe_yaml
from ifdd.training.stopping import Stop, stoppable

POLL_S = 1.0


def train_all(
    recipes: Mapping[str, Recipe],
    out: Path,
    *,
    jobs: int,
    say: Callable[[str], object],
    trained: Callable[[str], str | None] = lambda _name: None,
    checkpoints: Path | None = None,
) -> tuple[list[str], list[str]]:
    """Train every recipe into `out/<name>`, `jobs` at a time; returns the names of those that are complete, and that failed.

    Runs that are complete are kept, interrupted ones resumed. A run whose `init_from` is another one's name waits for it, and
    fails with it; it finds it in `checkpoints`. `trained` is called with the name of each complete run; what it returns is said.
    The processes share the CPU's cores, and each has one GPU for itself as long as there are as many. A run that another process
    trains, one that outlived a command that was killed, say, is waited for. On Ctrl-C and SIGTERM all processes save and end.
    Raises: Stopped when a signal has ended them.
    """
    with stoppable() as stop:  # a job that a cluster ends takes its trainings with it, which save
        return _train_all(recipes, out, jobs, say, trained, checkpoints, stop)


def _train_all(
    recipes: Mapping[str, Recipe],
    out: Path,
    jobs: int,
    say: Callable[[str], object],
    trained: Callable[[str], str | None],
    checkpoints: Path | None,
    stop: Stop,
) -> tuple[list[str], list[str]]:
    waiting = dict(recipes)
    running: dict[str, subprocess.Popen[bytes]] = {}
    devices = visible_gpus()
    held: dict[str, str] = {}
    done: list[str] = []
    failed: list[str] = []
    awaited: set[str] = set()
    try:
        while waiting or running:
            for name in [name for name, process in running.items() if process.poll() is not None]:
                good = running.pop(name).returncode == 0
                held.pop(name, None)
                if not good and (is_trained_elsewhere(out / name) or (out / name / CHECKPOINT).is_dir()):
                    # one that outlived a killed command had only begun, and was not seen to train before this one was started
                    waiting[name] = recipes[name]
                    continue
                (done if good else failed).append(name)
                say(f"{name}: {(trained(name) or 'trained') if good else f'failed, see {out / name}.log'}")
            for name in list(waiting):
                source = waiting[name].init_from
                elsewhere = is_trained_elsewhere(out / name)  # asked first: who has ended by now has left a checkpoint
                if source in failed:
                    failed.append(name)
                    del waiting[name]
                elif (out / name / CHECKPOINT).is_dir():
                    if told := trained(name):
                        say(f"{name}: {told} (kept)")
                    done.append(name)
                    del waiting[name]
                elif elsewhere:
                    if name not in awaited:
                        say(f"{name}: another process trains it, which is waited for")
                    awaited.add(name)
                elif len(running) < jobs and source not in waiting and source not in running:
                    if len(devices) > 1:
                        held[name] = min(devices, key=lambda device: list(held.values()).count(device))
                    stop.held = True  # a process that is being started is ended with the others
                    running[name] = _start(waiting.pop(name), out / name, checkpoints, jobs, held.get(name))
                    stop.let_go()
                    say(f"{name}: training")
            time.sleep(POLL_S if running or awaited & waiting.keys() else 0)
    finally:
        stop.held = True  # one Ctrl-C comes several times; trainings that save are not left behind
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()
    return done, failed


def is_trained_elsewhere(folder: Path) -> bool:
    """Whether another process trains in a run folder now."""
    if not is_claimed(folder):
        return False
    try:
        with claim(folder):  # who was killed holds it no more, though his lock may lie there
            return False
    except InputError:
        return True


def last_word(folder: Path) -> str:
    """The last line that the training of a run folder left in its log."""
    try:
        lines = folder.with_name(f"{folder.name}.log").read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return "it was never begun"
    return next((line.strip() for line in reversed(lines) if line.strip()), "it left no word")


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use, as `CUDA_VISIBLE_DEVICES` takes them."""
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    return [str(number) for number in range(torch.cuda.device_count())]


def check_same(recipe: Recipe, folder: Path) -> None:
    """Refuse a folder that holds a run of another recipe.

    Raises: InputError for one, or for files that are damaged.
    """
    if (folder / CHECKPOINT).is_dir():
        if load_recipe(folder / CONFIG) != recipe:
            raise InputError(f"{folder}: was trained with another recipe, see its {CONFIG}; choose another --out or remove it")
    elif folder.exists():
        find_unfinished(recipe, folder)


def _start(recipe: Recipe, folder: Path, checkpoints: Path | None, jobs: int, gpu: str | None) -> subprocess.Popen[bytes]:
    """`ifdd train` in a process, its words in `<folder>.log`."""
    file = folder.with_name(f"{folder.name}.yaml")
    write_text(file, recipe_yaml(recipe))
    resume = ["--resume"] if folder.exists() else []
    threads = max(1, (os.cpu_count() or 1) // jobs)
    setting = {"OMP_NUM_THREADS": str(threads)} | os.environ  # the user's own number counts
    setting |= {} if checkpoints is None else {"IFDD_CHECKPOINTS": str(checkpoints)}
    setting |= {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
    command = [sys.executable, "-c", "from ifdd.cli import main; main()", "train", str(file), "--out", str(folder), *resume]
    with folder.with_name(f"{folder.name}.log").open("ab") as log:
        return subprocess.Popen(command, env=setting, stdout=log, stderr=subprocess.STDOUT)
