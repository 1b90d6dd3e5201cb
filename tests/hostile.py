"""A workspace in which every name tries to be more than a name: markup, Markdown, formulas, icons, other scripts."""

import shutil
from pathlib import Path

import torch

from ifdd.card import Card
from ifdd.checkpoints import library_versions, load_checkpoint, save_checkpoint
from ifdd.data.manifest import index_unlabelled, read_manifest, write_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.models.families import create_model
from tests.tiny_demo import TinyDemo
from workbench.store.collecting import collect
from workbench.store.dataset import kept_of
from workbench.store.workspace import Workspace, init_workspace

IMAGE = '<img src=x onerror="window.hacked=1">'
LABELS = (
    IMAGE,
    "<script>window.hacked=1</script>",
    "[a](javascript:window.hacked=1)",
    "**bold** :material/delete: :red[red]",
    "$\\frac{a}{b}$ `code`",
    "سعيد و حزين",
    '"><b onmouseover=window.hacked=1>😀& &lt;i&gt;',
)
COLUMN = "<b>column</b> \"q\" 's' | & = %"
NOTICE = f"A notice: {IMAGE} [x](javascript:1) **b**"
MODELS = ("<i>model & [m](x)", "**model** 😀")


def make_hostile(folder: Path, tiny: TinyDemo, clips: int = 14) -> Workspace:
    """Two models of odd names and classes, and clips of odd ids, persons and columns."""
    place = folder / "<u>clips</u>"
    known = read_manifest(tiny.demo / "datasets" / "demo").set_index("clip_id")
    sources = sorted(file for file in (tiny.demo / "datasets" / "demo").rglob("*") if list(file.glob("*.png")))[:clips]
    for number, clip in enumerate(sources):
        shutil.copytree(clip, place / f"clip{number}")
    classes = list(dict.fromkeys(known["label_name"]))
    frame = index_unlabelled(place).drop(columns=["label", "label_name"], errors="ignore")
    shown = [classes.index(known.loc[source.name, "label_name"]) for source in sources]
    order = [int(Path(path).name.removeprefix("clip")) for path in frame["path"]]
    frame = frame.assign(
        fps=8.0,
        label_name=[LABELS[shown[number] % len(LABELS)] for number in order],
        clip_id=[f"{number} {LABELS[number % len(LABELS)]}" for number in order],
        subject=[f"<s>person</s> {number % 3}" for number in order],
    )
    frame[COLUMN] = [LABELS[number % 2] for number in order]
    write_manifest(frame, place)
    for seed, name in enumerate(MODELS):
        torch.manual_seed(seed)
        model = create_model("ifdd-mvit-tiny" if seed == 0 else "mvit-tiny-baseline")
        with torch.no_grad():
            model.head.classify.weight *= 10
        card = Card(
            name=name,
            notice=NOTICE,
            model=model.config,
            labels=LABELS,
            preprocessing=Preprocessing().to_dict(),
            data={"test": {"source": IMAGE, "name": IMAGE, "difficulty": "standard"}},
            training={},
            metrics={},
            versions=library_versions(),
        )
        save_checkpoint(folder / "checkpoints" / name, model, card)
    made = init_workspace(folder / "mine", {"data [d](x) <u>set": place}, [folder / "checkpoints" / name for name in MODELS])
    (dataset,) = made.datasets
    for name in MODELS:
        bundle = load_checkpoint(folder / "checkpoints" / name)
        collect(bundle, place, made.collection_folder(dataset, name), kept_of(bundle.model), "mean")
    return made
