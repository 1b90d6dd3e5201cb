"""In which order the clips of a training come: batches that seed and epoch alone decide, whoever reads them."""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from ifdd.data.rules import Balance
from ifdd.errors import InputError

_POWER = {"square-root": 0.5, "classes": 0.0}
PERMUTED = 317
"""Tells the draws within a class from others of the same seed."""


class EpochBatches(Sampler[list[int]]):
    """Batches of a permutation that depends on seed and epoch alone, so that a resumed run sees the same ones.

    The last, smaller batch of an epoch is left out where there are others, and so are batches that do not fill a step of
    `accumulate` batches. With `balance` classes have other shares of an epoch, see `class_quotas`; its length stays.

    Raises: InputError where an epoch has no whole step.
    """

    def __init__(
        self, target: Sequence[int] | np.ndarray, batch: int, seed: int, *, balance: Balance = "none", accumulate: int = 1
    ) -> None:
        self.target, self.seed = np.asarray(target), seed
        self.count = len(self.target)
        self.batch, self.balance = min(batch, self.count), balance
        self.epoch = 0
        self.number = self.count // self.batch // accumulate * accumulate
        if not self.number:
            raise InputError(
                f"optim.accumulate={accumulate} takes {accumulate} batches for a step, an epoch of {self.count} clips has "
                f"{self.count // self.batch} of {self.batch}; lower it, or optim.batch"
            )

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; Lightning calls this before every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        if self.balance != "none":
            order = self._balanced()[order]
        for i in range(len(self)):
            yield order[i * self.batch : (i + 1) * self.batch].tolist()

    def _balanced(self) -> np.ndarray:
        """Clips (n,) of an epoch by class: those of a class in turn, each as often as any other or once more."""
        generator = np.random.default_rng([self.seed, PERMUTED, self.epoch])
        quotas = class_quotas(np.bincount(self.target), self.balance)
        found = []
        for number, quota in enumerate(quotas.tolist()):
            clips = np.flatnonzero(self.target == number)
            rounds = -(-quota // len(clips)) if len(clips) else 0
            if rounds:
                found.append(np.concatenate([generator.permutation(clips) for _ in range(rounds)])[:quota])
        return np.concatenate(found)


def class_quotas(counts: np.ndarray, balance: Balance) -> np.ndarray:
    """How many clips of each class (classes,) an epoch shows, in sum as many as there are.

    In proportion to the counts ("none"), their square roots, or alike for all classes that occur (Kang et al. 2020, arXiv
    1910.09217, eq. 1 with q = 1, 1/2, 0); fractions go to the largest remainders.

    >>> class_quotas(np.array([90, 10, 0]), "classes")
    array([50, 50,  0])
    """
    if balance == "none":
        return np.asarray(counts)
    shares = np.where(counts > 0, np.asarray(counts, float) ** _POWER[balance], 0.0)
    exact = shares / shares.sum() * counts.sum()
    quotas = np.floor(exact).astype(np.int64)
    rest = np.argsort(quotas - exact, kind="stable")[: int(counts.sum() - quotas.sum())]
    quotas[rest] += 1
    return quotas


def ordered_batches(count: int, batch: int) -> list[list[int]]:
    """All indexes below `count` in order, in batches."""
    return [list(range(i, min(i + batch, count))) for i in range(0, count, batch)]


def part_of(batch: Sequence[int], rank: int, processes: int) -> tuple[int, int]:
    """Where the part of a process in a batch begins and ends; the first ones have one clip more where it is not even.

    >>> [part_of(range(5), rank, 2) for rank in (0, 1)]
    [(0, 3), (3, 5)]
    """
    whole, rest = divmod(len(batch), processes)
    begin = rank * whole + min(rank, rest)
    return begin, begin + whole + (rank < rest)
