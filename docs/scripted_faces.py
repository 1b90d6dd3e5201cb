"""Draw a contact sheet of ScriptedFaces: a row a person, a column an emotion, each at its apex.

Example: python docs/scripted_faces.py sheet.png --people 4 --size 224 --difficulty standard
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.scripted import DIFFICULTIES, render_clip, sample_script
from ifdd.labels import EMOTIONS


def apex(emotion: str, identity: int, size: int, difficulty: str) -> np.ndarray:
    """The frame (size, size, 3) in the middle of the apex."""
    script = sample_script(1000 + identity, emotion, identity, difficulty)
    time = np.clip(0.5 * (script.curve.apex + script.curve.release), 0, script.duration)
    return render_clip(script, size, np.array([time]), masks=False).frames[0]


def main() -> None:
    """Reads the command line and writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--first", type=int, default=0, help="first identity seed")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--difficulty", choices=sorted(DIFFICULTIES), default="standard")
    args = parser.parse_args()
    rows = [
        np.concatenate([apex(emotion, identity, args.size, args.difficulty) for emotion in EMOTIONS], axis=1)
        for identity in range(args.first, args.first + args.people)
    ]
    done, png = cv2.imencode(".png", cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))
    if not done:
        raise SystemExit(f"error: {args.out}: the sheet could not be encoded as PNG")
    args.out.write_bytes(png.tobytes())


if __name__ == "__main__":
    main()
