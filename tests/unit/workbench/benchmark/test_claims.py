"""What checkpoints/README.md says of the paper's claims: every figure is made anew from checkpoints/benchmark.json."""

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from workbench.benchmark.displays.table import family_markdown
from workbench.benchmark.stored import read_benchmark

ROOT = Path(__file__).resolve().parents[4]
CODE, README = ROOT / "docs" / "claims.py", ROOT / "checkpoints" / "README.md"


@pytest.fixture(scope="module")
def code() -> ModuleType:
    spec = importlib.util.spec_from_file_location("claims", CODE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def between(mark: str) -> str:
    _, rest = README.read_text(encoding="utf-8").split(f"<!-- {mark} -->\n")
    return rest.split(f"<!-- /{mark} -->")[0]


def test_claims_and_table_are_those_of_the_numbers(code: ModuleType) -> None:
    result = read_benchmark(ROOT / "checkpoints" / "benchmark.json")
    assert between("claims") == code.claims(result), "run python docs/claims.py"
    assert between("benchmark") == family_markdown(result), "run workbench benchmark … --table checkpoints/README.md"


def test_no_result_is_written_by_hand(code: ModuleType) -> None:
    """In the sentences themselves stand no figures but those that are no results."""
    allowed = {"95", "50", "0", "1/2"}
    function = next(n for n in ast.walk(ast.parse(CODE.read_text())) if isinstance(n, ast.FunctionDef) and n.name == "claims")
    texts = [n.value for n in ast.walk(function) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    names = re.compile(r"^\.\df$|noisy-[\w-]+|r3d|R²|scripted-[\w-]+|λ = 0")
    found = {number for text in texts for number in re.findall(r"\d+(?:[./]\d+)?", names.sub("", text))}
    assert found <= allowed
    numbers = re.findall(r"\d+\.\d+", code.claims(read_benchmark(ROOT / "checkpoints" / "benchmark.json")))
    assert len(numbers) > 100


def test_a_difference_over_three_seeds_is_students(code: ModuleType) -> None:
    """IFDD − control, by hand: (−1.1, −2.0, −1.5) has a mean of −1.5, and 4.303 standard errors of it end below nought."""
    result = read_benchmark(ROOT / "checkpoints" / "benchmark.json")
    found = code.Numbers(result).difference("noisy-frozen-ifdd", "noisy-frozen-control")
    assert [found.value, found.low, found.high] == pytest.approx([-1.5, -2.7, -0.3], abs=0.1)
    assert code.finding(found) == "below"


@pytest.mark.parametrize(
    "page", ["README.md", "docs/gallery/scorecard.md", "docs/gallery/split_follows.md", "checkpoints/README.md"]
)
def test_what_was_wrong_is_nowhere_said(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for wrong in (
        "less* often than",
        "above IFDD in every seed",
        "hardly more often than chance",
        "clip's mean features",
    ):
        assert wrong not in text.split("<!-- benchmark -->")[0]
