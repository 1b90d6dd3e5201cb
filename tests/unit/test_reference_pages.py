"""The reference: every public name has its entry, its docstring says what a reader needs, the site needs no network."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
import yaml
from playwright.sync_api import expect, sync_playwright

from tests.conftest import skip_or_fail

ROOT = Path(__file__).resolve().parents[2]
WHAT_IT_NEEDS = 'the reference needs mkdocs, mkdocs-material and mkdocstrings; pip install "ifdd-workbench[docs]"'


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """docs/reference.py, which makes the pages."""
    if any(importlib.util.find_spec(name) is None for name in ("griffe", "mkdocs", "material", "mkdocstrings_handlers")):
        skip_or_fail(WHAT_IT_NEEDS)
    return load(ROOT / "docs" / "reference.py")


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def read(reference: ModuleType) -> Any:
    return reference.Reference()


def public(reference: ModuleType) -> list[str]:
    return [f"{package}.{name}" for package in reference.packages().values() for name in reference.public_names(package)]


def test_what_a_package_offers_is_what_the_reference_shows(reference: ModuleType) -> None:
    for package in reference.packages().values():
        module = importlib.import_module(package)
        packages = {name for name in module.__all__ if importlib.util.find_spec(f"{package}.{name}")}
        assert set(reference.public_names(package)) == set(module.__all__) - packages


def test_every_public_name_has_an_entry_and_every_link_leads_to_one(reference: ModuleType) -> None:
    pages = read(reference).pages()
    entries = re.findall(r"^::: (\S+)$", "\n".join(pages.values()), re.MULTILINE)
    assert len(entries) == len(set(entries))
    assert set(public(reference)) <= set(entries)
    links = re.findall(r"\]\[(\S+)\]", "\n".join(pages.values()))
    assert set(links) == set(entries)
    assert set(re.findall(r"\]\((\S+)\.md\)", pages["index"])) == set(pages) - {"index"}


def test_examples_become_a_section(reference: ModuleType) -> None:
    examples = load(ROOT / "docs" / "examples.py")
    assert examples.with_section("Add.\n\n>>> 1 + 1\n2\n\nMore.") == "Add.\n\nExamples:\n    >>> 1 + 1\n    2\n\nMore."


class Fetched(HTMLParser):
    """What a browser loads by itself with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag in ("script", "img", "iframe", "source", "video", "object", "embed"):
            self.found += [told[name] for name in ("src", "data", "srcset") if told.get(name)]
        if tag == "link" and told.get("rel") not in ("canonical", "next", "prev"):
            self.found.append(told.get("href", ""))
        self.ids.add(told.get("id", ""))


@pytest.fixture(scope="module")
def site(reference: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `make docs` builds it: about 9 seconds of one core."""
    out = tmp_path_factory.mktemp("site")
    told = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    run = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


def test_the_site_has_every_name_and_loads_nothing_from_elsewhere(reference: ModuleType, site: Path) -> None:
    ids: set[str] = set()
    for file in site.rglob("*.html"):
        page = Fetched()
        page.feed(file.read_text(encoding="utf-8"))
        ids |= page.ids
        assert [place for place in page.found if re.match(r"(?:\w+:)?//", place)] == [], file
        for place in page.found:
            if not place.startswith(("data:", "/")):  # the page for what is not found names places from the root
                assert (file.parent / place.partition("?")[0].partition("#")[0]).exists(), (file, place)
    assert set(public(reference)) <= ids
    for file in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", file.read_text(encoding="utf-8")) == [], file


SCHEMES: dict[Literal["light", "dark"], str] = {"light": "default", "dark": "slate"}


@pytest.mark.browser
def test_the_site_is_searched_from_a_folder_without_a_network(site: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        skip_or_fail("chromium is not installed")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
    asked: list[str] = []
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for scheme, name in SCHEMES.items():
            page = browser.new_page(color_scheme=scheme)
            page.on("request", lambda request: asked.append(request.url))
            page.on("requestfailed", lambda request: wrong.append(request.url))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto((site / "reference" / "saliency.html").as_uri())
            page.get_by_role("textbox", name="Search").press_sequentially("temperature_scaling")
            page.locator(".md-search-result__item a").first.click(timeout=60_000)
            expect(page).to_have_title("confidence - IFDD Workbench", timeout=60_000)
            # waited for: a page has its title before it has a body
            expect(page.locator("body")).to_have_attribute("data-md-color-scheme", name, timeout=60_000)
        browser.close()
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
    assert wrong == []


def test_a_dead_link_stops_the_build(reference: ModuleType, tmp_path: Path) -> None:
    told = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    kept = {name: told[name] for name in ("site_name", "strict", "validation")}
    made = kept | {"theme": "mkdocs", "plugins": ["mkdocstrings"]}
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(made), encoding="utf-8")
    faults = ("[a page](nowhere.md)", "[a part](#nowhere)", "[a name][workbench.nowhere]", "::: workbench.nowhere")
    for words in ("fine", *faults):
        (tmp_path / "docs" / "index.md").write_text(f"# A page\n\n{words}\n", encoding="utf-8")
        run = subprocess.run([sys.executable, "-m", "mkdocs", "build"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (run.returncode == 0) == (words == "fine"), (words, run.stdout + run.stderr)
