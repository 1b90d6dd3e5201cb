"""The gallery: every page has all its parts, its links lead somewhere, its commands parse, and its code makes its pictures."""

import ast
import importlib.util
import os
import re
import shlex
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import typer
from PIL import Image

from ifdd.errors import InputError
from workbench.analysis.performance.displays.scores import ConfusionDisplay
from workbench.analysis.performance.scores import summary
from workbench.analysis.registry import CONCEPTS
from workbench.results.passport_files import read_passport
from workbench.store.collection import Collection

ROOT = Path(__file__).resolve().parents[4]
GALLERY = ROOT / "docs" / "gallery"
PAGES = sorted(path.stem for path in GALLERY.glob("*.md") if path.stem != "README")
HEADINGS = ("## How to read it", "## What misleads", "## Make it", "Source: ", "Code: ")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)")


def load_build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery_build", ROOT / "docs" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


build = load_build()


def text_of(page: str) -> str:
    return (GALLERY / f"{page}.md").read_text(encoding="utf-8")


def commands_of(page: str) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_build_knows_every_page() -> None:
    assert sorted(build.PAGES) == PAGES
    assert len(set(build.PAGES)) == len(build.PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_page_has_all_parts(page: str) -> None:
    text = text_of(page)
    title, _, question, *_ = text.splitlines()
    assert title.startswith("# ")
    assert re.fullmatch(r"\*\*.+\?\*\*", question)
    places = [text.index(heading) for heading in HEADINGS]
    assert places == sorted(places)
    for heading, following in pairwise(HEADINGS[:3]):
        assert len(text[text.index(heading) + len(heading) : text.index(following)].split()) >= 20, heading
    body = ast.parse(build.code_of(GALLERY / f"{page}.md")).body
    assert 1 <= sum(not isinstance(node, ast.Import | ast.ImportFrom) for node in body) <= 6
    assert commands_of(page)


@pytest.mark.parametrize("page", [*PAGES, "README"])
def test_links_lead_somewhere(page: str) -> None:
    links = [link for link in LINK.findall(text_of(page)) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (GALLERY / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_ones_that_workbench_takes(page: str) -> None:
    from workbench.cli import app

    group = typer.main.get_command(app)
    for line in commands_of(page):
        program, name, *arguments = shlex.split(line, comments=True)
        assert program == "workbench"
        command = group.get_command(None, name)  # type: ignore[attr-defined]
        assert command is not None, name
        command.make_context(name, arguments)  # parses, runs nothing; raises for what is unknown or missing


def test_pictures_are_small_and_carry_their_passport() -> None:
    pictures = sorted(GALLERY.glob("*.png"))
    assert sum(picture.stat().st_size for picture in pictures) <= 2_000_000
    shown = {name for page in PAGES for _, name in re.findall(r"!\[([^\]]+)\]\(([\w-]+\.png)\)", text_of(page))}
    assert shown == {picture.name for picture in pictures}
    for picture in pictures:
        assert picture.stat().st_size <= build.LARGEST, picture.name
        assert read_passport(picture).command == f"python docs/build.py {page_with(picture.name)}"


def page_with(picture: str) -> str:
    (page,) = [page for page in PAGES if f"]({picture})" in text_of(page)]
    return page


def test_every_analysis_has_a_page_or_a_reason() -> None:
    linked = {name for page in PAGES for name in re.findall(r"\(\.\./\.\./workbench/analysis/(\w+)/[\w/]+\.py\)", text_of(page))}
    reasons = re.findall(r"^- `(\w+)`: .{20,}$", text_of("README").split("## Without a page")[1], re.MULTILINE)
    assert set(CONCEPTS) - linked - set(reasons) == set()
    assert set(reasons) & linked == set()


def test_index_is_up_to_date() -> None:
    between = text_of("README").split("<!-- pages -->\n")[1].split("<!-- /pages -->")[0]
    assert between.strip() == build.index_rows().strip()


def test_a_page_with_two_blocks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\na = 1\n```\n\n```python\nb = 1\n```\n", encoding="utf-8")
    with pytest.raises(InputError, match="2 blocks"):
        build.code_of(page)


def test_a_page_must_save_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "GALLERY", tmp_path)
    (tmp_path / "page.md").write_text("![a](a.png)\n```python\nx = 1\n```\n", encoding="utf-8")
    before = Path.cwd()
    with pytest.raises(InputError, match=r"a\.png"):
        build.run_page("page", {}, tmp_path)
    assert Path.cwd() == before


def test_the_papers_figures_are_all_shown_with_a_caption_and_their_passport() -> None:
    folder = ROOT / "docs" / "figures"
    text = (folder / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^!\[[^\]]+\]\(([\w]+\.png)\)\n\n(\w.+)$", text, re.MULTILINE)
    assert sorted(name for name, _ in shown) == sorted(file.name for file in folder.glob("*.png"))
    assert len(shown) == 8
    for name, caption in shown:
        assert len(caption) > 60
        passport = read_passport(folder / name)
        assert passport.command == "python docs/figures.py"
        assert {run.name for run in passport.runs} <= {place.name for place in (ROOT / "checkpoints").iterdir()}


def test_a_large_picture_shrinks_and_keeps_its_passport(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    about = PngInfo()
    about.add_itxt("Description", "made of noise, K·h·w")
    noise = Image.frombytes("RGB", (600, 400), os.urandom(600 * 400 * 3))
    noise.save(tmp_path / "noise.png", pnginfo=about)
    build.shrink(tmp_path / "noise.png", tmp_path / "small.png")
    with Image.open(tmp_path / "small.png") as image:
        assert image.info["Description"] == "made of noise, K·h·w"
        assert image.width < 600
        assert image.width / image.height == pytest.approx(1.5, rel=0.02)
    assert (tmp_path / "small.png").stat().st_size <= build.LARGEST


def test_pictures_of_a_page_tell_its_command_and_what_it_starts_from(tmp_path: Path) -> None:
    meta = {"checkpoint": {"name": "tiny", "sha256": "f"}, "data": {"manifest": "clips.parquet", "hash": "e"}}
    names = {"collections": [Collection(tmp_path, meta)], "demo": None}
    context = build.context_of("metrics", names)
    display = ConfusionDisplay.from_result(summary(np.eye(3), np.arange(3), ("a", "b", "c")))
    build.shrink(display.save(tmp_path / "large.png"), tmp_path / "small.png", context)
    found = read_passport(tmp_path / "small.png")
    assert found.command == "python docs/build.py metrics"
    assert [run.name for run in found.runs] == ["tiny"]
    assert [data.hash for data in found.data] == ["e"]
    assert found.analyses


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_code_of_every_page_makes_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.store.demo import prepare_demo
    from workbench.store.layout import FILE, demo_folder

    if not (demo_folder() / FILE).is_file():
        monkeypatch.setenv("IFDD_DEMO", str(tmp_path / "demo"))
        prepare_demo(tmp_path / "demo")
    names = build.prepare()
    for page in build.PAGES:
        folder = tmp_path / page
        folder.mkdir()
        for picture in build.run_page(page, names, folder):
            with Image.open(picture) as image:
                assert len(image.convert("RGB").getcolors(2**24) or []) > 10, picture.name  # not an empty sheet
