"""Trainings in several processes: what the environment tells, and two processes against one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_corpus import EVEN, STILL, corpus_recipe, make_corpus

from ifdd.errors import InputError
from ifdd.training.ranks import ALONE, Ranks, started_ranks
from ifdd.training.recipe import Recipe, recipe_yaml

UNIT = Path(__file__).resolve().parents[2]


def test_what_the_environment_tells() -> None:
    assert started_ranks({}) == ALONE
    torchrun = {"TORCHELASTIC_RUN_ID": "1", "RANK": "5", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "LOCAL_RANK": "1"}
    assert started_ranks(torchrun) == Ranks(5, 8, 4, 2, "torchrun")
    srun = {"SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2", "SLURM_STEP_TASKS_PER_NODE": "2(x2)"}
    assert started_ranks(srun) == Ranks(3, 4, 2, 2, "srun")
    batch = {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "7"}  # a script of sbatch, without srun
    assert started_ranks(batch) == ALONE
    with pytest.raises(InputError, match=r"SLURM runs 3,1 tasks on its nodes; give all nodes as many"):
        started_ranks(srun | {"SLURM_STEP_TASKS_PER_NODE": "3,1"})
    with pytest.raises(InputError, match="torchrun runs 8 processes, 3 of them here"):
        started_ranks(torchrun | {"LOCAL_WORLD_SIZE": "3"})


def words(chosen: Recipe, out: Path, processes: int) -> list[str]:
    file = out.with_name(f"{out.name}.yaml")
    file.write_text(recipe_yaml(chosen))
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    return [sys.executable, *launcher, str(UNIT / "two_processes.py"), str(file), str(out)]


def started(chosen: Recipe, out: Path, processes: int) -> "subprocess.Popen[str]":
    places = os.pathsep.join(map(str, (UNIT.parents[1], UNIT)))
    environment = os.environ | {"PYTHONPATH": places, "OMP_NUM_THREADS": "1"}
    command = words(chosen, out, processes)
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def trained(chosen: Recipe, out: Path, processes: int) -> pd.DataFrame:
    process = started(chosen, out, processes)
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0, told
    return pd.read_csv(out / "log" / "metrics.csv")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of 42 clips."""
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "changes"),
    [
        (5, {}),  # three clips and two
        (4, {"augment": {"crop": 0.8, "jitter": 0.2, "mixup": 0.8, "cutmix": 1.0}, "ema": 0.9}),
        (4, {"model": EVEN | {"split": "index", "lift": "update-first", "preset": "reference"}, "optim": {"accumulate": 2}}),
    ],
    ids=["uneven", "changed and mixed", "ifdd, accumulated"],
)
def test_two_processes_learn_as_one(corpus: Path, tmp_path: Path, batch: int, changes: dict[str, dict[str, object]]) -> None:
    optim = {"lr": 0.001, "epochs": 2, "batch": batch} | changes.get("optim", {})
    values = {"augment": STILL, "model": EVEN} | changes | {"optim": optim}
    chosen = corpus_recipe(corpus, data={"balance": "classes"}, **values)
    logs = [trained(chosen, tmp_path / str(processes), processes) for processes in (1, 2)]
    assert list(logs[0].columns) == list(logs[1].columns)
    np.testing.assert_allclose(*(log.filter(like="loss") for log in logs), atol=1e-5)
    np.testing.assert_allclose(*logs, atol=1e-5)
    tables = [pd.read_parquet(tmp_path / name / "predictions.parquet").filter(regex="^p_") for name in "12"]
    np.testing.assert_allclose(*tables, atol=1e-4)


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on(corpus: Path, tmp_path: Path) -> None:
    chosen = corpus_recipe(corpus, augment=STILL, model=EVEN, optim={"lr": 0.001, "epochs": 4, "batch": 2}, ema=0.9)
    whole = trained(chosen, tmp_path / "whole", 2)
    process = started(chosen, tmp_path / "run", 2)
    limit = time.monotonic() + 120
    while not (tmp_path / "run" / "lightning" / "last.ckpt").is_file():
        assert time.monotonic() < limit
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=120)
    assert process.returncode != 0, told
    kept = torch.load(tmp_path / "run" / "lightning" / "last.ckpt", weights_only=True)
    assert len(kept["within_epoch"]["random"]) == 2
    assert not (tmp_path / "run" / "checkpoint").exists()
    pd.testing.assert_frame_equal(trained(chosen, tmp_path / "run", 2), whole)
