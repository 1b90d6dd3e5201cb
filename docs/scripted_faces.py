"""Draw a contact sheet of ScriptedFaces: a row a person, a column an emotion, each at its apex.

With --phases every person has three rows: onset, apex, offset. --plain leaves out what distracts: speech, blinks, other
expressions, turns of the head. With --scenes a row is a clip and the three scenes around it, the face kept, blurred or masked.

Example: python docs/scripted_faces.py sheet.png --people 4 --size 224 --difficulty standard --face built-in
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.preprocessing import HIDDEN
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted import DIFFICULTIES, render_clip, render_scene, sample_script
from ifdd.scripted.head.face import FaceModel
from ifdd.scripted.models import BUILT_IN, face_model
from ifdd.scripted.script.elements import Wave
from ifdd.scripted.script.scenes import KINDS, sample_scene
from ifdd.scripted.script.script import Script


def plain(script: Script) -> Script:
    """The same person and emotion at full intensity, seen from the front, with nothing else going on."""
    still = Wave()
    camera = replace(script.camera, x=still, y=still, zoom=1.0)
    return replace(
        script,
        curve=replace(script.curve, peak=1.0 if script.units else 0.0),
        resting=(),
        irrelevant=(),
        talk=(),
        blinks=(),
        camera=camera,
        yaw=still,
        pitch=still,
        roll=still,
        gaze_x=still,
        gaze_y=still,
    )


def moments(script: Script, phases: bool) -> np.ndarray:
    """Times (n,) in seconds: the middle of the apex, or of the rise, the apex and the fall; kept inside the clip."""
    curve = script.curve
    times = [0.5 * (curve.apex + curve.release)]
    if phases:
        times = [0.5 * (curve.start + curve.apex), *times, 0.5 * (curve.release + curve.end)]
    return np.clip(times, 0, script.duration)


def person(identity: int, args: argparse.Namespace, model: FaceModel) -> np.ndarray:
    """The rows of one person: (n · size, 7 · size, 3)."""
    columns = []
    for emotion in EMOTIONS:
        script = sample_script(1000 + identity, emotion, identity, args.difficulty)
        if args.plain:
            script = plain(script)
        frames = render_clip(script, args.size, moments(script, args.phases), model, masks=False).frames
        columns.append(np.concatenate(list(frames)))
    return np.concatenate(columns, axis=1)


def around(identity: int, args: argparse.Namespace, model: FaceModel) -> np.ndarray:
    """A clip at its apex, and the scenes of each polarity around it, faces as `args.scenes` says: (size, 4 · size, 3)."""
    script = sample_script(1000 + identity, EMOTIONS[identity % len(EMOTIONS)], identity, args.difficulty)
    times = moments(script, False)
    pictures = [render_clip(script, args.size, times, model, masks=False).frames[0]]
    for polarity in KINDS:
        placed = replace(script, scene=polarity, around=sample_scene(script.seed, polarity))
        pictures.append(render_scene(placed, args.size, times, model, face=args.scenes)[0])
    return np.concatenate(pictures, axis=1)


def main() -> None:
    """Reads the command line and writes the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--first", type=int, default=0, help="first identity seed")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--difficulty", choices=sorted(DIFFICULTIES), default="standard")
    parser.add_argument("--face", default=BUILT_IN, help="built-in, or the path of the ICT-FaceKit Light npz or its folder")
    parser.add_argument("--phases", action="store_true", help="onset, apex and offset below each other")
    parser.add_argument("--plain", action="store_true", help="frontal, full intensity, no distraction")
    parser.add_argument("--scenes", choices=HIDDEN, help="clips and the scenes around them; what is seen of the face there")
    args = parser.parse_args()
    try:
        model = face_model(args.face)
    except InputError as error:
        raise SystemExit(f"error: {error}") from error
    draw = around if args.scenes else person
    rows = [draw(identity, args, model) for identity in range(args.first, args.first + args.people)]
    done, encoded = cv2.imencode(args.out.suffix or ".png", cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))
    if not done:
        raise SystemExit(f"error: {args.out}: the sheet could not be encoded; name it .png or .jpg")
    args.out.write_bytes(encoded.tobytes())


if __name__ == "__main__":
    main()
