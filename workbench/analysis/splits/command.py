"""The command `workbench splits`: what the splits of checkpoints do, compared."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ifdd.errors import InputError
from workbench.results.written import written

splits_app = typer.Typer()


@splits_app.command()
def splits(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(help="Names or folders of checkpoints with a split.", show_default=False)],
    data: Annotated[Path, typer.Option(help="List of clips, or its folder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for splits.md, splits.json and pictures.", show_default=False)],
    clips: Annotated[int, typer.Option(min=2, help="Clips to measure, of each class alike.")] = 210,
    clip: Annotated[str | None, typer.Option(help="Clip of the schematic; by default the first that is not neutral.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of bootstrap and shuffles.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print splits.json.")] = False,
) -> None:
    """Measure what splits do: places, occupancy by class, awareness, content R², stability, agreement with motion.

    Example: workbench splits scripted-tiny-ifdd --data demo/clips --out runs/splits
    """
    from ifdd.checkpoints import load_checkpoint
    from ifdd.device import choose_device
    from ifdd.io import check_folder, claim, filled_folder, write_text
    from workbench.analysis.splits.displays.schematic import SplitSchematicDisplay
    from workbench.analysis.splits.displays.summary import OccupancyDisplay, SplitScoresDisplay, SplitStepsDisplay, markdown
    from workbench.analysis.splits.inspection import require_split
    from workbench.analysis.splits.task import measure_split, split_of_clip
    from workbench.results.passport import Context, command_line

    check_folder(out)
    ctx.with_resource(claim(out))
    place = choose_device(device)
    bundles = [load_checkpoint(name) for name in checkpoints]
    if len({bundle.name for bundle in bundles}) < len(bundles):
        raise InputError(f"a checkpoint is named twice: {', '.join(bundle.name for bundle in bundles)}; name each once")
    for bundle in bundles:
        require_split(bundle.model)  # before minutes are spent on the others
        bundle.model.to(place)
    one = {bundle.name: split_of_clip(bundle, data, clip) for bundle in bundles}
    context = Context.of(command_line(), bundles=bundles).with_data(data, next(iter(one.values())).data_hash)
    found = {bundle.name: measure_split(bundle, data, clips=clips, seed=seed) for bundle in bundles}
    text = json.dumps({name: result.to_dict() for name, result in found.items()}, indent=1, ensure_ascii=False) + "\n"
    source = json.dumps({"analysis": "splits of one clip", "clip": next(iter(one.values())).clip_id,
                         "checkpoints": {bundle.name: bundle.card.sha256 for bundle in bundles}})  # fmt: skip
    schematic = SplitSchematicDisplay.from_result(
        {name: item.split for name, item in one.items()}, {name: item.kind for name, item in one.items()},
        {name: item.grid for name, item in one.items()}, {name: item.frames for name, item in one.items()}, source=source,
    )  # fmt: skip
    pictures = {
        "schematic": schematic,
        "steps": SplitStepsDisplay.from_result(found),
        "occupancy": OccupancyDisplay.from_result(found),
        "scores": SplitScoresDisplay.from_result(found),
    }
    with filled_folder(out, last="splits.json") as work:
        for name, display in pictures.items():
            for suffix in ("png", "svg"):
                display.save(work / f"{name}.{suffix}", context=context)
        write_text(work / "splits.md", markdown(found))
        write_text(work / "splits.json", text)
    typer.echo(text if as_json else f"{markdown(found)}\n{written(out)}")
