"""What docs/ous.md says of the shipped models and scenes: made anew from checkpoints/scenes.json."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from ifdd.checkpoints import load_checkpoint
from workbench.benchmark.scenes.results import ScenesResult, read_scenes

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def code() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scene_claims", ROOT / "docs" / "scene_claims.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def result() -> ScenesResult:
    return read_scenes(ROOT / "checkpoints" / "scenes.json")


def test_the_page_says_what_the_numbers_say(code: ModuleType, result: ScenesResult) -> None:
    _, rest = (ROOT / "docs" / "ous.md").read_text(encoding="utf-8").split("<!-- scenes -->\n")
    assert rest.split("<!-- /scenes -->")[0] == code.claims(result), "run python docs/scene_claims.py"


def test_the_page_says_what_the_tests_of_maps_found(code: ModuleType) -> None:
    found = code.reports()
    _, rest = (ROOT / "docs" / "ous.md").read_text(encoding="utf-8").split("<!-- maps -->\n")
    assert rest.split("<!-- /maps -->")[0] == code.map_claims(found), "run python docs/scene_claims.py"
    assert [report.sha256 for report in found] == [load_checkpoint(name).card.sha256 for name in code.TESTED]
    for report in found:  # what the sentence below the table says
        cams = [verdict for verdict in report.verdicts if verdict.activation.endswith(".map")]
        pixels = [verdict for verdict in report.verdicts if verdict.activation.startswith("input.")]
        assert not any(verdict.passes for verdict in cams)
        assert all(verdict.passes and "centre" in verdict.matched for verdict in pixels)


def test_controls_hold(result: ScenesResult) -> None:
    """Who reads no scene is flat to the digit; who reads it alone follows it, and knows no emotion where it tells nothing."""
    for row in result.rows:
        if "scene" not in row.reads:
            assert len({score.uar.value for score in row.scores}) == 1
            assert (row.helps.uar.value, row.misleads.uar.value, row.follows.value) == (0, 0, 0)
    alone = result.row("scenes-scene")
    assert alone.follows.low > 0.8
    nothing = alone.scores[result.rhos.index(0.0)].uar
    assert nothing.low <= result.chance <= nothing.high


def test_a_difference_by_hand(code: ModuleType, result: ScenesResult) -> None:
    first, second = result.row("scenes-ous-r90"), result.row("scenes-face")
    scores = tuple(replace(score, each=(0.5, 0.6)) for score in first.scores)
    others = tuple(replace(score, each=(0.4, 0.4)) for score in second.scores)
    made = replace(result, rows=(replace(first, scores=scores), replace(second, scores=others)))
    found = code.Numbers(made).difference("scenes-ous-r90", "scenes-face", 0.0)
    assert found.value == pytest.approx(15)  # 10 and 20 points; t of one degree of freedom is 12.7, the error of the mean 5
    assert found.low == pytest.approx(15 - 12.706 * 5, abs=0.01)
    assert code.shown(found) == "no difference shown"
