"""What a training runs in: the machine, its libraries and the words of Lightning."""

import ctypes
import logging
import os
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch

from ifdd.errors import InputError
from ifdd.repository import source_commit
from ifdd.training.recipe import Recipe

PRECISIONS = {"32-true": "32-true", "bf16-mixed": "bf16-mixed", "fp16-mixed": "16-mixed"}
"""A recipe's words → Lightning's."""


def check_precision(recipe: Recipe, device: torch.device) -> None:
    """Refuse a half precision that a device lacks. Raises: InputError with the one to take."""
    if recipe.precision == "fp16-mixed" and device.type != "cuda":
        raise InputError(f"precision=fp16-mixed is for a GPU, this runs on {device.type}; set precision=32-true")
    if recipe.precision == "bf16-mixed" and device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise InputError(f"{torch.cuda.get_device_name()} computes no bfloat16; set precision=fp16-mixed")


def keep_freed_memory() -> None:
    """Let glibc keep large blocks that are freed: every step needs them again, and page faults cost a CPU up to a third."""
    if platform.libc_ver()[0] != "glibc":
        return
    trim_threshold, mmap_threshold, most = -1, -3, 2**31 - 1  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    libc = ctypes.CDLL(None)
    for option in (trim_threshold, mmap_threshold):
        libc.mallopt(option, most)


def environment() -> dict[str, Any]:
    """What a number may depend on besides the recipe."""
    names = ("ifdd-workbench", "torch", "torchvision", "lightning", "numpy")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in names},
        "torch_threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "commit": source_commit(),
    }


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's tips and its advice on workers and loggers to itself."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
