"""The page Help, and the tour."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.tiny_demo import TinyDemo
from workbench.app.glossary import KEYS, WORDS
from workbench.app.reading import reading, reading_names

Start = Callable[..., AppTest]


def text(app: AppTest) -> str:
    assert not app.exception
    assert not app.error
    return "\n".join(item.value for item in app.markdown)


def test_every_plot_is_explained(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "help")
    chosen = app.selectbox("help_plot")
    assert len(chosen.options) == len(reading_names())
    chosen.set_value("calibration").run()
    assert reading("calibration").question in text(app)
    assert reading("calibration").misleads in text(app)
    assert any(reading("calibration").console in item.value for item in app.code)
    assert {table.value.index.name: len(table.value) for table in app.table} == {"word": len(WORDS), "keys": len(KEYS)}


def test_words_are_told_once_and_in_order() -> None:
    names = [word.word.lower() for word in WORDS]
    assert names == sorted(names)
    assert len(set(names)) == len(names)


def tour_links(app: AppTest) -> list[str]:
    return [item.proto.label for item in app.get("page_link") if item.proto.label in ("Next", "Back", "Begin")]


def test_the_tour_is_offered_until_it_was_taken_or_refused(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo)
    assert any(item.proto.label.startswith("Take the tour") for item in app.get("page_link"))
    app.button("tour_no").click().run()
    app.run()
    assert not any(item.proto.label.startswith("Take the tour") for item in app.get("page_link"))
    assert not [item for item in app.button if item.key == "tour_no"]


@pytest.mark.parametrize(("step", "links"), [("1", ["Next"]), ("2", ["Back", "Next"]), ("99", []), ("x", []), ("off", [])])
def test_a_step_of_the_tour_is_an_address(start: Start, tiny_demo: TinyDemo, step: str, links: list[str]) -> None:
    app = start(tiny_demo, "overview", tour=step)
    assert tour_links(app) == links
    assert ("selection" in text(app)) == (step == "1")
    assert not any(item.key == "tour_no" for item in app.button)
