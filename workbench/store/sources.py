"""A video or a folder of frames as a checkpoint reads it: which stretch, which face, and the folder that its results go to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ifdd.checkpoints import Bundle
from ifdd.data.clips import Clip, Source, analyse, check_scene, check_windows, inputs_with, lead_of
from ifdd.data.faces.detectors import make_detector
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.scenes import read_as_asked
from ifdd.errors import InputError, NoFaceError
from ifdd.io import check_folder


@dataclass(frozen=True)
class SourceOptions:
    """How a source is read; times in seconds.

    `crop` None for the checkpoint's own way; `face` from 1, None for the largest; `window` and `stride` cut the stretch from
    `start` to `end` into windows; `fps` of a folder of frames; `detector` of a face crop, with the file of its weights. `scene`
    is what lies around the clip, for a model that reads scenes, None for the source itself; `scene_face` tells what is hidden
    of faces in it already.
    """

    crop: str | None = None
    face: int | None = None
    start: float | None = None
    end: float | None = None
    window: float | None = None
    stride: float | None = None
    fps: float | None = None
    detector: str = "haar"
    detector_weights: Path | None = None
    scene: Path | None = None
    scene_face: str = "kept"


def inputs_of(bundle: Bundle, options: SourceOptions) -> dict[str, Preprocessing]:
    """How each input of the checkpoint reads a source: clips with the crop, scenes with the faces that the options tell of.

    Raises: InputError for a scene that no input reads, or not with such faces.
    """
    return read_as_asked(bundle.inputs, bundle.name, options.crop, options.scene, options.scene_face)


def preprocessing_of(bundle: Bundle, video: str | Path, options: SourceOptions) -> Preprocessing:
    """How the checkpoint reads a source, the input that leads if there are several.

    Raises: InputError as `inputs_of`, or where a scene is read and there is none.
    """
    inputs = inputs_of(bundle, options)
    check_scene(video, inputs, options.scene, options.start, options.end)
    return lead_of(inputs)


def all_inputs(bundle: Bundle, clip: Clip, options: SourceOptions) -> dict[str, Clip]:
    """A clip of the input that leads, and what every input of the checkpoint shows of it. Raises: as `load_inputs`."""
    return inputs_with(clip, inputs_of(bundle, options), scene=options.scene, fps=options.fps)


def leading(bundle: Bundle, found: Mapping[str, Clip]) -> Clip:
    """Of the clips of all inputs the one whose face, regions and landmarks are spoken of: the first that is no scene."""
    return next((clip for name, clip in found.items() if bundle.inputs[name].stream == "clip"), next(iter(found.values())))


def read_source(video: str | Path, preprocessing: Preprocessing, options: SourceOptions) -> Source:
    """Stream the video once: its time stamps and the track of the face.

    Raises: InputError for a video that cannot be read, no face, impossible times or options.
    """
    if options.face is not None and preprocessing.crop != "face":
        raise InputError(f"{video}: --face {options.face} needs --crop face, not {preprocessing.crop}")
    if options.stride is not None and options.window is None:
        raise InputError(f"{video}: a stride of {options.stride:g} s needs windows; give --window as well")
    if options.window is not None:
        check_windows(video, options.window, options.stride or options.window)  # before the face is looked for
    detector = make_detector(options.detector, options.detector_weights) if preprocessing.crop == "face" else None
    stretch = {"start": options.start, "end": options.end, "fps": options.fps}
    try:
        return analyse(video, preprocessing, face=options.face, **stretch, detector=detector)
    except NoFaceError as error:
        raise NoFaceError(error.finding, NoFaceError.OPTIONS) from None


def output_names(videos: Sequence[str | Path]) -> dict[Path, str]:
    """Videos → names of the folders that they are explained in: the file's name without its suffix.

    Raises: InputError if two would get the same name.
    """
    names = {Path(video): _name(Path(video)) for video in videos}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        both = " and ".join(str(video) for video, name in names.items() if name == twice[0])
        raise InputError(f"{both} would both be written to {twice[0]}; explain them into different --out folders")
    return names


def check_untaken(out: Path, names: Iterable[str]) -> None:
    """Refuse clips of which each has its folder in `out` already, before a model is loaded.

    Raises: InputError.
    """
    check_folder(out)
    folders = [out / name for name in names]
    if folders and all(folder.exists() for folder in folders):
        more = f" and {len(folders) - 1} more exist" if len(folders) > 1 else " exists"
        raise InputError(f"{folders[0]}{more}; choose another --out or remove {'them' if len(folders) > 1 else 'it'}")


def _name(video: Path) -> str:
    video = video if video.name else video.resolve()
    return video.name if video.is_dir() else video.stem
