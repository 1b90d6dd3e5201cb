"""A video or a folder of frames as a checkpoint reads it: which stretch, which face, and the folder that its results go to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ifdd.checkpoints import Bundle
from ifdd.data.clips import Source, analyse, check_windows
from ifdd.data.faces.detectors import make_detector
from ifdd.data.preprocessing import Preprocessing
from ifdd.errors import InputError, NoFaceError
from ifdd.io import check_folder


@dataclass(frozen=True)
class SourceOptions:
    """How a source is read; times in seconds.

    `crop` None for the checkpoint's own way; `face` from 1, None for the largest; `window` and `stride` cut the stretch from
    `start` to `end` into windows; `fps` of a folder of frames; `detector` of a face crop, with the file of its weights.
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


def preprocessing_of(bundle: Bundle, options: SourceOptions) -> Preprocessing:
    """How the checkpoint reads a source, with the crop that the options ask for.

    Raises: InputError for a checkpoint that reads several inputs, whose maps lie on different pictures.
    """
    if len(bundle.inputs) > 1:
        raise InputError(
            f"{bundle.name} reads {' and '.join(bundle.inputs)}; this shows one picture: call saliency.gradcam from Python"
        )
    return bundle.preprocessing if options.crop is None else replace(bundle.preprocessing, crop=options.crop)


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
