"""What is said of scenes that are not there, or not as long as their clips."""

from pathlib import Path

from ifdd.errors import InputError

NO_SCENE = "no scene is named, and the clip is read whole as the face, so that nothing is around it"
SCENE_WAY_OUT = (
    "name frames of the scene (column scene_path of a list), have the face cropped (crop=face), or train on faces alone "
    "(inputs.NAME.stream=clip)"
)


def same_length(scene: Path, frames: int, clip: Path, total: int) -> None:
    """Raises: InputError for a scene that has not as many frames as its clip."""
    if frames != total:
        raise InputError(
            f"{scene}: the scene has {frames} frames, its clip {clip} has {total}; they must show the same moments: give both "
            "the same frames, or leave the clip out of the list"
        )
