"""How far do models hold when clips get harder? Checkpoints over the benchmark's suites, those of one variant together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ifdd.card import Card
from ifdd.checkpoints import Bundle
from ifdd.data.clipset import ClipSet
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.progress import tqdm
from ifdd.scripted import SUITES, SuiteConfig, suite_hash, suite_scripts
from ifdd.scripted.position import position_auroc
from ifdd.training.clipsets import from_suites
from workbench.analysis.comparison.seeds import over_seeds
from workbench.benchmark.results import RobustnessResult, SuiteResult
from workbench.results.provenance import record
from workbench.store.reading import Reading, read_clips

CLIPS, IDENTITIES, SEED = 560, 140, 11
"""Of each suite's test split: people whom no recipe of this repository trains on."""


def variant_of(card: Card) -> str:
    """Name of the checkpoint without the seed at its end."""
    seed = card.training.get("recipe", {}).get("seed")
    return card.name.removesuffix(f"-{seed}")


def measure_robustness(
    bundles: Sequence[Bundle],
    suites: Sequence[str],
    *,
    clips: int = CLIPS,
    identities: int = IDENTITIES,
    seed: int = SEED,
    cache: str | Path = "cache",
    batch: int = 16,
    names: Sequence[str] = (),
) -> RobustnessResult:
    """Score every checkpoint on the test split of every suite; `names` are activations to keep as well.

    Clips are rendered into `cache`, and what a checkpoint says of them is kept there.

    Raises: InputError for an unknown suite, two checkpoints of one name, or one with other labels than the suites have.
    """
    named = by_name(bundles)
    if unknown := [suite for suite in suites if suite not in SUITES]:
        raise InputError(f"suite {unknown[0]!r} is unknown; known: {', '.join(SUITES)}")
    members = members_of(named)
    results = []
    for suite in tqdm(suites, desc="suites", unit="suite", disable=None):
        config = SuiteConfig("benchmark", seed, clips, identities, "test", suite)
        readings, truth = read_suite(named, config, Path(cache), batch, names)
        position = position_auroc(suite_scripts(config))
        guesses = {name: reading.probs.argmax(1) for name, reading in readings.items()}
        results.append(
            SuiteResult(
                suite=suite,
                clips=clips,
                hash=suite_hash(config),
                position=position.centre,
                position_null=position.centre_null,
                scores={
                    variant: over_seeds([guesses[name] for name in own], truth.target, groups=truth.subjects)
                    for variant, own in members.items()
                },
                readings=readings,
            )
        )
    settings = {"suites": list(suites), "clips": clips, "identities": identities, "seed": seed}
    hashes = {name: np.frombuffer(bytes.fromhex(bundle.card.sha256), np.uint8) for name, bundle in named.items()}
    return RobustnessResult(members, tuple(results), record("robustness", settings, hashes, ("torch",)))


def members_of(named: Mapping[str, Bundle]) -> dict[str, tuple[str, ...]]:
    """Variant → names of its checkpoints, one for each seed."""
    members: dict[str, tuple[str, ...]] = {}
    for name, bundle in named.items():
        variant = variant_of(bundle.card)
        members[variant] = (*members.get(variant, ()), name)
    return members


def by_name(bundles: Sequence[Bundle]) -> dict[str, Bundle]:
    """Checkpoints by their names. Raises: InputError for none, two of one name, or other labels than the suites have."""
    named: dict[str, Bundle] = {}
    for bundle in bundles:
        if bundle.labels != EMOTIONS:
            raise InputError(f"{bundle.name}: its labels are {', '.join(bundle.labels)}; the suites have {', '.join(EMOTIONS)}")
        if bundle.name in named:
            raise InputError(f"two checkpoints are called {bundle.name!r}; leave one out")
        named[bundle.name] = bundle
    if not named:
        raise InputError("no checkpoint; name at least one")
    return named


def read_suite(
    named: Mapping[str, Bundle], config: SuiteConfig, cache: Path, batch: int, names: Sequence[str]
) -> tuple[dict[str, Reading], ClipSet]:
    """Readings of every checkpoint; those of other input sizes get clips of their own."""
    readings: dict[str, Reading] = {}
    shapes = {
        name: tuple((n, read.frames, read.size, read.stream, read.face) for n, read in bundle.inputs.items())
        for name, bundle in named.items()
    }
    for shape in sorted(set(shapes.values())):
        same = {name: bundle for name, bundle in named.items() if shapes[name] == shape}
        clips = from_suites(config, next(iter(same.values())).inputs, cache)
        readings |= read_clips(same, clips, names=names, batch=batch, title=config.difficulty, cache=cache)
    return {name: readings[name] for name in named}, clips
