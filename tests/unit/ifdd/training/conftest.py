"""What tests of trainings share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from small_corpus import make_corpus


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Tiny tensors lose more than they gain from several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of 42 clips of 7 persons in 3 folds."""
    return make_corpus(tmp_path_factory.mktemp("corpus"))
