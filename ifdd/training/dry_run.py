"""What a training would take: its parts, its model, and by a few steps on this machine time, memory, disk. Nothing is written."""

import platform
import shutil
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ifdd.data.clipset import ClipSet
from ifdd.data.manifest import read_manifest
from ifdd.data.parts import parts_of
from ifdd.data.persons import person_ids
from ifdd.data.sampling import Take
from ifdd.device import choose_device
from ifdd.inputs import Clips, each, to_clips
from ifdd.models.cost import cost
from ifdd.progress import tqdm
from ifdd.training.augment import InputAugment, Mix
from ifdd.training.clipsets import SPLITS, SplitName, check_disjoint, lacking_classes, load_split
from ifdd.training.loading import chosen_workers
from ifdd.training.processes import visible_gpus
from ifdd.training.recipe import CorpusData, ManifestData, Recipe, ScriptedData
from ifdd.training.run import build_module

STEPS = 3
"""Steps that are timed, after one that is not."""
READ = 12
"""Clips of the training part that are read to see how quickly that goes."""
PATIENT_S = 20.0
"""Seconds of a step up to which whole batches are measured; above, one step of two clips stands for a batch."""
FEW = 2
FLOAT = 4  # bytes


@dataclass(frozen=True)
class Part:
    """Clips of a split, how many persons they name (None: none is named), and clips by class."""

    clips: int
    persons: int | None
    classes: dict[str, int]


@dataclass(frozen=True)
class Plan:
    """What a training would take. Seconds and bytes are estimates from `steps` steps of `measured` clips on `device`."""

    name: str
    model: str
    parameters: int
    macs: int
    parts: dict[SplitName, Part]
    validation: str
    device: str
    steps: int
    measured: int
    batch: int
    step_seconds: float
    scoring_seconds: float  # of a clip
    clips_per_second: float | None  # that one process reads; None where nothing has to be read
    workers: int
    steps_per_epoch: int
    epochs: int
    epoch_seconds: float
    total_seconds: float
    memory: int
    disk: int
    free: int
    notes: tuple[str, ...] = field(default=())

    @property
    def on_gpu(self) -> bool:
        """Whether the memory is a GPU's."""
        return self.device.startswith("GPU")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self) | {"notes": list(self.notes)}

    @property
    def lines(self) -> list[str]:
        """What is printed."""
        few = "" if self.measured == self.batch else f", from {self.measured} clips, scaled to {self.batch}"
        read = "clips are rendered before: none is read in an epoch"
        if self.clips_per_second is not None:
            readers = f"{self.workers} read ahead" if self.workers else "the one that trains"
            read = f"{self.clips_per_second:.1f} clips/s by one process; {readers}"
        counted = f"{self.steps} step{'s' * (self.steps != 1)}"
        found = [f"{self.name}: {self.model}"]
        for split, part in self.parts.items():
            persons = "persons not known" if part.persons is None else f"{part.persons} person{'s' * (part.persons != 1)}"
            classes = ", ".join(f"{name} {n}" for name, n in part.classes.items())
            found.append(f"{split}: {part.clips} clips, {persons}" + (f" ({classes})" if classes else ""))
        return [
            *found,
            *([f"validation: {self.validation}"] if self.validation else []),
            f"model: {self.parameters / 1e6:.2f} M parameters, {self.macs / 1e9:.2f} GMACs a clip",
            f"measured on {self.device}, {counted}: {self.step_seconds:.3g} s a step of {self.batch} clips{few}; "
            f"{self.scoring_seconds:.3g} s a clip in validation",
            f"reading: {read}",
            f"time: about {duration(self.epoch_seconds)} an epoch ({self.steps_per_epoch} steps and the validation), "
            f"{duration(self.total_seconds)} for {self.epochs} epochs and the test",
            f"memory: about {size(self.memory)} of {'the GPU' if self.on_gpu else 'this process'}",
            f"disk: about {size(self.disk)}; {size(self.free)} are free",
            *(f"note: {note}" for note in self.notes),
        ]


@dataclass(frozen=True)
class _Measured:
    step: float
    score: float
    clips: int
    steps: int
    memory: int


def dry_run(recipe: Recipe, out: Path, *, cache: bool = True) -> Plan:
    """Check a recipe and its data, build its model, and estimate what a training into `out` takes; nothing is written.

    `cache`: count what goes into the cache (of several trainings on the same clips, once).
    Raises: InputError as `run.train` raises before its first step.
    """
    device = choose_device(recipe.device)
    recipe, cached = _without_cache(recipe)
    sets = _parts(recipe)
    parts = {split: _part(clips, recipe) for split, clips in sets.items()} if sets else _scripted(recipe)
    notes = (*check_disjoint(sets, recipe.keep), *lacking_classes(sets, recipe.labels)) if sets else ()
    notes += ("the crops of videos go to the cache in the first epoch, whose rate of reading this is",) if cached else ()
    batch = min(recipe.optim.batch, parts["train"].clips)
    steps = max(parts["train"].clips // batch, 1)
    found = _measure(recipe, device, batch, steps, None if not sets else sets["train"].target)
    rate, workers = (None, 0) if not sets else _reading(recipe, sets["train"], device)
    views = getattr(recipe.data, "test_clips", 1)
    readers = max(workers, 1)

    def seconds(computed: float, clips: int) -> float:
        if rate is None:
            return computed
        read = clips / (rate * readers)
        return max(computed, read) if workers else computed + read

    validated = parts["val"].clips * found.score * (1 if recipe.ema is None else 2)  # weights and their average
    epoch = seconds(steps * found.step, parts["train"].clips) + seconds(validated, parts["val"].clips)
    tested = parts["val"].clips + views * parts["test"].clips
    priced = cost(recipe.model)
    total = recipe.optim.epochs * epoch + seconds(tested * found.score, tested)
    decoded = isinstance(recipe.data, ManifestData) and not recipe.data.stream
    if decoded and rate is not None:  # once, and not in an epoch
        clips = sum(part.clips for part in parts.values())
        epoch = steps * found.step + validated
        total = clips / rate + recipe.optim.epochs * epoch + tested * found.score
    return Plan(
        name=recipe.name,
        model=recipe.model.summary,
        parameters=priced.parameters,
        macs=priced.macs,
        parts=parts,
        validation=str(sets["val"].about.get("validation", "")) if sets else "",
        device=device_name(device, recipe.precision),
        steps=found.steps,
        measured=found.clips,
        batch=batch,
        step_seconds=found.step,
        scoring_seconds=found.score,
        clips_per_second=rate,
        workers=workers,
        steps_per_epoch=steps,
        epochs=recipe.optim.epochs,
        epoch_seconds=epoch,
        total_seconds=total,
        memory=found.memory,
        disk=_disk(recipe, priced.parameters, parts, cache),
        free=shutil.disk_usage(next(place for place in (out.absolute(), *out.absolute().parents) if place.exists())).free,
        notes=notes,
    )


@dataclass(frozen=True)
class FoldsPlan:
    """What a cross-validation would take: `parts` by fold, the plan of the `first`, and how many folds are trained `at_once`."""

    parts: dict[int, dict[SplitName, int]]
    first: Plan
    at_once: int

    @property
    def seconds(self) -> float:
        """For all folds."""
        return self.first.total_seconds * -(-len(self.parts) // self.at_once)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        folds = {str(fold): sizes for fold, sizes in self.parts.items()}
        return {"folds": folds, "first": self.first.to_dict(), "at_once": self.at_once, "total_seconds": self.seconds}

    @property
    def lines(self) -> list[str]:
        """What is printed."""
        told = [f"fold {fold}: {', '.join(f'{n} {part}' for part, n in sizes.items())}" for fold, sizes in self.parts.items()]
        pace = "one after the other" if self.at_once == 1 else f"{self.at_once} at a time, on a GPU each"
        count = len(self.parts)
        disk = f"about {size(count * self.first.disk)} for the runs"
        return [*told, *self.first.lines, f"all folds: {duration(self.seconds)}, {pace}; {disk}"]


def dry_run_folds(recipes: Mapping[int, Recipe], out: Path, jobs: int = 1) -> FoldsPlan:
    """`dry_run` of the first fold, and the sizes of the parts of all; on one device folds at a time are no quicker.

    Raises: InputError as `dry_run`.
    """
    parts: dict[int, dict[SplitName, int]] = {}
    for fold, recipe in recipes.items():
        assert isinstance(recipe.data, CorpusData)
        rows = parts_of(
            read_manifest(recipe.data.manifest), recipe.data.manifest, fold=fold, val=recipe.data.val, seed=recipe.seed
        ).rows
        parts[fold] = {split: len(rows[split]) for split in SPLITS}
    first = next(iter(recipes))
    gpus = len(visible_gpus()) if choose_device(recipes[first].device).type == "cuda" else 1
    return FoldsPlan(parts, dry_run(recipes[first], out / f"fold-{first}"), max(1, min(jobs, gpus, len(recipes))))


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them.

    >>> duration(42), duration(5400), duration(400_000)
    ('42 s', '1.5 h', '4.6 days')
    """
    for unit, length, most in (("s", 1.0, 90), ("min", 60.0, 5400), ("h", 3600.0, 172_800)):
        if seconds < most:
            return f"{seconds / length:.2g} {unit}" if seconds < 10 * length else f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.1f} days"


def size(count: float) -> str:
    """Bytes in the unit that suits them.

    >>> size(3_000_000), size(22_500_000_000)
    ('3 MB', '22.5 GB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def device_name(device: torch.device, precision: str) -> str:
    """Which device, as people call it, and at which precision."""
    if device.type == "cuda":
        return f"GPU {torch.cuda.get_device_name(device)}, {precision}"
    if device.type == "mps":
        return f"GPU of {platform.machine()}, {precision}"
    return f"CPU {_cpu()}, {torch.get_num_threads()} threads, {precision}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _without_cache(recipe: Recipe) -> tuple[Recipe, bool]:
    """The recipe, reading without a cache of crops, and whether it has one."""
    if not getattr(recipe.data, "cache_crops", False):
        return recipe, False
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"cache_crops": False})}), True


def _parts(recipe: Recipe) -> dict[SplitName, ClipSet]:
    """The parts of a list of clips, whose pixels nobody has read; none of scripted data."""
    if isinstance(recipe.data, ScriptedData):
        return {}
    if isinstance(recipe.data, ManifestData) and not recipe.data.stream:
        recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"stream": True})})
    return {split: load_split(recipe, split, False) for split in SPLITS}


def _part(clips: ClipSet, recipe: Recipe) -> Part:
    named = set(person_ids(clips.subjects).tolist()) - {""}
    counts = np.bincount(clips.target, minlength=len(recipe.labels)).tolist()
    return Part(len(clips), len(named) or None, dict(zip(recipe.labels, counts, strict=True)))


def _scripted(recipe: Recipe) -> dict[SplitName, Part]:
    assert isinstance(recipe.data, ScriptedData)
    chosen = {split: getattr(recipe.data, split) for split in SPLITS}
    return {split: Part(one.clips, min(one.identities, one.clips), {}) for split, one in chosen.items()}


def _measure(recipe: Recipe, device: torch.device, batch: int, steps: int, target: np.ndarray | None) -> _Measured:
    """Time and memory of a step on random pixels, of whole batches or, where these take too long, of two clips."""
    module = build_module(recipe, steps, target).to(device)
    optimiser = module.configure_optimizers()["optimizer"]
    augment = InputAugment(recipe.augment, {name: shape[2:] for name, shape in recipe.model.inputs.items()})
    mix = Mix(recipe.augment, recipe.model.num_classes)

    def step(clips: int) -> None:
        pixels, classes = _random(recipe, clips, device)
        inputs, targets = mix(each(augment(pixels), to_clips), classes)
        with _halves(recipe, device):
            loss = module.loss(module.model(inputs), targets)["loss"]
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    def score(clips: int) -> None:
        with torch.no_grad(), module.model.evaluating(), _halves(recipe, device):
            module.model(each(_random(recipe, clips, device)[0], to_clips))

    few = min(FEW, batch)
    with torch.random.fork_rng(), tqdm(desc="measure", unit="step", leave=False, delay=2, disable=None) as bar:

        def timed(work: Callable[[int], object], clips: int, times: int) -> float:
            return _seconds(lambda: work(clips), device, times, bar)

        before = _memory(device)
        measured, times, took = few, 1, timed(step, few, 1)
        if took * batch / few < PATIENT_S:
            measured, times = batch, STEPS
            took = timed(step, measured, times)
        scored = timed(score, measured, times) / measured
    memory = _scaled_memory(recipe, module, before, _memory(device), batch / measured)
    return _Measured(took * batch / measured, scored, measured, times, memory)


def _random(recipe: Recipe, clips: int, device: torch.device) -> tuple[Clips, torch.Tensor]:
    """Pixels (clips, T, H, W, 3) uint8 of each input, and classes."""
    shapes = {name: (clips, frames, height, width, 3) for name, (_, frames, height, width) in recipe.model.inputs.items()}
    pixels = {name: torch.randint(0, 256, shape, dtype=torch.uint8).to(device) for name, shape in shapes.items()}
    classes = torch.arange(clips).to(device) % recipe.model.num_classes
    return (pixels if len(pixels) > 1 else next(iter(pixels.values()))), classes


def _halves(recipe: Recipe, device: torch.device) -> AbstractContextManager[Any]:
    if recipe.precision == "32-true":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if recipe.precision.startswith("bf16") else torch.float16)


def _seconds(work: Callable[[], object], device: torch.device, times: int, bar: tqdm) -> float:
    """Median of some tries after one that is not timed."""
    found = []
    for i in range(times + 1):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        elif device.type == "mps":
            torch.mps.synchronize()
        bar.update()
        if i:
            found.append(time.perf_counter() - started)
    return statistics.median(found)


def _memory(device: torch.device) -> int:
    """The most bytes that were in use so far: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if platform.system() == "Darwin" else 1024 * most


def _scaled_memory(recipe: Recipe, module: torch.nn.Module, before: int, after: int, times: float) -> int:
    """What a whole batch needs: weights, gradients, two moments and the average are there once, the rest grows with the clips."""
    weights = FLOAT * sum(parameter.numel() for parameter in module.parameters())
    average = weights if recipe.ema is not None else 0
    fixed = min(3 * weights, max(after - before, 0))  # the weights themselves were there before
    return int(before + fixed + (after - before - fixed) * times + average)


def _reading(recipe: Recipe, clips: ClipSet, device: torch.device) -> tuple[float, int]:
    """Clips a second that one process reads, as a training asks for them, and how many processes would."""
    index = np.unique(np.linspace(0, len(clips) - 1, READ).round().astype(int)).tolist()
    clips.read(index[:1], Take(epoch=0))  # what is loaded with the first one
    started = time.perf_counter()
    for i in index:
        clips.read([i], Take(epoch=0))
    rate = len(index) / (time.perf_counter() - started)
    decoded = isinstance(recipe.data, ManifestData) and not recipe.data.stream
    return rate, 0 if decoded else chosen_workers(getattr(recipe.data, "workers", None), device.type)


def _disk(recipe: Recipe, parameters: int, parts: Mapping[SplitName, Part], cache: bool) -> int:
    """Bytes of a run: three states of the training, the checkpoint, predictions; with `cache` clips that are decoded into it."""
    state = FLOAT * parameters * (4 if recipe.ema is not None else 3)
    written = 3 * state + FLOAT * parameters
    clips = sum(part.clips for part in parts.values())
    written += 100 * clips * recipe.model.num_classes // 7
    if cache and (isinstance(recipe.data, ScriptedData) or (isinstance(recipe.data, ManifestData) and not recipe.data.stream)):
        written += clips * sum(3 * frames * height * width for _, frames, height, width in recipe.model.inputs.values())
    return written
