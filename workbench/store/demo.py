"""What the app shows out of the box: rendered clips, and a collection of them for each checkpoint of such clips."""

import warnings
from pathlib import Path

import torch

from ifdd.checkpoints import Bundle, load_checkpoint
from ifdd.data.manifest import FILE_NAME, data_hash, read_manifest
from ifdd.documents import read_json
from ifdd.errors import InputError
from ifdd.io import remove
from ifdd.scripted.script.times import GENERATOR_VERSION
from ifdd.scripted.suite import render_suite
from ifdd.scripted.suites import SuiteConfig
from workbench.store.collection import Collection, open_collection
from workbench.store.layout import COLLECTIONS, DATASETS, DEMO, DEMO_DIFFICULTY, FILE
from workbench.store.workspace import Workspace, mark, of_the_same_suite

SEED = 2024
"""Of the demo suite; its identities are those of the test split, which no recipe trains on."""
CLIPS_PER_IDENTITY = 7


def prepare_demo(out: str | Path, clips: int = 140, device: torch.device | str = "cpu") -> dict[str, Collection]:
    """Render the demo clips and collect on them the checkpoints that the app shows at first: those tested on such clips.

    What is there and still valid is kept. The app collects the other checkpoints when they are chosen; what it has collected is
    made anew here where it is outdated; so is a demo as earlier versions
    laid it out. A checkpoint that cannot be used is warned about: the app says so, too.
    Raises: InputError if there is no checkpoint or none can be used, or `out` holds something else.
    """
    out = Path(out)
    place = Workspace(out)
    offered = place.checkpoints()
    if not offered:
        raise InputError("no checkpoint found; train one with ifdd train, or set IFDD_CHECKPOINTS to a folder of them")
    config = SuiteConfig(
        name=DEMO,
        seed=SEED,
        clips=clips,
        identities=max(1, clips // CLIPS_PER_IDENTITY),
        split="test",
        difficulty=DEMO_DIFFICULTY,
    )
    if (out / "clips").exists():  # of an earlier version, which had no workspaces; anything else is refused
        _is_rendered(out / "clips", config)
        for outdated in (out / COLLECTIONS, out / "clips"):
            remove(outdated)
    clips_folder = out / DATASETS / DEMO
    if not _is_rendered(clips_folder, config):
        for outdated in (out / COLLECTIONS / DEMO, clips_folder):
            remove(outdated)
        render_suite(config, clips_folder)
    if not (out / FILE).is_file():
        mark(out)
    manifest = clips_folder / FILE_NAME
    expected = data_hash(read_manifest(manifest))
    collections: dict[str, Collection] = {}
    failed: list[str] = []
    fitting = of_the_same_suite(offered, manifest) or list(offered)
    for name, checkpoint in offered.items():
        folder = place.collection_folder(DEMO, name)
        if name not in fitting and not folder.exists():
            continue
        try:
            bundle = load_checkpoint(checkpoint)
            bundle.model.to(device)
            found = _still_valid(folder, bundle, expected)
            if found is None:
                remove(folder)
                found = place.dataset(DEMO).collect(bundle, name)
        except InputError as error:
            failed.append(str(error))
            continue
        collections[name] = found
    if not collections:
        raise InputError(failed[0])
    for text in failed:
        warnings.warn(text, stacklevel=2)
    return collections


def _still_valid(folder: Path, bundle: Bundle, data: str) -> Collection | None:
    """The collection in `folder` if it is of this checkpoint and these clips."""
    try:
        found = open_collection(folder, bundle)
    except InputError:  # missing, of an older schema, or of another checkpoint: made anew
        return None
    return found if found.meta["data"]["hash"] == data else None


def _is_rendered(folder: Path, config: SuiteConfig) -> bool:
    """Whether `folder` holds this very suite; False if it is missing or an older demo.

    Raises: InputError if it holds anything else, which is not ours to remove.
    """
    if not folder.exists():
        return False
    try:
        about = read_json(folder / "suite.json")
    except (OSError, InputError):
        about = None
    found = about.get("config") if isinstance(about, dict) else None
    if not isinstance(found, dict):
        raise InputError(f"{folder} is no folder of demo clips; choose another --out or remove it") from None
    if found.get("name") != DEMO:
        raise InputError(f"{folder} holds the suite {found.get('name')!r}; choose another --out or remove it")
    wanted = config.to_dict()
    wanted["duration"] = found.get("duration")  # follows from the number of frames when a suite is rendered
    return about.get("generator_version") == GENERATOR_VERSION and found == wanted and (folder / FILE_NAME).is_file()
