"""The clips that tests of workspaces share."""

from pathlib import Path

import pytest

from tests.tiny_demo import TinyDemo


@pytest.fixture
def clips(tiny: TinyDemo) -> Path:
    return tiny.demo / "datasets" / "demo"
