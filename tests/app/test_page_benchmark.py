"""The page Benchmark: knobs change the clip and its truth, and the models in view read it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ifdd.errors import InputError
from tests.tiny_demo import MODELS, TinyDemo
from workbench.app.playground import Knobs, play, python_of, surroundings

Start = Callable[..., AppTest]
KNOBS = Knobs("sad", 3, 1, "noisy-50", talking=0.5, cut=True)


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error, [item.value for item in app.error]
    return app


def told(app: AppTest) -> str:
    return "".join(str(item.proto.body) for item in app.get("html"))


def drawn(app: AppTest) -> list[dict[str, Any]]:
    return json.loads(app.get("plotly_chart")[0].proto.spec)["data"]


def test_knobs_change_the_clip(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(start(tiny_demo, "benchmark"))
    before = drawn(app)
    app = healthy(app.selectbox("benchmark_level").set_value("noisy-00").run())
    assert " · 0 % of the time shows something else" in told(app)
    app = healthy(app.toggle("benchmark_irrelevant_share_on").set_value(True).run())
    assert "50 % of the time" in told(app)
    assert drawn(app) != before
    app = healthy(app.selectbox("benchmark_emotion").set_value("neutral").run())
    assert not set(drawn(app)[0]["y"]["bdata"]) - {"A", "="}  # zeros only


def test_the_models_read_the_clip_with_its_truth_in_step(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(start(tiny_demo, "benchmark", benchmark_part="What the models see"))
    assert all(f"{name} says" in told(app) for name in MODELS)
    data = json.loads(app.get("bidi_component")[0].proto.json)
    assert len(data["groups"]) == 1 + len(MODELS)
    (intensity,) = [track["levels"] for track in data["tracks"] if track["levels"]]
    assert len(intensity) == len(data["seconds"])
    assert max(intensity) > 0.5


def test_python_makes_the_same_clip() -> None:
    made: dict[str, Any] = {}
    exec(python_of(KNOBS), made)
    assert (made["frames"] == play(KNOBS)[1].frames).all()


def test_the_scene_around_changes_no_pixel_of_the_face() -> None:
    script, clip = play(replace(KNOBS, around="positive"))
    assert (clip.frames == play(KNOBS)[1].frames).all()
    assert clip.truth.scene == "positive"
    scenes = {}
    for polarity in ("positive", "negative"):
        made: dict[str, Any] = {}
        exec(python_of(replace(KNOBS, around=polarity)), made)
        scenes[polarity] = made["scene"]
    assert (scenes["positive"] == surroundings(script, clip)).all()
    assert (scenes["positive"] != scenes["negative"]).mean() > 0.5
    with pytest.raises(InputError, match="tells a negative scene already"):
        play(Knobs("sad", level="standard", rho=1.0, around="positive"))


def test_the_scene_around_is_shown(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(start(tiny_demo, "benchmark"))
    before, pictures = drawn(app), len(app.get("image"))
    app = healthy(app.selectbox("benchmark_around").set_value("negative").run())
    assert len(app.get("image")) == pictures + 1
    assert drawn(app) == before
    assert "scene negative" in told(app)
