"""What is said of scenes that are not there, not as long as their clips, or show other faces than a model reads."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ifdd.data.preprocessing import Preprocessing
from ifdd.errors import InputError

NO_SCENE = "no scene is named, and the clip is read whole as the face, so that nothing is around it"
SCENE_WAY_OUT = (
    "name frames of the scene (column scene_path of a list, --scene beside a video), have the face cropped (crop=face, or --crop "
    "face), or train on faces alone (inputs.NAME.stream=clip)"
)


def same_length(scene: Path, frames: int, clip: Path, total: int) -> None:
    """Raises: InputError for a scene that has not as many frames as its clip."""
    if frames != total:
        raise InputError(
            f"{scene}: the scene has {frames} frames, its clip {clip} has {total}; they must show the same moments: give both "
            "the same frames, or leave the clip out of the list"
        )


def hidden_in(inputs: Mapping[str, Preprocessing], hidden: str) -> dict[str, Preprocessing]:
    """How each input reads a scene of its own whose faces are `hidden` already: they are not looked for again.

    Raises: InputError for a scene that shows less of faces than an input reads.
    """
    found = dict(inputs)
    for name, read in inputs.items():
        if read.stream != "scene":
            continue
        if hidden not in ("kept", read.face):
            raise InputError(f"faces are {hidden} in its scene, {name} reads them {read.face}; give another scene")
        if hidden == read.face:
            found[name] = replace(read, face="kept")
    return found
