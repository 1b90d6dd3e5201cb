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


def scenes_of(inputs: Mapping[str, Preprocessing]) -> tuple[str, ...]:
    """Names of the inputs that are the scene around the face."""
    return tuple(name for name, read in inputs.items() if read.stream == "scene")


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


def read_as_asked(
    inputs: Mapping[str, Preprocessing], reader: str, crop: str | None, scene: Path | None, hidden: str
) -> dict[str, Preprocessing]:
    """How the inputs of a checkpoint called `reader` read a video: clips with the `crop`, a `scene` given with what it hides.

    Raises: InputError for a scene that no input reads, or not with such faces; faces hidden in no scene.
    """
    if scene is not None and not scenes_of(inputs):
        raise InputError(f"--scene {scene}: {reader} reads no scene; leave it out")
    if scene is None and hidden != "kept":
        raise InputError(f"--scene-face {hidden}: it tells of --scene, and none is given; leave it out")
    found = {name: replace(read, crop=crop) if crop and read.stream == "clip" else read for name, read in inputs.items()}
    try:
        return found if scene is None else hidden_in(found, hidden)
    except InputError as error:
        raise InputError(f"{scene}: {error}") from None
