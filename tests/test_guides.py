"""The guides in docs/ are followed to the letter in a copy of the repository, and what they add is there at the end."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ifdd.checkpoints import read_card
from ifdd.errors import InputError
from tests.conftest import skip_or_fail
from tests.follow import ROOT, Followed, copy_of_the_repository, follow, run_shell
from tests.tiny_demo import make_demo

pytestmark = pytest.mark.timeout(1200)  # half a minute on a free machine, and this may not be one

GUIDES = sorted((ROOT / "docs").glob("adding_*.md"))
SHIPPED = ("scripted-tiny-baseline", "scripted-tiny-ifdd")

PAGE = """python - <<'END'
import json
from streamlit.testing.v1 import AppTest
from tests.app.conftest import switch
app = switch(AppTest.from_file("pages/app.py", default_timeout=120), "{}").run()
assert not app.exception, app.exception
assert not app.error, [item.value for item in app.error]
print(app.title[0].value, *(item.value for item in app.subheader), sep="\\n")
print(*(cell for table in app.dataframe for cell in table.value.iloc[:, 0]), sep="\\n")
charts = [json.loads(item.proto.spec) for item in app.get("plotly_chart")]
print(*(note["text"] for chart in charts for note in chart["layout"].get("annotations", ())), sep="\\n")
print(len(charts), "charts")
END"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make app` leaves in demo/, of a few clips."""
    folder = tmp_path_factory.mktemp("guides") / "demo"
    make_demo(folder, ROOT / "checkpoints", names=SHIPPED)
    return folder


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    if not (ROOT / ".venv" / "bin" / "ruff").is_file():
        skip_or_fail("the guides are followed in .venv, which make test makes")
    made = copy_of_the_repository(tmp_path / "copy")
    (made / "demo").symlink_to(demo)
    return made


@pytest.fixture
def done(copy: Path) -> Callable[[str], Followed]:
    return lambda name: follow(ROOT / "docs" / f"adding_{name}.md", copy)


def test_an_analysis(copy: Path, done: Callable[[str], Followed]) -> None:
    printed = done("an_analysis").printed
    assert re.search(r"^  hesitation +Measure whether a model is unsure", printed, re.MULTILINE)
    found = json.loads((copy / "runs/hesitation/hesitation.json").read_text())
    assert found["told"] == 1
    assert 0 <= found["auroc"]["low"] <= found["auroc"]["value"] <= found["auroc"]["high"] <= 1
    report = (copy / "runs/report.html").read_text(encoding="utf-8")
    assert re.search(r"<h2>\d\. Does the model hesitate where it errs\?</h2>", report)
    page = run_shell(PAGE.format("hesitation"), copy).splitlines()
    assert page[:2] == ["Hesitation", "Does the model hesitate where it errs?"]
    assert [line for line in page[2:] if line] == [*SHIPPED, "1 charts"]


def test_a_page(done: Callable[[str], Followed]) -> None:
    assert "2 passed" in done("a_page").printed  # the guide's own test draws it


def test_a_backbone(done: Callable[[str], Followed]) -> None:
    printed = done("a_backbone").printed
    assert "10 passed" in printed
    assert re.search(r"^index, update-first +0\.\d+ M parameters", printed, re.MULTILINE)


@pytest.mark.slow  # a backbone, a page and an analysis are followed with every run
def test_a_variant(copy: Path, done: Callable[[str], Followed]) -> None:
    done("a_variant")
    assert read_model(copy / "runs/motion/checkpoint")["split"] == "motion"
    page = run_shell(PAGE.format("splits"), copy, IFDD_WORKSPACE=str(copy / "mine"))
    assert "\nmotion D: dynamic\nS: static\n" in page
    assert page.endswith("2 charts\n")


@pytest.mark.slow
def test_a_family(copy: Path, done: Callable[[str], Followed]) -> None:
    done("a_family")
    assert (copy / "runs/calibration/calibration.md").is_file()
    with pytest.raises(InputError, match="unknown family 'frame-mean'; known: ifdd, ous; give the module of another one"):
        read_card(copy / "runs/frame-mean/checkpoint")


@pytest.mark.slow  # its commands have tests of their own
def test_other_peoples_models(copy: Path) -> None:
    printed = follow(ROOT / "docs" / "other_models.md", copy).printed
    assert "runs/theirs: 14 clips, classes happy, sad, neutral, angry, surprise, disgust, fear, kept logits, features" in printed
    assert (copy / "runs/theirs-compared/comparison.md").is_file()
    assert (copy / "runs/theirs-embedded/embedding.png").is_file()


@pytest.mark.slow
def test_a_network_of_ones_own(copy: Path) -> None:
    follow(ROOT / "docs" / "other_models.md", copy, slow=True)
    assert len(list((copy / "runs/r3d-maps").glob("*/*.png"))) >= 1
    assert (copy / "runs/r3d-compared/comparison.md").is_file()


@pytest.mark.slow
def test_a_new_backbone_is_trained_and_explained(copy: Path) -> None:
    follow(ROOT / "docs" / "adding_a_backbone.md", copy, slow=True)
    assert read_model(copy / "runs/shift/checkpoint")["backbone"] == "shift-tiny"
    assert len(list((copy / "runs/explained").glob("*/explain.json"))) == 1


def read_model(checkpoint: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((checkpoint / "card.json").read_text())["model"]
    return found


@pytest.mark.slow
def test_all_guides_together_keep_to_the_rules_of_the_house(copy: Path) -> None:
    for guide in GUIDES:
        follow(guide, copy, shell=False)
    run_shell("ruff format --check . && ruff check . && mypy && python -m pytest -q tests/test_layers.py", copy)
    run_shell("python -m pytest -q tests/unit/test_docstrings.py tests/unit/test_doctests.py -k 'docstrings or hesitation'", copy)
    run_shell("python -m pytest -q tests/unit/ifdd/models tests/unit/ifdd/modules", copy)


def test_every_guide_is_followed() -> None:
    assert [guide.stem.removeprefix("adding_") for guide in GUIDES] == [
        "a_backbone",
        "a_family",
        "a_page",
        "a_variant",
        "an_analysis",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Some code:\n\n```python\nx = 1\n```\n", "nothing above this block says"),
        ("In `ifdd/timing.py`:\n\n```diff\n no = 1\n+x = 1\n```\n", "has these lines 0 times"),
        ("New file `ifdd/timing.py`:\n\n```python\nx = 1\n```\n", "is there already"),
        ("**Touched: 1 new file.**\n", r"says that it touches 1 new file\."),
        ("Nothing.\n", "does not say what it touches"),
        ("```sh\nfalse\n```\n", "line 1"),
    ],
)
def test_a_guide_that_cannot_be_followed_is_told(text: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "ifdd").mkdir()
    (tmp_path / "ifdd" / "timing.py").write_text("frames = 8\n")
    (tmp_path / "guide.md").write_text(text)
    with pytest.raises(AssertionError, match=fault):
        follow(tmp_path / "guide.md", tmp_path)
