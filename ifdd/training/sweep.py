"""Several trainings: every recipe with every seed, some at a time, each in a process of its own."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ifdd.checkpoints import CARD, read_card
from ifdd.errors import InputError
from ifdd.io import claim, replaced_folder
from ifdd.training.keeping import CHECKPOINT
from ifdd.training.processes import check_same, train_all
from ifdd.training.recipe import Recipe, load_recipe

CHECKPOINTS = "checkpoints"


def sweep(
    recipes: Sequence[str | Path],
    out: str | Path,
    *,
    seeds: Sequence[int] = (0,),
    jobs: int = 1,
    say: Callable[[str], object] = print,
) -> list[Path]:
    """Train every recipe with every seed into `out/<name>`; returns the checkpoints, copied to `out/checkpoints/<name>`.

    Runs that are complete are kept, interrupted ones resumed, so the same command goes on where it stopped. A run whose
    `init_from` another one makes waits for it. `jobs` processes share the CPU's cores.
    Raises: InputError for two runs of one name (write `{seed}` into it), runs that start from each other, a finished run of
    another recipe or from other weights than its source has now, or runs that failed (the others are finished first).
    """
    out = Path(out).resolve()
    with claim(out):
        return _sweep(recipes, out, seeds, jobs, say)


def _sweep(recipes: Sequence[str | Path], out: Path, seeds: Sequence[int], jobs: int, say: Callable[[str], object]) -> list[Path]:
    planned = _plan(recipes, seeds)
    for name, recipe in planned.items():
        check_same(recipe, out / name)
        if recipe.init_from in planned:
            _check_source(out / name, out / recipe.init_from)
    copies = out / CHECKPOINTS
    copies.mkdir(parents=True, exist_ok=True)

    def keep_copy(name: str) -> None:
        _keep_copy(out / name / CHECKPOINT, copies / name)

    done, failed = train_all(planned, out, jobs=jobs, say=say, trained=keep_copy, checkpoints=copies)
    if failed:
        raise InputError(
            f"{len(failed)} of {len(done) + len(failed)} trainings failed: {', '.join(failed)}; see their .log in {out}"
        )
    return [copies / name for name in done]


def _plan(recipes: Sequence[str | Path], seeds: Sequence[int]) -> dict[str, Recipe]:
    planned: dict[str, Recipe] = {}
    for file in recipes:
        for seed in seeds:
            recipe = load_recipe(file, [f"seed={seed}"])
            if recipe.name in planned:
                raise InputError(f"{file}: two runs are called {recipe.name!r}; write {{seed}} into the recipe's name")
            planned[recipe.name] = recipe
    for name in planned:
        chain = [name]
        while (source := planned[chain[-1]].init_from) in planned:
            if source in chain:
                raise InputError(f"{name}: init_from leads back to {source} ({', '.join(chain)}); start one of them elsewhere")
            chain.append(source)
    return planned


def _check_source(folder: Path, source: Path) -> None:
    """A finished run must have started from the weights that its source has now; runs that do not tell are believed."""
    if not (folder / CHECKPOINT / CARD).is_file():
        return
    started = read_card(folder / CHECKPOINT).training.get("init_from_sha256")
    if started and not ((source / CHECKPOINT / CARD).is_file() and read_card(source / CHECKPOINT).sha256 == started):
        raise InputError(
            f"{folder}: was trained from another {source.name} than stands in {source.parent}; remove it to train it anew, or "
            "choose another --out"
        )


def _keep_copy(checkpoint: Path, place: Path) -> None:
    if (place / CARD).is_file() and (place / CARD).read_bytes() == (checkpoint / CARD).read_bytes():
        return
    with replaced_folder(place) as work:  # one that is there is of a run that was removed and trained anew
        shutil.copytree(checkpoint, work, dirs_exist_ok=True)
