"""The texts on plots that the app shows are those of the gallery."""

import importlib.util
import re

import pytest

from ifdd.errors import InputError
from workbench.app import reading as texts
from workbench.app.reading import GALLERY, parse, reading, reading_names

PAGE = """# Calibration

**Is it right as often as it is sure?**

![A diagram](calibration.png)

## How to read it

On the line it is [calibrated](metrics.md).

## What misleads

- **Bins jump.**

## Make it

```python
print(1)
```

```console
workbench calibrate
```

Source: Guo 2017.
"""


def test_every_page_of_the_gallery_is_read() -> None:
    assert set(reading_names()) == {file.stem for file in GALLERY.glob("*.md")} - {"README"}
    for name in reading_names():
        found = reading(name)
        assert found.question.endswith("?")
        assert all(file.is_file() and alt for alt, file in found.pictures)
        assert found.pictures
        assert not re.search(r"\]\(", found.read + found.misleads), f"{name}: a link that leads nowhere in the app"
        assert not re.search(r"^## |```", found.read + found.misleads, re.MULTILINE), name
        compile(f"{texts.first_lines()}\n{found.python}", name, "exec")


def test_the_order_is_that_of_the_gallery() -> None:
    spec = importlib.util.spec_from_file_location("docs_build", GALLERY.parent / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    assert reading_names() == build.PAGES


def test_a_page_by_its_parts() -> None:
    found = parse("calibration", PAGE)
    assert (found.title, found.question) == ("Calibration", "Is it right as often as it is sure?")
    assert found.read == "On the line it is calibrated."
    assert found.misleads == "- **Bins jump.**"
    assert (found.python, found.console, found.source) == ("print(1)", "workbench calibrate", "Guo 2017.")
    assert found.pictures == (("A diagram", GALLERY / "calibration.png"),)


@pytest.mark.parametrize(
    ("part", "told"),
    [("## What misleads", "What misleads"), ("**Is it", "title"), ("```python", "python"), ("```console", "console")],
)
def test_a_page_that_lacks_a_part_is_named(part: str, told: str) -> None:
    with pytest.raises(InputError, match=rf"calibration\.md.*{told}"):
        parse("calibration", PAGE.replace(part, "Is it"))


def test_an_unknown_plot_is_named() -> None:
    with pytest.raises(InputError, match=r"'pie'.*calibration"):
        reading("pie")
