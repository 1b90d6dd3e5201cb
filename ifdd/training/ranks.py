"""The processes of one training, as `torchrun` or SLURM's `srun` have started them; one where nobody has."""

import os
import re
from dataclasses import dataclass
from typing import Any

import torch

from ifdd.errors import InputError


@dataclass(frozen=True)
class Ranks:
    """`count` processes on `nodes` machines, `per_node` on this one; this is number `rank`, from 0, started by `launcher`."""

    rank: int = 0
    count: int = 1
    per_node: int = 1
    nodes: int = 1
    launcher: str = ""

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0


ALONE = Ranks()


def started_ranks(environment: Any = os.environ) -> Ranks:
    """What the environment tells of the processes of this training.

    Raises: InputError for machines with other numbers of processes than this one.
    """
    if "TORCHELASTIC_RUN_ID" in environment:
        count, per_node = int(environment["WORLD_SIZE"]), int(environment["LOCAL_WORLD_SIZE"])
        return _checked(int(environment["RANK"]), count, per_node, "torchrun")
    if int(environment.get("SLURM_STEP_NUM_TASKS", 1)) > 1 and "SLURM_PROCID" in environment:
        count, nodes = int(environment["SLURM_STEP_NUM_TASKS"]), int(environment.get("SLURM_STEP_NUM_NODES", 1))
        tasks = environment.get("SLURM_STEP_TASKS_PER_NODE", "")
        if not re.fullmatch(r"\d+(\(x\d+\))?", tasks):
            raise InputError(f"SLURM runs {tasks or 'an unknown number of'} tasks on its nodes; give all nodes as many tasks")
        return _checked(int(environment["SLURM_PROCID"]), count, count // nodes, "srun")
    return ALONE


def _checked(rank: int, count: int, per_node: int, launcher: str) -> Ranks:
    if count % per_node:
        raise InputError(f"{launcher} runs {count} processes, {per_node} of them here; start as many on every machine")
    return Ranks(rank, count, per_node, count // per_node, launcher)


def trainer_options(ranks: Ranks) -> tuple[dict[str, Any], Any]:
    """What Lightning's Trainer is told of the processes: its options, and the plugin of their environment."""
    from lightning.fabric.plugins.environments import LightningEnvironment, SLURMEnvironment, TorchElasticEnvironment

    if ranks.count == 1:
        return {"devices": 1}, LightningEnvironment()
    # a run that is stopped saves by itself, and the job says how it goes on
    plugin = TorchElasticEnvironment() if ranks.launcher == "torchrun" else SLURMEnvironment(auto_requeue=False)
    return {"devices": ranks.per_node, "num_nodes": ranks.nodes, "strategy": "ddp"}, plugin


def gathered(ranks: Ranks, value: Any) -> list[Any]:
    """What each process has, by rank."""
    if ranks.count == 1:
        return [value]
    found = [None] * ranks.count
    torch.distributed.all_gather_object(found, value)
    return found


def leave(ranks: Ranks) -> None:
    """End the group of processes: what the first one does afterwards it does alone."""
    if ranks.count > 1 and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
