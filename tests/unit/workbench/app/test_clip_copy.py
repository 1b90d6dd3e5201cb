from pathlib import Path

from workbench.app.clip_copy import OfClip, explain_lines
from workbench.explain.task import Options

PLACE = OfClip(Path("/w"), "demo", Path("/w/clips.parquet"), "a 'clip'")


def test_only_what_was_changed_is_said() -> None:
    video = Path("/w/it's one.mp4")
    line, python = explain_lines("tiny", Path("/c/tiny"), video, Options(crop="none", listed="f0"), PLACE)
    assert line == ["workbench", "explain", str(video), "--checkpoint", "tiny", "--workspace", "/w", "--crop", "none"]
    assert "options = Options(crop='none', listed='f0')" in python
    assert f"run(bundle, {str(video)!r}, options)" in python


def test_the_choice_of_maps_is_said() -> None:
    options = Options(fps=8.0, method="layercam", activations=("ladm.detail", "pyramid.X"), target="sad", against="happy")
    line, python = explain_lines("tiny", Path("/c/tiny"), Path("/w/a"), options, PLACE)
    assert line[-10:] == [
        *("--fps", "8.0", "--method", "layercam", "--target", "sad", "--against", "happy"),
        *("--activation", "ladm.detail,pyramid.X"),
    ]
    compile(python, "copied", "exec")
    assert eval(python.split("options = ")[1].splitlines()[0], {"Options": Options}) == options
