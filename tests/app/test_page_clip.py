"""The page Clip: its tabs, which maps come first, the way from clip to clip."""

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from ifdd.checkpoints import load_checkpoint, save_checkpoint
from ifdd.data.preprocessing import Preprocessing
from ifdd.models.families import create_model
from tests.app.conftest import switch
from tests.stored import faithfulness_report
from tests.tiny_demo import TinyDemo
from workbench.analysis.saliency.results import Verdict
from workbench.app import background
from workbench.app.background import Task
from workbench.app.turns import Turn
from workbench.cli import app as workbench_command

Start = Callable[..., AppTest]


def panels(app: AppTest) -> str:
    assert not app.exception
    return " ".join(item.value for item in app.error)


def players(app: AppTest) -> list[dict[str, Any]]:
    made = (json.loads(found.proto.json) for found in app.get("bidi_component"))
    return [one for one in made if "groups" in one]


def names_of(player: dict[str, Any]) -> list[list[str]]:
    return [[panel["name"] for panel in group["panels"]] for group in player["groups"]]


def test_maps_that_pass_come_first(start: Start, tiny_demo: TinyDemo, tmp_path: Any) -> None:
    tested = tiny_demo.copy_to(tmp_path)
    bundle = load_checkpoint(tested.checkpoints / "tiny-ifdd")
    verdicts = [
        Verdict("hirescam", "ladm.Y_D", False, (), ("deletion",)),
        Verdict("gradcam", "ladm.Y_D", True, (), ()),
        Verdict("gradcam", "ladm.Y_S", False, (), ("deletion",)),
    ]
    report = faithfulness_report(bundle.name, bundle.card.sha256, *verdicts)
    (bundle.path / "faithfulness.json").write_text(json.dumps(report))
    app = start(tested, "clip")
    assert panels(app) == ""
    (player,) = players(app)
    assert names_of(player) == [["input"], ["X"], ["Y_D"]]
    badges = [panel["badge"]["text"] for group in player["groups"][1:] for panel in group["panels"]]
    assert badges == ["not tested", "passes both tests (other clips)"]
    app = app.selectbox("clip_map").set_value("hirescam").run()
    assert names_of(players(app)[0]) == [["input"], ["X"], ["Y_D", "Y_S"]]
    assert "fails: deletion" in players(app)[0]["groups"][2]["panels"][0]["badge"]["text"]


def test_every_frame_of_the_video(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip")
    (read,) = players(app)
    app = start(tiny_demo, "clip", clip_every="true")  # as an address asks for it
    assert panels(app) == ""
    (every,) = players(app)
    assert [group["title"] for group in every["groups"]] == ["video", *(group["title"] for group in read["groups"])]
    assert every["video_index"] == list(range(16))  # as many as a clip of the tiny demo has
    assert [panel["name"] for panel in every["groups"][0]["panels"]] == ["video"]


def test_pixels_and_an_activation_that_one_model_lacks(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip_map="Pixels: gradient saliency")
    assert names_of(players(app)[0]) == [["input"], ["pixels"], ["pixels"]]
    app = start(tiny_demo, "clip", clip_map="LayerCAM", clip_of="ladm.detail")
    assert names_of(players(app)[0]) == [["input"], ["X"], ["detail"]]
    assert panels(app) == ""


def test_what_takes_a_minute_is_asked_for(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip_map="Pixels: occlusion")
    assert not players(app)
    assert "about a minute" in app.info[0].value
    assert app.button("clip_slow_go").label == "Make these maps"


def test_next_and_previous_stay_within_the_selection(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", sel="label_name=sad")
    first = app.title[0].value
    second = app.button("clip_right").click().run()
    assert second.title[0].value != first
    assert second.button("clip_right").click().run().title[0].value == first  # there are two
    assert app.query_params["clip"] == first


@pytest.mark.parametrize(
    ("tab", "charts", "players_shown", "command"),
    [
        ("Classes", 1, 0, "explain"),
        ("Split", 2, 0, "explain"),
        ("Frames", 1, 0, "saliency"),
        ("Regions", 1, 0, "saliency"),
        ("Difference", 0, 1, "saliency"),
        ("What if", 2, 1, "counterfactual"),
    ],
)
def test_tabs(start: Start, tiny_demo: TinyDemo, tab: str, charts: int, players_shown: int, command: str) -> None:
    app = start(tiny_demo, "clip", clip_tab=tab)
    assert panels(app) == ""
    assert len(app.get("plotly_chart")) == charts
    assert len(players(app)) == players_shown
    lines, python = (code.value for code in app.code)
    commands = [shlex.split(line) for line in lines.splitlines()]
    assert all(words[:2] == ["workbench", command] for words in commands)
    models = ["tiny-baseline", "tiny-ifdd"]  # a line each
    assert [[name for name in models if name in words] for words in commands] == (
        [models] if tab == "Difference" else [[name] for name in models]
    )
    assert python.count("load_checkpoint(") == 2
    compile(python, "copied", "exec")


@pytest.mark.parametrize("tab", ["Frames", "What if"])
def test_who_waits_for_a_model_is_told(start: Start, tiny_demo: TinyDemo, monkeypatch: pytest.MonkeyPatch, tab: str) -> None:
    """As if others had the model at each run."""
    said: list[str] = []
    taken, info = Turn.taken, DeltaGenerator.info

    @contextmanager
    def busy(turn: Turn, told: Callable[[int], None] | None = None) -> Iterator[None]:
        if told is not None:
            told(2)
        with taken(turn, told):
            yield

    def tell(place: DeltaGenerator, text: str, **looks: Any) -> DeltaGenerator:
        said.append(text)
        return info(place, text, **looks)

    monkeypatch.setattr(Turn, "taken", busy)
    monkeypatch.setattr(DeltaGenerator, "info", tell)
    app = start(tiny_demo, "clip", clip_tab=tab, models="tiny-ifdd")
    assert panels(app) == ""
    assert [text for text in said if "2 visitors before you" in text], said
    assert not [item for item in app.info if "before you" in item.value]
    said.clear()
    again = app.run()
    assert panels(again) == ""
    assert not [text for text in said if "before you" in text]  # it is kept: nobody waits again


def test_a_page_is_drawn_before_its_maps(
    start: Start, tiny_demo: TinyDemo, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """While a model works for others, Clip says so, and has its maps once the model had time."""
    free = Event()
    explain = Task.run

    def busy(task: Task) -> None:
        free.wait(60)
        explain(task)

    monkeypatch.setattr(Task, "run", busy)
    request.addfinalizer(free.set)
    app = start(tiny_demo, "overview")  # which waits for nothing
    monkeypatch.setattr(background, "PATIENCE", 0.01)
    app = switch(app, "clip").run()
    assert panels(app) == ""
    assert not players(app)
    assert [item.value for item in app.info] == ["Running tiny-baseline, tiny-ifdd …"]
    assert app.title  # the clip's name and what models said of it are there
    free.set()
    monkeypatch.setattr(background, "PATIENCE", 120.0)
    app = app.run()
    assert panels(app) == ""
    assert len(players(app)) == 1
    assert not app.info


def test_copied_lines_run(start: Start, tiny_demo: TinyDemo, tmp_path: Any) -> None:
    """Of every tab with a computation of its own: the command and the code do without an error what the app shows."""
    for tab, out in (("Maps", "a"), ("Difference", "b"), ("Frames", "c"), ("Regions", "d")):
        lines, python = (code.value for code in start(tiny_demo, "clip", clip_tab=tab, clip="tiny-test-00003").code)
        exec(python, {})  # the app's own words
        for number, line in enumerate(lines.splitlines() if tab in ("Maps", "Difference") else []):
            words = [*shlex.split(line)[1:], "--out", str(tmp_path / f"{out}{number}")]
            done = CliRunner().invoke(workbench_command, words)
            assert done.exit_code == 0, done.output


def test_difference_of_models_that_say_different_classes(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip_tab="Difference", sel="disagreement>=1")
    assert panels(app) == ""
    (player,) = players(app)
    assert names_of(player) == [["input"], ["X"], ["Y_D"], ["difference"]]
    assert player["groups"][3]["panels"][0]["heat"]["signed"]
    assert "so that both can be compared" in " ".join(item.value for item in app.caption)


def test_maps_of_models_that_read_other_frames_have_no_difference(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    copy = tiny_demo.copy_to(tmp_path)
    bundle = load_checkpoint(copy.checkpoints / "tiny-ifdd")
    card = bundle.card.model_copy(update={"name": "eight", "preprocessing": Preprocessing(frames=8).to_dict()})
    model = create_model("ifdd-mvit-tiny", frames=8)
    save_checkpoint(copy.checkpoints / "eight", model, card.model_copy(update={"model": model.config}))
    app = start(copy, "clip", clip_tab="Difference", models=["tiny-baseline", "eight"])
    assert "tiny-baseline reads 16 frames of 112×112 and eight reads 8 frames" in panels(app)


def test_what_if_is_live(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip_tab="What if", clip="tiny-test-00003")
    (table,) = (found.value for found in app.dataframe)
    assert list(table[table["model"] == "tiny-ifdd"]["edit"]) == [
        "as it is",
        "freeze",
        "reverse",
        "shuffle",
        "drop",
        "zero offsets",
        "swap Y_S",
    ]
    assert len(app.metric) == 2
    app = app.pills("clip_edits").set_value(["freeze"]).run()
    shown = app.slider("clip_still").set_value(3).run()
    (player,) = players(shown)
    assert [group["title"] for group in player["groups"]] == ["as it is", "freeze"]
    assert "--still 3" in app.code[0].value
    assert "no edit is chosen" in panels(app.pills("clip_edits").set_value([]).run())


def test_the_other_clip_may_be_typed_and_must_be_there(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip_tab="What if", clip="tiny-test-00003")
    other = app.selectbox("clip_other").value
    assert other != "tiny-test-00003"
    assert f"--clip tiny-test-00003 --take-from {other} " in app.code[0].value
    assert "no clip nobody" in panels(start(tiny_demo, "clip", clip_tab="What if", clip_other="nobody"))


def test_an_activation_alone_has_no_difference(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip_tab="Difference", models="tiny-baseline")
    assert "there is one map alone" in panels(app)
