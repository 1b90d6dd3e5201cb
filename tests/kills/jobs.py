"""Small pieces of work that write files, each a function of the folder that it may use; the same call goes on after a kill."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from bundles import save_random
from colours import clip_set, recipe
from small_corpus import corpus_recipe, make_corpus

import ifdd
import workbench
from ifdd.labels import EMOTIONS
from ifdd.scripted import SuiteConfig, render_suite
from ifdd.training import run
from ifdd.training.clipsets import load_split
from workbench.analysis.performance.displays.scores import ConfusionDisplay
from workbench.analysis.performance.scores import summary
from workbench.explain import task as explaining
from workbench.figures.task import DrawnFigures
from workbench.figures.task import write as write_figures
from workbench.results.passport import Context

OUT = "out"
SUITE = SuiteConfig("kills", 5, 4, 2, split="test")


def prepare(material: Path) -> None:
    """What the jobs read: a checkpoint, four clips, and a corpus of 21."""
    save_random(material / "tiny", "ifdd-mvit-tiny", 0)
    render_suite(SUITE, material / "clips", frames=4, size=32, workers=1, progress=False)
    make_corpus(material / "corpus", 21)


def stream(material: Path, folder: Path) -> None:
    """Three epochs on a fold of a corpus, streamed, with averaged weights."""
    optim = {"lr": 0.002, "epochs": 3, "batch": 2, "accumulate": 2}
    chosen = corpus_recipe(material / "corpus" / "clips.parquet", optim=optim, ema=0.9)
    run.load_split = load_split
    run.train(chosen, folder / OUT, resume=(folder / OUT).exists(), progress=False)


def train(material: Path, folder: Path) -> None:
    """Three epochs on clips of one colour each."""
    run.load_split = lambda _recipe, split, _progress=True: clip_set(split)  # type: ignore[assignment]
    run.train(recipe(), folder / OUT, resume=(folder / OUT).exists(), progress=False)


def render(material: Path, folder: Path) -> None:
    """Four clips with their truth."""
    render_suite(SUITE, folder / OUT, frames=4, size=32, workers=1, progress=False)


def collect(material: Path, folder: Path) -> None:
    """What a checkpoint says of four clips, one at a time."""
    workbench.collect(ifdd.load_checkpoint(material / "tiny"), material / "clips", folder / OUT, batch=1)


def explain(material: Path, folder: Path) -> None:
    """Overlay, film strip and explain.json of one clip."""
    clip = sorted((material / "clips" / "clips").iterdir())[0]
    found = explaining.run(ifdd.load_checkpoint(material / "tiny"), clip, explaining.Options(crop="none", fps=2.0))
    explaining.write(found, folder / OUT, film_format="gif")


class Sheet:
    """A figure with what `write_figures` asks of one."""

    paper, caption = "a test", "Of random predictions."

    def __init__(self, seed: int) -> None:
        probs = np.random.default_rng(seed).dirichlet(np.ones(7), 70)
        self.display = ConfusionDisplay.from_result(summary(probs, np.arange(70) % 7, EMOTIONS))

    def numbers(self) -> pd.DataFrame:
        """As a display does."""
        return self.display.numbers()

    def save(self, path: Path, dpi: float, context: Context) -> None:
        """As a display does."""
        self.display.save(path, dpi=40, context=context)


def figures(material: Path, folder: Path) -> None:
    """Two figures in two formats and their captions, in a folder where another file is."""
    (folder / OUT).mkdir(exist_ok=True)
    (folder / OUT / "mine.txt").write_text("kept")
    if not (folder / OUT / "captions.md").exists():
        write_figures(DrawnFigures({"one": Sheet(1), "two": Sheet(2)}, {}), folder / OUT, formats=["png", "svg"])  # type: ignore[dict-item]


JOBS: dict[str, Callable[[Path, Path], None]] = {job.__name__: job for job in (train, stream, render, collect, explain, figures)}
