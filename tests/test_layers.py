"""Imports go one way: pages → workbench → ifdd; displays know results only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FORBIDDEN = {
    "ifdd": {"workbench", "pages", "streamlit", "matplotlib", "plotly", "seaborn"},
    "workbench": {"pages", "streamlit"},
    "workbench/plotting": {"pages", "streamlit", "torch", "ifdd.models", "workbench.store", "workbench.explain"},
    "pages": {"torch", "ifdd"},
}


def imported_names(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def arrows_back(source: str, forbidden: set[str]) -> set[str]:
    return {name for name in imported_names(source) if any(name == bad or name.startswith(f"{bad}.") for bad in forbidden)}


def test_checker_sees_an_arrow_back() -> None:
    assert arrows_back("def f():\n    from streamlit import session_state", {"streamlit"}) == {
        "streamlit",
        "streamlit.session_state",
    }
    assert not arrows_back("import streamlit_extras", {"streamlit"})


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_no_import_runs_back(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"no files in {folder}"
    bad = {str(file.relative_to(ROOT)): found for file in files if (found := arrows_back(file.read_text(), FORBIDDEN[folder]))}
    assert not bad
