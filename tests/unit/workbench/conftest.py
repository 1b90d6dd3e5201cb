"""The small demo that tests of the workbench share."""

import pytest

from tests.tiny_demo import TinyDemo, tiny_demo_in


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyDemo:
    return tiny_demo_in(tmp_path_factory.getbasetemp())
