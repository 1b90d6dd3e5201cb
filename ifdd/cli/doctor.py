"""The commands `ifdd data doctor` and `ifdd data compare-labels`: whether clips and labels are what they are taken for."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ifdd.cli.options import Json, say_json
from ifdd.errors import InputError
from ifdd.plain import terminal_text


def doctor(
    sources: Annotated[
        list[Path], typer.Argument(help="A manifest, or its folder; or several (train, val, test) that must share nothing.")
    ],
    predictions: Annotated[
        Path | None,
        typer.Option(help="Somebody's predictions (CSV, parquet, npz): are their classes in the order of the labels?"),
    ] = None,
    frames: Annotated[int, typer.Option(min=2, help="Frames of a clip as a model reads it: what is short.")] = 16,
    quick: Annotated[bool, typer.Option("--quick", help="Names and sizes of files alone; no picture is read.")] = False,
    only: Annotated[
        str | None,
        typer.Option(
            help="Some of damage, frames, short, resolution, labels, counts, copies, persons, near-duplicates, predictions."
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one for each processor.")] = None,
    out: Annotated[Path | None, typer.Option(help="New file for the findings, as JSON.")] = None,
    as_json: Json = False,
) -> None:
    """Look for what makes numbers wrong: counts, order of labels, damage, holes, short clips, copies, persons in two parts.

    Parts are the folds of the list, its column split, or the lists themselves. docs/doctor.md tells what each finding means.
    Exit code: 0 nothing but notes, 3 warnings, 4 errors (1 and 2: the command could not run).

    Example: ifdd data doctor data/dfew.parquet --predictions mae-dfer.csv
    """
    from ifdd.data.doctor import examine
    from ifdd.io import check_new, write_json

    if out is not None:
        check_new(out)
    chosen = [name.strip() for name in only.split(",")] if only is not None else []
    if only is not None and not all(chosen):
        raise InputError(f"--only {only!r}: a name is empty; write checks with commas between")
    found = examine(sources, frames=frames, quick=quick, only=chosen, workers=workers, predictions=predictions)
    values = found.to_dict()
    if out is not None:
        write_json(out, values)
    if as_json:
        say_json(values)
    else:
        _show(values)
        if out is not None:
            typer.echo(f"findings: {out}")
    raise typer.Exit(found.exit_code)


def _show(values: dict[str, Any]) -> None:
    of = f" of {values['corpus']}" if values["corpus"] else ""
    parts = ", ".join(f"{name} {count:,}" for name, count in values["parts"].items())
    told = f"{', '.join(values['sources'])}: {values['clips']:,} clips{of}{f' ({parts})' if parts else ''}"
    typer.echo(terminal_text(told))
    for one in values["findings"]:
        typer.echo(f"{one['severity']:<8} {one['check']:<16} {terminal_text(one['what'])}")
        for example in one["examples"]:
            typer.echo(f"{'':<26}{terminal_text(example)}")
        left = one["count"] - len(one["examples"])
        if one["examples"] and left > 0:
            typer.echo(f"{'':<26}… {left:,} more")
        if one["way_out"]:
            typer.echo(f"{'':<25}→ {terminal_text(one['way_out'])}")
    counts = values["counts"]
    typer.echo(", ".join(f"{counts[name]} {name}{'s' * (counts[name] != 1)}" for name in ("error", "warning", "note")))


def compare_labels(
    first: Annotated[Path, typer.Argument(help="A list of clips and labels, of whatever layout.")],
    second: Annotated[Path, typer.Argument(help="Another list of the same clips.")],
    as_json: Json = False,
) -> None:
    """Compare the labels that two lists give to the same clips, and name the orders where they number classes differently.

    Exit code: 0 all labels are the same, 4 some differ.

    Example: ifdd data compare-labels DFER-CLIP/FERV39K_train.txt S2D/FERV39K/Annotation/train.csv
    """
    from dataclasses import asdict

    from ifdd.data.doctor import EXIT_CODES
    from ifdd.data.label_lists import compare_lists

    found = compare_lists(first, second)
    if as_json:
        say_json(asdict(found) | {"told": found.told()})
    else:
        typer.echo(terminal_text(found.told()))
        for name, count in (("first", found.only_first), ("second", found.only_second)):
            if count:
                typer.echo(f"note: {count:,} clips are in the {name} list alone")
    raise typer.Exit(EXIT_CODES["error"] if found.differ else 0)
