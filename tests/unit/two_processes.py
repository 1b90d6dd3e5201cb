"""One training of a model that draws nothing, for `torchrun` or alone: python two_processes.py RECIPE OUT."""

import sys
from pathlib import Path

import torch
from small_corpus import without_batch_statistics

from ifdd.training import run
from ifdd.training.recipe import load_recipe

if __name__ == "__main__":
    torch.set_num_threads(1)
    run.create_model = without_batch_statistics  # type: ignore[assignment]
    run.train(load_recipe(sys.argv[1]), Path(sys.argv[2]), resume=Path(sys.argv[2]).exists(), progress=False)
