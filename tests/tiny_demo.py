"""A demo folder and checkpoints small enough for tests: random weights, a few rendered clips."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ifdd.card import Card
from ifdd.checkpoints import library_versions, load_checkpoint, save_checkpoint
from ifdd.data.manifest import index_unlabelled, read_manifest, write_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.labels import EMOTIONS
from ifdd.models.families import create_model
from ifdd.scripted.suite import render_suite
from ifdd.scripted.suites import SuiteConfig
from workbench.store.collecting import collect
from workbench.store.workspace import Workspace, init_workspace, mark

MODELS = {"tiny-ifdd": "ifdd-mvit-tiny", "tiny-baseline": "mvit-tiny-baseline"}
NOTICE = "Trained on synthetic faces, not fit to judge real people."
CLIPS = 14


def make_checkpoints(folder: Path) -> None:
    for seed, (name, model_name) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        model = create_model(model_name)
        with torch.no_grad():  # a fresh head says nearly the same about every clip
            model.head.classify.weight *= 10
        card = Card(
            name=name,
            notice=NOTICE,
            model=model.config,
            labels=EMOTIONS,
            preprocessing=Preprocessing().to_dict(),
            data={"test": {"source": "scripted", "name": "tiny", "difficulty": "standard"}},
            training={},
            metrics={},
            versions=library_versions(),
        )
        save_checkpoint(folder / name, model, card)


def make_demo(folder: Path, checkpoints: Path, clips: int = CLIPS, names: Sequence[str] = tuple(MODELS)) -> None:
    suite = SuiteConfig(name="tiny", seed=1, clips=clips, identities=2, split="test")
    manifest = render_suite(suite, folder / "datasets" / "demo", frames=16, fps=8.0, workers=1, progress=False)
    for name in names:
        collect(load_checkpoint(checkpoints / name), manifest, folder / "collections" / "demo" / name)
    mark(folder)


def make_bare(folder: Path, tiny: "TinyDemo", clips: int = 6, labels: bool = False) -> Workspace:
    """A workspace on the first clips of the demo of which nothing is known but where they lie, and with `labels` what they show:
    no persons, folds or truth."""
    place = folder / "clips"
    for clip in sorted(file for file in (tiny.demo / "datasets" / "demo").rglob("*") if list(file.glob("*.png")))[:clips]:
        shutil.copytree(clip, place / clip.name)
    frame = index_unlabelled(place).assign(fps=8.0)
    if labels:
        shown = read_manifest(tiny.demo / "datasets" / "demo").set_index("clip_id")["label_name"]
        frame = frame.drop(columns="label").assign(label_name=shown[frame["clip_id"]].to_numpy())
    write_manifest(frame, place)
    made = init_workspace(folder / "mine", {"plain": place}, [tiny.checkpoints / name for name in MODELS])
    for name in MODELS:
        collect(load_checkpoint(tiny.checkpoints / name), place, made.collection_folder("plain", name))
    return made


@dataclass(frozen=True)
class TinyDemo:
    demo: Path
    checkpoints: Path

    def copy_to(self, folder: Path) -> "TinyDemo":
        """A copy that a test may damage."""
        shutil.copytree(self.demo, folder / "demo")
        shutil.copytree(self.checkpoints, folder / "checkpoints")
        return TinyDemo(folder / "demo", folder / "checkpoints")


def tiny_demo_in(folder: Path) -> TinyDemo:
    """Make it once a session, whoever asks first."""
    tiny = TinyDemo(folder / "tiny" / "demo", folder / "tiny" / "checkpoints")
    if not tiny.demo.exists():
        make_checkpoints(tiny.checkpoints)
        make_demo(tiny.demo, tiny.checkpoints)
    return tiny
