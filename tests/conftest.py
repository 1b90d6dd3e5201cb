"""What several test tiers share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores; threads of each would wait for those of the others
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy and torch are loaded, and for what tests start

settings.register_profile("patient", deadline=None)  # the first call of a kernel may take a second on a busy machine
settings.load_profile("patient")

SHARED = Path(__file__).resolve().parents[2] / "shared"
STRICT = os.environ.get("IFDD_STRICT_TESTS") == "1"
"""Set by `.ci/run`: what a user's machine may skip must be there."""


def skip_or_fail(reason: str) -> None:
    """Skip on a user's machine; fail where everything is expected to be present."""
    if STRICT:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real clips, label lists and reference tensors that lies beside the checkout."""
    if not SHARED.is_dir():
        skip_or_fail(f"shared test data not found at {SHARED}")
    return SHARED
