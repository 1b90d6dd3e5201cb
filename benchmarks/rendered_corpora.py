"""Rendered clips laid out as the corpora lay theirs out: folders, names and lists of DFEW, FERV39k and MAFW.

Rendered scenes (`ifdd data render --rho`) go where FERV39k and MAFW have whole pictures; DFEW hands out none.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ifdd.data.manifest import clip_path, read_manifest
from ifdd.data.video import image_files
from ifdd.labels import EMOTIONS

KINDS = ("dfew", "ferv39k", "mafw")
HAVE_SCENES = ("ferv39k", "mafw")
_MAFW = {"happy": "happiness", "sad": "sadness", "angry": "anger"}
"""Names that differ from ours."""
SCENES = ("Action", "Interview", "Talkshow")


def write_corpus_tree(kind: str, rendered: Path, out: Path, folds: int = 5) -> Path:
    """Lay the clips of a manifest out as a corpus does; persons never share a fold. Returns `out`."""
    clips = read_manifest(rendered)
    people = sorted(set(clips["subject"]))
    fold = clips["subject"].map({person: i % folds + 1 for i, person in enumerate(people)}).tolist()
    files = [image_files(clip_path(clips, row)) for row in clips.to_dict("records")]
    names = clips["label_name"].tolist()
    places = {"dfew": _dfew, "ferv39k": _ferv39k, "mafw": _mafw}[kind](out, files, names, fold, folds)
    if "scene_path" in clips and kind in HAVE_SCENES:
        for place, row in zip(places, clips.to_dict("records"), strict=True):
            _scene(image_files(clip_path(clips, row | {"path": row["scene_path"]})), out, place)
    return out


def _scene(files: Sequence[Path], out: Path, face: Path) -> None:
    """Pictures of a scene, named as those of the face."""
    kind, rest = face.parts[0], face.parts[1:]
    folder = out / {"2_ClipsforFaceCrop": "3_ClipsforScenImages", "faces": "frames"}[kind] / Path(*rest)
    pattern = "{1}.jpg" if kind == "2_ClipsforFaceCrop" else "{1:05d}.png"
    _frames(files, folder, pattern)


def _frames(files: Sequence[Path], folder: Path, pattern: str) -> None:
    folder.mkdir(parents=True)
    for number, file in enumerate(files, 1):
        Image.open(file).convert("RGB").save(folder / pattern.format(folder.name, number), quality=95)


def _rows(file: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as table:
        csv.writer(table, delimiter=delimiter, lineterminator="\n").writerows(rows)


def _dfew(out: Path, clips: Sequence[Sequence[Path]], names: Sequence[str], fold: Sequence[int], folds: int) -> list[Path]:
    ids = [f"{i + 1:05d}" for i in range(len(clips))]
    numbers = [EMOTIONS.index(name) + 1 for name in names]
    for name, files in zip(ids, clips, strict=True):
        _frames(files, out / "Clip" / "clip_224x224" / name, "{0}_{1:05d}.jpg")
    lists = out / "EmoLabel_DataSplit"
    for k in range(1, folds + 1):
        for part in ("train", "test"):
            chosen = [i for i in range(len(ids)) if (fold[i] == k) == (part == "test")]
            rows = [(int(ids[i]), numbers[i]) for i in chosen]
            _rows(lists / f"{part}(single-labeled)" / f"set_{k}.csv", [("video_name", "label"), *rows])
    header = [f"{i}{name}" for i, name in enumerate(EMOTIONS, 1)]
    votes = [[8 if i == number else int(i == number % 7 + 1) * 2 for i in range(1, 8)] for number in numbers]
    annotation = [(*row, int(name), number) for row, name, number in zip(votes, ids, numbers, strict=True)]
    _rows(out / "Annotation" / "annotation.csv", [(*header, "order", "label"), *annotation])
    return [Path("Clip", "clip_224x224", name) for name in ids]


def _ferv39k(out: Path, clips: Sequence[Sequence[Path]], names: Sequence[str], fold: Sequence[int], folds: int) -> list[Path]:
    parts: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    places = []
    for i, (files, name) in enumerate(zip(clips, names, strict=True)):
        scene, label = SCENES[i % len(SCENES)], name.capitalize()
        places.append(Path("2_ClipsforFaceCrop", scene, label, f"{i:04d}"))
        _frames(files, out / places[-1], "{1}.jpg")
        parts["test" if fold[i] == folds else "train"].append((f"{scene}/{label}/{i:04d}", label))
    for part, rows in parts.items():
        _rows(out / "4_setups" / "All_scenes" / f"{part}_All.csv", rows, " ")
    return places


def _mafw(out: Path, clips: Sequence[Sequence[Path]], names: Sequence[str], fold: Sequence[int], folds: int) -> list[Path]:
    ids = [f"{i + 1:05d}" for i in range(len(clips))]
    for name, files in zip(ids, clips, strict=True):
        _frames(files, out / "faces" / name, "{1:05d}.png")
    for k in range(1, folds + 1):
        for part in ("train", "test"):
            chosen = [i for i in range(len(ids)) if (fold[i] == k) == (part == "test")]
            rows = [(f"{ids[i]}.mp4", _MAFW.get(names[i], names[i])) for i in chosen]
            _rows(out / "single" / "no_caption" / f"set_{k}" / f"{part}.txt", rows, " ")
    return [Path("faces", name) for name in ids]
