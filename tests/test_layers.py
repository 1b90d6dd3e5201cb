"""Imports go one way: pages → workbench → ifdd; and whoever only looks at results, or asks for help, loads no network."""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import get_args

import pytest

from workbench.analysis.registry import CONCEPTS, Face, faces

ROOT = Path(__file__).resolve().parents[1]

FORBIDDEN = {
    "ifdd": {"workbench", "pages", "streamlit", "matplotlib", "plotly", "seaborn"},
    "workbench": {"pages", "streamlit"},
    "pages": {"torch", "ifdd"},
}
HEAVY = {"torch", "torchvision", "scipy", "plotly", "lightning"}
"""What no door may load: none of it is needed to print a help page."""
DISPLAYS = {
    "torch",
    "torchvision",
    "lightning",
    "av",
    "cv2",
    "streamlit",
    "matplotlib.pyplot",
    "ifdd.models",
    "ifdd.weights",
    "workbench.store",
}
"""What displays and results may not reach, directly or through what they import."""


def imported_names(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def names_at_run_time(source: str) -> set[str]:
    """Those imported anywhere, also in a function, but for annotations alone."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return imported_names(ast.unparse(tree))


def circle_within(package: str, imports: Mapping[str, set[str]]) -> list[str]:
    """Parts of a package (modules, and folders as a whole) that import each other in a circle; `imports` by module."""
    depth = package.count(".") + 2
    graph: dict[str, set[str]] = {}
    for module, names in imports.items():
        if module.startswith(f"{package}."):
            part = ".".join(module.split(".")[:depth])
            others = {".".join(name.split(".")[:depth]) for name in names if name.startswith(f"{package}.")}
            graph.setdefault(part, set()).update(others - {part})
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def arrows_back(source: str, forbidden: set[str]) -> set[str]:
    return {name for name in imported_names(source) if any(name == bad or name.startswith(f"{bad}.") for bad in forbidden)}


@cache
def reached(*modules: str) -> frozenset[str]:
    """All modules that a fresh Python has loaded after it imported these."""
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, f"{modules}: {run.stderr}"
    return frozenset(run.stdout.split())


def found_among(modules: frozenset[str], forbidden: set[str]) -> list[str]:
    return sorted(bad for bad in forbidden if bad in modules)


def modules_of(*patterns: str) -> list[str]:
    files = sorted(file for pattern in patterns for file in ROOT.glob(pattern) if file.name != "__init__.py")
    return [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]


FACES: tuple[Face, ...] = get_args(Face)
LOOKERS = modules_of(
    "workbench/plotting/*.py",
    "workbench/results/*.py",
    "workbench/**/displays.py",
    "workbench/**/displays/*.py",
    "workbench/**/results.py",
)


def test_checker_sees_an_arrow_back() -> None:
    assert arrows_back("def f():\n    from streamlit import session_state", {"streamlit"}) == {
        "streamlit",
        "streamlit.session_state",
    }
    assert not arrows_back("import streamlit_extras", {"streamlit"})
    assert found_among(reached("ifdd.models.base"), DISPLAYS) == ["ifdd.models", "torch"]


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_no_import_runs_back(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files, f"no files in {folder}"
    bad = {str(file.relative_to(ROOT)): found for file in files if (found := arrows_back(file.read_text(), FORBIDDEN[folder]))}
    assert not bad


def test_the_checker_sees_a_circle() -> None:
    lazy = "if TYPE_CHECKING:\n    from a.c import z\ndef f():\n    from a.b import y"
    assert names_at_run_time(lazy) == {"a.b", "a.b.y"}
    assert set(circle_within("a", {"a.b.x": {"a.c.y"}, "a.c.z": {"a.b"}})) == {"a.b", "a.c"}
    assert not circle_within("a", {"a.b.x": {"a.c.y"}, "a.c.z": {"a.c.y"}})
    assert not circle_within("a.b", {"a.b.x": {"a.c.y"}, "a.c.z": {"a.b"}})


def test_no_circle_of_packages() -> None:
    """Of no package do two parts import each other, as of `ifdd` or `workbench.analysis`, also not through others.

    Faces of concepts, which nobody imports, stand on the report and the figures, which are made of concepts.
    """
    files = [file for top in FORBIDDEN for file in (ROOT / top).rglob("*.py")]
    modules = {file: ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files}
    imports = {module: names_at_run_time(file.read_text()) for file, module in modules.items()}
    face = re.compile(rf"workbench\.analysis\.\w+\.({'|'.join(FACES)})")
    used = {name: found for name, found in imports.items() if not face.fullmatch(name)}
    packages = {module for file, module in modules.items() if file.name == "__init__.py"} | set(FORBIDDEN)
    assert len(packages) >= 30
    bad = {name: circle_within(name, used if name == "workbench" else imports) for name in packages}
    assert not {name: circle for name, circle in bad.items() if circle}


def test_displays_reach_results_only() -> None:
    """No torch, no model, no collection, no global figures, no app: also not through another module."""
    assert len(LOOKERS) >= 40
    bad: dict[str, list[str]] = {}
    if found_among(reached(*LOOKERS), DISPLAYS):  # together is quick; one by one tells who it is
        bad = {name: found for name in LOOKERS if (found := found_among(reached(name), DISPLAYS))}
    assert not bad


@pytest.mark.parametrize("package", ["ifdd", "workbench", "workbench.cli"])
def test_a_door_opens_light(package: str) -> None:
    """Also every `--help` of `workbench`: what a command needs it imports when it runs."""
    assert not found_among(reached(package), HEAVY)


def test_ifdd_reaches_no_workbench() -> None:
    assert "workbench" not in {name.split(".")[0] for name in reached(*modules_of("ifdd/**/*.py"))}


@pytest.mark.parametrize("package", ["ifdd", "workbench"])
def test_no_help_page_loads_a_network(package: str) -> None:
    """All help pages, those of sub-commands too."""
    code = """
import importlib, sys, typer
def pages(command, context):
    yield command.get_help(context)
    for name, child in getattr(command, "commands", {}).items():
        yield from pages(child, type(context)(child, info_name=name, parent=context))
command = typer.main.get_command(importlib.import_module(sys.argv[1] + ".cli").app)
with command.make_context(sys.argv[1], [], resilient_parsing=True) as context:
    print(sum("--help" in page for page in pages(command, context)), *sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code, package], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    count, *modules = run.stdout.split()
    assert int(count) >= 11
    assert not found_among(frozenset(modules), HEAVY)


def test_the_folders_are_those_of_the_conventions() -> None:
    text = (ROOT / "CONVENTIONS.md").read_text(encoding="utf-8")
    table = text[text.index("## Folders") : text.index("## Axes")]
    missing = [
        str(folder.relative_to(ROOT)) + "/"
        for package in ("ifdd", "workbench")
        for folder in (ROOT / package).iterdir()
        if (folder / "__init__.py").is_file() and f"`{folder.relative_to(ROOT)}/`" not in table
    ]
    assert not missing
    named = re.findall(r"^\| `([\w/]+)/`(?:, `([\w/]+)/`)? \|", table, re.MULTILINE)
    assert not [name for names in named for name in filter(None, names) if not (ROOT / name).is_dir()]


def test_every_concept_is_registered() -> None:
    folders = {folder.name for folder in (ROOT / "workbench" / "analysis").iterdir() if (folder / "__init__.py").is_file()}
    assert set(CONCEPTS) == folders
    assert len(set(CONCEPTS)) == len(CONCEPTS)
    for kind in FACES:
        known = {name for name in CONCEPTS if (ROOT / "workbench" / "analysis" / name / f"{kind}.py").is_file()}
        assert set(faces(kind)) == known
        assert known


def test_nobody_but_the_registry_imports_a_face() -> None:
    """What is seen of a concept is mounted, never used: else a report could not do without its command line."""
    found = re.compile(rf"workbench\.analysis\.\w+\.({'|'.join(FACES)})\b")
    files = [file for package in ("workbench", "pages") for file in (ROOT / package).rglob("*.py")]
    bad = {str(file): hits for file in files if (hits := [n for n in imported_names(file.read_text()) if found.match(n)])}
    assert not bad


def test_a_section_alone_knows_of_the_report() -> None:
    """A concept's functions, displays and task serve the report and the figures, which are made of them."""
    files = [file for file in (ROOT / "workbench" / "analysis").rglob("*.py") if file.name != "section.py"]
    bad = {
        str(file): found for file in files if (found := arrows_back(file.read_text(), {"workbench.figures", "workbench.report"}))
    }
    assert not bad


def test_the_app_lists_its_pages_light() -> None:
    assert not found_among(reached(*modules_of("workbench/analysis/*/page.py")), HEAVY)


def test_reading_clips_needs_no_training_and_no_renderer() -> None:
    assert not found_among(reached("workbench.store.collecting"), ("torchvision", "numba", "lightning", "sklearn"))


def test_a_clip_is_explained_without_torchs_compiler_and_the_renderer() -> None:
    seen = reached("workbench.explain.task", "workbench.app.clipview")
    assert not found_among(seen, ("torchvision", "torch._inductor", "ifdd.scripted.render.clips", "captum"))


def test_nothing_is_kept_from_the_formatter() -> None:
    marks = re.compile(r"#\s*fmt:\s*(skip|off)\b")
    tops = ("ifdd", "workbench", "pages", "docs", "benchmarks", "tests")
    files = [file for top in tops for file in (ROOT / top).rglob("*.py")]
    assert len(files) >= 500
    assert not [str(file.relative_to(ROOT)) for file in files if marks.search(file.read_text(encoding="utf-8"))]


def test_no_two_test_files_bear_one_name() -> None:
    names = [file.name for file in ROOT.glob("tests/**/test_*.py")]
    assert sorted(names) == sorted(set(names)), "pytest collects files of one name only once"
