"""What a server reads as it starts, before anybody asks."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import workbench.store.collection
import workbench.store.dataset
from tests.tiny_demo import TinyDemo

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "pages"))
from _loaded import state

Start = Callable[..., AppTest]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files of clips and predictions that are read."""
    found: list[str] = []

    def counted(given: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
        def read_one(file: Path, *more: object) -> pd.DataFrame:
            found.append(Path(file).name)
            return given(file, *more)

        return read_one

    for module, name in ((workbench.store.dataset, "read_manifest"), (workbench.store.collection, "read_table")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    return found


def ahead() -> list[BaseException]:
    """Read ahead as the server does, in a thread that belongs to no visitor."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            state.read_ahead()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised


def test_the_first_visitor_finds_what_was_read(
    start: Start, use: Callable[[TinyDemo], None], tiny_demo: TinyDemo, read: list[str]
) -> None:
    use(tiny_demo)
    assert ahead() == []
    before = sorted(read)
    assert before == ["clips.parquet", "predictions.parquet", "predictions.parquet"]
    app = start(tiny_demo)
    assert not app.exception
    assert not app.error
    assert sorted(read) == before


def test_what_cannot_be_read_is_told_by_the_page(start: Start, tiny_demo: TinyDemo, tmp_path: Path, read: list[str]) -> None:
    copy = tiny_demo.copy_to(tmp_path)
    (copy.demo / "collections" / "demo" / "tiny-ifdd" / "predictions.parquet").write_bytes(b"no table")
    app = start(copy)
    assert "cannot be read as a table" in " ".join(item.value for item in app.error)
    assert ahead() == []  # one model that fails stops nothing
    (copy.demo / "datasets" / "demo" / "clips.parquet").write_bytes(b"no table")
    assert ahead() == []  # nor does a list of clips


NUMBERS = """
import sys
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash
app = AppTest.from_file(sys.argv[1], default_timeout=120)
app.run()
for page in ["overview", "browse", "confidence", "agreement", "comparison"]:
    app._page_hash = calc_hash("" if page == "overview" else page)
    app.run()
    print(page, not app.exception and not app.error, "torch" in sys.modules)
"""


def test_pages_of_numbers_load_no_network(use: Callable[[TinyDemo], None], tiny_demo: TinyDemo) -> None:
    """They show what lies on disk; torch would be a quarter of a start."""
    use(tiny_demo)
    app = Path(__file__).resolve().parents[2] / "pages" / "app.py"
    run = subprocess.run(
        [sys.executable, "-c", NUMBERS, str(app)], capture_output=True, text=True, check=False, cwd=app.parents[1]
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:-1] == [
        f"{page} True False" for page in ("overview", "browse", "confidence", "agreement", "comparison")
    ]
