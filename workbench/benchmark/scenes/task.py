"""How much does each model lean on the scene? The same faces, whose scenes go with the emotion by one ρ after the other."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ifdd.checkpoints import Bundle
from ifdd.data.clipset import ClipSet
from ifdd.errors import InputError
from ifdd.io import filled_folder, write_text
from ifdd.labels import EMOTIONS
from ifdd.progress import tqdm
from ifdd.scripted import SUITES, SuiteConfig, suite_hash
from ifdd.scripted.script.extras import POLARITY
from workbench.analysis.comparison.seeds import difference_over_seeds, over_seeds
from workbench.benchmark.robustness import CLIPS, IDENTITIES, SEED, by_name, members_of, read_suite
from workbench.benchmark.scenes.display import ScenesDisplay
from workbench.benchmark.scenes.results import SceneRow, ScenesResult, markdown
from workbench.results.passport import PYTHON_CALL, Context
from workbench.results.provenance import record
from workbench.store.layout import SCENES

RHOS = (-0.9, -0.5, 0.0, 0.5, 0.9)
FITS, OPPOSES, TELLS_NOTHING = 1.0, -1.0, 0.0
SUITE = "standard-v2"
_VALENCES = np.array([POLARITY[emotion] for emotion in EMOTIONS])


def measure_scenes(
    bundles: Sequence[Bundle],
    *,
    rhos: Sequence[float] = RHOS,
    suite: str = SUITE,
    clips: int = CLIPS,
    identities: int = IDENTITIES,
    seed: int = SEED,
    cache: str | Path = "cache",
    batch: int = 16,
) -> ScenesResult:
    """UAR of every variant at each ρ in the test, and how far scenes help, mislead and are followed.

    Clips are rendered into `cache`, faces once for all ρ, and what a checkpoint says of them is kept there. Checkpoints whose
    names differ in their seed at the end are one variant. Controls: who reads the scene alone must follow it, who reads the face
    alone must not, to the digit.

    Raises: InputError for no ρ or one outside [−1, 1], an unknown suite or one with scenes behind the face, two checkpoints of
        one name, or one with other labels than the suite has.
    """
    if not len(rhos):
        raise InputError("no rho; give one or more between -1 and 1")
    if suite not in SUITES:
        raise InputError(f"suite {suite!r} is unknown; known: {', '.join(SUITES)}")
    named = by_name(bundles)
    config = SuiteConfig("benchmark", seed, clips, identities, "test", suite)
    chosen = tuple(sorted(set(map(float, rhos))))
    suites = {rho: replace(config, rho=rho) for rho in sorted({*chosen, FITS, OPPOSES, TELLS_NOTHING})}
    guesses: dict[float, dict[str, np.ndarray]] = {}
    for rho, asked in tqdm(suites.items(), desc="scenes", unit="rho", disable=None):
        readings, truth = read_suite(named, asked, Path(cache), batch, ())
        guesses[rho] = {name: reading.probs.argmax(1) for name, reading in readings.items()}
    rows = [
        _row(variant, own, {rho: [said[name] for name in own] for rho, said in guesses.items()}, chosen, named[own[0]], truth)
        for variant, own in members_of(named).items()
    ]
    settings = {"suite": suite, "rhos": list(chosen), "clips": clips, "identities": identities, "seed": seed}
    hashes = {name: np.frombuffer(bytes.fromhex(bundle.card.sha256), np.uint8) for name, bundle in named.items()}
    return ScenesResult(
        suite=suite,
        rhos=chosen,
        clips=clips,
        persons=identities,
        chance=1 / len(EMOTIONS),
        rows=tuple(rows),
        hashes=tuple(suite_hash(suites[rho]) for rho in chosen),
        provenance=record("scenes", settings, hashes, ("torch",)),
    )


def _row(
    variant: str,
    own: tuple[str, ...],
    guesses: dict[float, list[np.ndarray]],
    rhos: Sequence[float],
    bundle: Bundle,
    truth: ClipSet,
) -> SceneRow:
    y, persons = truth.target, truth.subjects
    nothing = guesses[TELLS_NOTHING]
    polar = np.flatnonzero(_VALENCES[y])
    opposite = 1 - _VALENCES[y[polar]]  # as a class: 0 negative, 1 neutral, 2 positive
    fits, opposes = ([1 + _VALENCES[guess[polar]] for guess in guesses[rho]] for rho in (FITS, OPPOSES))
    followed = difference_over_seeds(
        fits,
        opposes,
        opposite,
        groups=None if persons is None else np.asarray(persons)[polar],
    )
    reads = tuple(bundle.inputs)
    return SceneRow(
        variant=variant,
        members=own,
        reads=reads,
        trained=bundle.card.data.get("train", {}).get("rho") if bundle.scenes else None,
        scores=tuple(over_seeds(guesses[rho], y, groups=persons) for rho in rhos),
        helps=difference_over_seeds(nothing, guesses[FITS], y, groups=persons),
        misleads=difference_over_seeds(nothing, guesses[OPPOSES], y, groups=persons),
        follows=followed.war,
    )


def write(result: ScenesResult, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write scenes.json, scenes.md and the curves into `out`, all or none; returns the files.

    Raises: InputError if `out` is a file, or if the disk refuses.
    """
    picture = ScenesDisplay.from_result(result)
    with filled_folder(out, last=SCENES) as work:
        for suffix in ("png", "svg"):
            picture.save(work / f"scenes.{suffix}", context=context)
        write_text(work / "scenes.md", markdown(result))
        write_text(work / SCENES, json.dumps(result.to_dict(), indent=2, ensure_ascii=False) + "\n")
        names = sorted(file.name for file in work.iterdir())
    return [out / name for name in names]
