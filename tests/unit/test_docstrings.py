"""What the docstrings of the public functions tell: one line, what is raised, an example."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from workbench.analysis.registry import CONCEPTS

PACKAGES = ("ifdd", "ifdd.weights", "workbench", *(f"workbench.analysis.{concept}" for concept in CONCEPTS))
RAISES = re.compile(r"^Raises:\n((?:    .+\n?)+)", re.MULTILINE)


def public() -> Iterator[tuple[str, Any]]:
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            item = getattr(module, name)
            if not isinstance(item, ModuleType):
                yield f"{package}.{name}", item


def methods() -> dict[str, Callable[..., Any]]:
    """What the public classes define by `def`, properties too."""
    found = {}
    for name, item in public():
        if inspect.isclass(item):
            members = {key: getattr(value, "fget", getattr(value, "__func__", value)) for key, value in vars(item).items()}
            own = {key: value for key, value in members.items() if inspect.isfunction(value) and not key.startswith("_")}
            found |= {f"{name}.{key}": value for key, value in own.items()}
    return found


def raised(source: str) -> set[str]:
    """The exceptions that a function's own body raises by name; what it raises anew is that of others."""
    calls = [node.exc for node in ast.walk(ast.parse(textwrap.dedent(source))) if isinstance(node, ast.Raise)]
    return {call.func.id for call in calls if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)}


def faults(docstring: str, source: str, *, example: bool) -> list[str]:
    """What a docstring lacks."""
    found = []
    first, _, rest = docstring.partition("\n")
    if not first.endswith((".", "?")) or (rest and not rest.startswith("\n")):
        found.append("the first line is no sentence by itself")
    sections = RAISES.findall(docstring)
    told = set(re.findall(r"^    (\w+): \S", "\n".join(sections), re.MULTILINE))
    if docstring.count("Raises:") != len(sections) or len(sections) > 1:
        found.append('what is raised stands in no section, "Raises:" and below it "    InputError: …"')
    if missing := raised(source) - told:
        found.append(f"{', '.join(sorted(missing))} is raised and not told")
    if example and ">>> " not in docstring:
        found.append("no example")
    return found


GOOD = """Halve it.\n\nRaises:\n    InputError: an odd one,\n        or none.\n\n>>> half(2)\n1"""


@pytest.mark.parametrize(
    ("docstring", "lacks"),
    [
        (GOOD, ""),
        (GOOD.replace("Halve it.", "Halve\nit."), "first line"),
        ("Halve it.\n\nRaises: InputError for an odd one.\n\n>>> half(2)\n1", "no section"),
        (GOOD.replace("InputError", "ValueError"), "InputError is raised"),
        (GOOD.partition("\n\nRaises")[0], "InputError is raised"),
        (GOOD.partition("\n\n>>>")[0], "no example"),
    ],
)
def test_what_a_docstring_lacks_is_found(docstring: str, lacks: str) -> None:
    source = "def half(n):\n    if n % 2:\n        raise InputError(n)\n    return n // 2"
    found = faults(docstring, source, example=True)
    assert lacks in "; ".join(found) if lacks else not found


def test_docstrings_of_public_functions_tell_all() -> None:
    functions = {name: item for name, item in public() if inspect.isfunction(item)}
    assert {"ifdd.create_model", "workbench.collect", "workbench.analysis.saliency.gradcam"} <= set(functions)
    assert lacking(functions, example=True) == {}


def test_docstrings_of_public_methods_tell_what_is_raised() -> None:
    found = methods()
    assert {
        "ifdd.Bundle.predict",
        "workbench.Collection.activation",
        "workbench.analysis.saliency.SaliencyResult.residue",
    } <= set(found)
    assert lacking(found, example=False) == {}


def test_public_classes_and_values_say_what_they_are() -> None:
    classes = {name: item for name, item in public() if inspect.isclass(item)}
    assert [
        name
        for name, item in classes.items()
        if "__doc__" not in vars(item) or faults(inspect.getdoc(item) or "", "", example=False)
    ] == []


def lacking(functions: dict[str, Callable[..., Any]], *, example: bool) -> dict[str, list[str]]:
    told = {
        name: faults(inspect.getdoc(function) or "", inspect.getsource(function), example=example)
        for name, function in functions.items()
    }
    return {name: lacks for name, lacks in told.items() if lacks}
