"""The commands `ifdd train`, `ifdd cross-validate` and `ifdd sweep`."""

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from ifdd.cli.options import Json, say_json, show_metrics
from ifdd.errors import InputError
from ifdd.plain import terminal_text

training_app = typer.Typer()
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check recipe and clips, estimate time, memory and disk from a few steps here; write nothing."
    ),
]


@training_app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="YAML file, see recipes/.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/<name of the recipe>.")] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted run in its folder; optim.epochs may then be more, also after a complete run: the "
            "learning rate follows the longer schedule from there on.",
        ),
    ] = False,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Replaces the recipe's seed.")] = None,
    device: Annotated[str | None, typer.Option(help="Replaces the recipe's device: auto, cpu, cuda or mps.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Replaces one value, e.g. optim.lr=0.0005.")] = None,
    max_minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop training after so long.")] = None,
    dry: DryRun = False,
    as_json: Json = False,
) -> None:
    """Train a model from a recipe, and test it once at the end.

    Ctrl-C and SIGTERM save after the step, and say how to go on. Several GPUs or machines: start it by torchrun or srun.

    Example: ifdd train recipes/scripted-tiny-ifdd.yaml --out runs/mine --set optim.epochs=4
    """
    from ifdd.training import run
    from ifdd.training.keeping import resumed, what_is_kept
    from ifdd.training.ranks import started_ranks
    from ifdd.training.recipe import load_recipe

    replaced = [*(settings or [])]
    replaced += [] if seed is None else [f"seed={seed}"]
    replaced += [] if device is None else [f"device={device}"]
    chosen = load_recipe(recipe, replaced)
    folder = out or Path("runs") / chosen.name
    if dry:
        from ifdd.training.dry_run import dry_run

        show_plan(dry_run(chosen, folder), as_json)
        return
    try:
        checkpoint = run.train(chosen, folder, resume=resume, max_minutes=max_minutes)
    except KeyboardInterrupt as stopped:
        if started_ranks().first:
            again = ["ifdd", "train", str(recipe), "--out", str(folder), *(part for text in replaced for part in ("--set", text))]
            typer.echo(f"interrupted: {what_is_kept(chosen, folder)}: {shlex.join([*again, *resumed(folder)])}", err=True)
        raise typer.Exit(getattr(stopped, "code", 130)) from None
    if not started_ranks().first:
        return
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    show_metrics(metrics["test"], as_json, {"checkpoint": str(checkpoint)})


@training_app.command("cross-validate")
def cross_validate(
    recipe: Annotated[Path, typer.Argument(help="YAML file whose data.source is corpus, see recipes/corpora/.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs and of their scores; a fold that is complete there is kept.")],
    folds: Annotated[str | None, typer.Option(help="Folds, e.g. 1-5 or 1,3; by default all.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Folds at a time; they share the cores, and have a GPU each.")] = 1,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Replaces one value, e.g. optim.lr=0.0005.")] = None,
    published: Annotated[
        str | None, typer.Option(help="Rows of papers to show below, with commas, e.g. M3DFEL,MAE-DFER (see ifdd published).")
    ] = None,
    dry: DryRun = False,
    as_json: Json = False,
) -> None:
    """Train a recipe for every fold of a corpus, and score all folds; the same command goes on where it stopped.

    Writes a run folder for each fold, predictions.parquet (the test predictions of all), metrics.json and table.md.
    Example: ifdd cross-validate recipes/corpora/dfew.yaml --folds 1-5 --out runs/dfew --set data.manifest=dfew.parquet
    """
    from ifdd.training.cross_validation import TABLE, plan_folds
    from ifdd.training.cross_validation import cross_validate as validate

    chosen = None if folds is None else numbers_of(folds, "--folds")
    if dry:
        from ifdd.training.dry_run import dry_run_folds

        show_plan(dry_run_folds(plan_folds(recipe, chosen, settings or ()), out, jobs), as_json)
        return
    try:
        found = validate(
            recipe,
            out,
            folds=chosen,
            settings=settings or (),
            jobs=jobs,
            say=lambda line: typer.echo(terminal_text(line), err=True),
            papers=[name.strip() for name in (published or "").split(",") if name.strip()],
        )
    except KeyboardInterrupt as stopped:
        typer.echo(f"interrupted: what was trained so far is kept in {out}; the same command goes on", err=True)
        raise typer.Exit(getattr(stopped, "code", 130)) from None
    if as_json:
        say_json(found | {"out": str(out)})
        return
    typer.echo((out / TABLE).read_text(encoding="utf-8"))
    typer.echo(f"out: {out}")


def show_plan(plan: Any, as_json: bool) -> None:
    """Print what a training would take."""
    if as_json:
        say_json(plan.to_dict())
        return
    for line in plan.lines:
        typer.echo(terminal_text(line))


def numbers_of(text: str, option: str) -> list[int]:
    """Whole numbers of a list with commas and ranges, such as 1-5 or 1,3.

    Raises: InputError for anything else.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or max(len(first), len(last)) > 3:
            raise InputError(f"{option} {text}: write whole numbers, e.g. 1-5 or 1,3")
        found += range(int(first), int(last or first) + 1)
    return found


@training_app.command()
def sweep(
    recipes: Annotated[list[Path], typer.Argument(metavar="RECIPE...", help="YAML files, see recipes/.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder of the runs; a run that is complete there is kept.")],
    seeds: Annotated[str, typer.Option(help="Seeds with commas; each trains every recipe.")] = "0",
    jobs: Annotated[int, typer.Option(min=1, help="Trainings at a time; they share the cores.")] = 1,
) -> None:
    """Train several recipes with several seeds; the same command goes on where it stopped.

    Example: ifdd sweep recipes/noisy-*.yaml --seeds 0,1,2 --out runs/noisy --jobs 2
    """
    from ifdd.training.sweep import sweep as train_all

    try:
        numbers = [int(text) for text in seeds.split(",")]
    except ValueError:
        raise InputError(f"--seeds {seeds}: write whole numbers with commas, e.g. 0,1,2") from None
    for checkpoint in train_all(recipes, out, seeds=numbers, jobs=jobs, say=typer.echo):
        typer.echo(str(checkpoint))
