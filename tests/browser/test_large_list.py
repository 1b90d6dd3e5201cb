"""38,935 clips in the browser, predictions alone: what is shown is right, and no more of it is in the page than is seen."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import serving
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.labels import EMOTIONS
from tests.browser.using import no_errors, settle, visit
from tests.tiny_demo import TinyDemo
from workbench.store.foreign.task import import_predictions
from workbench.store.workspace import init_workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CLIPS = 38_935


@pytest.fixture(scope="module")
def large(tiny_demo: TinyDemo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, pd.DataFrame]]:
    """An app with the large list, and the list with a column for whether the model is right."""
    folder = tmp_path_factory.mktemp("large")
    source = tiny_demo.demo / "datasets" / "demo"
    few = read_manifest(source)
    random = np.random.default_rng(0)
    numbers = np.arange(CLIPS) % len(few)
    place = folder / "clips"
    rows = few.iloc[numbers].reset_index(drop=True)
    rows = rows.drop(columns="truth", errors="ignore").assign(
        clip_id=[f"clip-{i:05d}" for i in range(CLIPS)],
        path=[os.path.relpath(source / path, place) for path in rows["path"]],
        subject=[f"person-{i:04d}" for i in random.integers(0, 3000, CLIPS)],
    )
    place.mkdir()
    write_manifest(rows, place)
    probs = random.dirichlet(np.ones(len(EMOTIONS)), CLIPS)
    right = random.random(CLIPS) < 0.6
    labels = rows["label"].to_numpy()
    best = probs.argmax(1)
    swap = np.where(right, labels, (labels + 1) % len(EMOTIONS))
    each = np.arange(CLIPS)
    probs[each, best], probs[each, swap] = probs[each, swap], probs[each, best]
    file = folder / "theirs.csv"
    pd.DataFrame({"clip_id": rows["clip_id"]} | {f"p_{name}": probs[:, i] for i, name in enumerate(EMOTIONS)}).to_csv(
        file, index=False
    )
    made = init_workspace(folder / "workspace", {"large": place}, [])
    data = made.dataset("large")
    import_predictions(file, data.manifest, "theirs", data.collections / "theirs")
    with serving({"IFDD_WORKSPACE": str(made.folder)}) as served:
        yield served.address, rows.assign(right=right)


def test_a_large_list_is_counted_narrowed_and_scrolled(page: Page, large: tuple[str, pd.DataFrame], tmp_path: Path) -> None:
    address, rows = large
    visit(page, address, "?tour=off")
    page.get_by_text("38935 clips").or_(page.get_by_text("38,935 clips")).first.wait_for()
    cell = page.locator('[data-testid="stDataFrame"]').first.locator('[role="gridcell"]')
    assert f"{100 * rows['right'].mean():.1f}" in " ".join(cell.all_text_contents())
    wanted = rows[(rows["label_name"] == "sad") & ~rows["right"]]
    page.goto(f"{address}/browse?tour=off&sel=label_name%3Dsad&sel=right+theirs%3DFalse")
    page.get_by_text(f"{len(wanted)} of {CLIPS} clips", exact=True).wait_for()
    items = page.locator(".gallery .item[href]")
    items.first.wait_for()
    settle(page)
    expect(items.first.locator(".id")).to_have_text(wanted["clip_id"].iloc[0])
    assert page.locator(".gallery .item").count() < 300
    items.first.focus()
    page.keyboard.press("End")
    page.locator(".gallery .item[href]", has_text=str(wanted["clip_id"].iloc[-1])).wait_for()
    assert page.locator(".gallery .item").count() < 300
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=str(wanted["clip_id"].iloc[-1]), level=1, exact=True).wait_for()
    settle(page)
    no_errors(page)
