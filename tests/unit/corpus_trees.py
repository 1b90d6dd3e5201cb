"""Small trees in the layouts of the corpora, of tiny pictures, with their lists."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ifdd.labels import EMOTIONS

MAFW_WORDS = {
    **{"happy": "happiness", "sad": "sadness", "angry": "anger"},
    **{
        name: name for name in ("neutral", "surprise", "disgust", "fear", "contempt", "anxiety", "helplessness", "disappointment")
    },
}


def frames(folder: Path, count: int, size: tuple[int, int] = (12, 10), name: str = "{}.jpg", first: int = 1) -> Path:
    """A folder of `count` pictures, (width, height) pixels each."""
    folder.mkdir(parents=True)
    picture = Image.fromarray(np.full((size[1], size[0], 3), count % 256, np.uint8))
    for i in range(first, first + count):
        picture.save(folder / name.format(i))
    return folder


def put(file: Path, lines: Iterable[str], ending: str = "\n") -> Path:
    """A text file of lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((ending.join(lines) + ending).encode())
    return file


def classes_of(clips: int, labels: Sequence[str] = EMOTIONS) -> dict[int, str]:
    """Clip 1, 2, … → class, in turn."""
    return {number: labels[(number - 1) % len(labels)] for number in range(1, clips + 1)}


def fold_of(number: int, folds: int, labels: int = 7) -> int:
    """The fold in whose test part a clip is: each has every class."""
    return (number - 1) // labels % folds + 1


def dfew_lists(root: Path, label: Mapping[int, str], folds: int, first: int = 1, name: str = "{:05d}") -> None:
    """The official lists: EmoLabel_DataSplit/{train,test}(single-labeled)/set_1.csv, with a header."""
    for fold in range(1, folds + 1):
        for part in ("train", "test"):
            rows = [
                f"{name.format(number)},{EMOTIONS.index(emotion) + first}"
                for number, emotion in label.items()
                if (fold_of(number, folds) == fold) == (part == "test")
            ]
            put(root / f"EmoLabel_DataSplit/{part}(single-labeled)/set_{fold}.csv", ["video_name,label", *rows])


def dfew_tree(root: Path, clips: int = 28, folds: int = 2) -> dict[int, str]:
    """DFEW as it is handed out: frames in Clip/clip_224x224/00001, a clip without a label, lists. Returns clip → class."""
    label = classes_of(clips)
    for number in [*label, clips + 1]:
        frames(root / f"Clip/clip_224x224/{number:05d}", 16 + number % 3)
    dfew_lists(root, label, folds)
    return label


def mafw_tree(root: Path, clips: int = 44, folds: int = 2) -> dict[int, str]:
    """MAFW: frames/00001/1.png, single/no_caption/set_1/train.txt. Returns clip → class."""
    label = classes_of(clips, tuple(MAFW_WORDS))
    for number in label:
        frames(root / f"data/frames/{number:05d}", 16, name="{}.png")
    for fold in range(1, folds + 1):
        for part in ("train", "test"):
            lines = [
                f"{number:05d}.mp4 {MAFW_WORDS[emotion]}"
                for number, emotion in label.items()
                if (fold_of(number, folds, 11) == fold) == (part == "test")
            ]
            put(root / f"single/no_caption/set_{fold}/{part}.txt", lines, "\r\n")
    return label


def ferv_tree(root: Path, folder: str = "2_ClipsforFaceCrop") -> list[str]:
    """FERV39k: two scenes, each class twice, the second for testing. Returns clip ids."""
    ids = []
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for scene in ("Action", "War"):
        for emotion in ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Disgust", "Fear"):
            for number, part in enumerate(("train", "test")):
                clip = f"{scene}/{emotion}/{number:04d}"
                frames(root / folder / clip, 8 + number * 9, name="{:03d}.jpg", first=0)
                lists[part].append(f"{clip} {emotion}")
                ids.append(clip)
    for part, lines in lists.items():
        put(root / f"4_setups/All_scenes/{part}_All.csv", lines)
    return ids
