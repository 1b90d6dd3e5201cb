"""What reproduces the app's analyses of a clip: on the command line, and in Python."""

from dataclasses import dataclass, fields
from pathlib import Path

from workbench.analysis.counterfactuals.task import Options as EditOptions
from workbench.analysis.saliency.displays.heat import of_pixels
from workbench.app.copying import Copied
from workbench.explain.results import Explanation
from workbench.explain.task import TESTED, Options

_FLAGS = {"method": "--method", "target": "--target", "against": "--against", "weights": "--weights", "normalise": "--normalise"}
_READING = ("crop", "face", "start", "end", "window", "stride", "fps", "scene", "scene_face")


@dataclass(frozen=True)
class OfClip:
    """A clip of a dataset of a workspace: what a command has to be told to find it."""

    workspace: Path
    dataset: str
    manifest: Path
    clip_id: str


def explain_lines(checkpoint: str, folder: Path, video: Path, options: Options, place: OfClip) -> Copied:
    """Maps, class and split of one clip: `workbench explain`."""
    line = ["workbench", "explain", str(video), "--checkpoint", checkpoint, "--workspace", str(place.workspace)]
    for name in _READING:
        if (value := getattr(options, name)) not in (None, "kept"):
            line += [f"--{name.replace('_', '-')}", str(value)]
    return line + _map_flags(options), _explained(folder, video, options)


def saliency_lines(item: Explanation, checkpoint: str, folder: Path, options: Options, place: OfClip, code: str) -> Copied:
    """Maps of one clip and what is measured of them: `workbench saliency`, and `code` that goes on from `bundle` and `found`."""
    made = next(iter(item.saliency.values()))
    method = made.method if options.method == TESTED else options.method
    told = [] if of_pixels(made) else ["--activation", ",".join(found.activation for found in item.saliency.values())]
    line = ["workbench", "saliency", "--checkpoint", checkpoint, "--dataset", place.dataset, "--workspace", str(place.workspace)]
    line += ["--clip", place.clip_id, "--method", method, *told]
    same = {name: getattr(options, name) for name in ("target", "against", "normalise", "weights")}
    flags = _map_flags(Options(**same))
    return [*line, *flags], _explained(folder, item.video, options) + "\n" + code


def what_if_lines(checkpoint: str, folder: Path, options: EditOptions, place: OfClip, donor: str | None) -> Copied:
    """Edits of one clip, with the one that it takes from: `workbench counterfactual`."""
    frames, names = list(options.frames or ()), list(options.edits or ())
    line = ["workbench", "counterfactual", checkpoint, "--dataset", place.dataset, "--workspace", str(place.workspace)]
    line += ["--clip", place.clip_id, *(["--take-from", donor] if donor else [])]
    lenders = f" lenders=[{donor!r}]," if donor else ""
    line += ["--edits", ",".join(names), "--frames", f"{frames[0]}-{frames[-1]}", "--still", str(options.still)]
    line += ["--shuffles", str(options.shuffles), "--seed", str(options.seed)]
    python = f"""
from ifdd import load_checkpoint
from workbench.analysis.counterfactuals.task import Options, run

bundle = load_checkpoint({str(folder)!r})
options = Options(
    {options.shuffles}, seed={options.seed}, edits={names!r}, clip_ids=[{place.clip_id!r}],{lenders}
    frames=range({frames[0]}, {frames[-1] + 1}), still={options.still},
)
found = run(bundle, {str(place.manifest)!r}, options).counterfactuals
print(found.table)
"""
    return line, python.strip()


def _map_flags(options: Options) -> list[str]:
    plain = Options()
    line = []
    for name, flag in _FLAGS.items():
        if (value := getattr(options, name)) != getattr(plain, name):
            line += [flag, str(value)]
    return line + (["--activation", ",".join(options.activations)] if options.activations else [])


def _explained(folder: Path, video: Path, options: Options) -> str:
    plain = Options()
    changed = [item.name for item in fields(options) if getattr(options, item.name) != getattr(plain, item.name)]
    values = {name: getattr(options, name) for name in changed}
    told = ", ".join(f"{name}={(str(value) if isinstance(value, Path) else value)!r}" for name, value in values.items())
    return f"""
from dataclasses import replace

from ifdd import load_checkpoint
from workbench.explain.task import Options, run

bundle = load_checkpoint({str(folder)!r})
options = Options({told})
found = run(bundle, {str(video)!r}, options)
""".strip()
