"""The command `ifdd data`: synthetic clips with their truth, manifests of folders and corpora, and folds."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.cli.doctor import compare_labels, doctor
from ifdd.cli.options import Json, OnErrorOption, say_json
from ifdd.errors import InputError
from ifdd.plain import terminal_text

data_app = typer.Typer(no_args_is_help=True, help="Make, index and examine data.")
data_app.command()(doctor)
data_app.command()(compare_labels)


@data_app.command()
def render(
    out: Annotated[Path, typer.Option(help="New folder for frames, truth and clips.parquet.")],
    split: Annotated[
        str, typer.Option("--split", "--suite", help="train, val or test; identities of the three never overlap.")
    ] = "test",
    suite_name: Annotated[
        str | None, typer.Option(help="A suite for benchmarks, e.g. noisy-50, instead of --difficulty.")
    ] = None,
    clips: Annotated[int, typer.Option(min=1, help="How many clips; classes in turn.")] = 70,
    identities: Annotated[int, typer.Option(min=1, help="How many persons.")] = 140,
    difficulty: Annotated[str | None, typer.Option(help="easy (default), standard or hard.")] = None,
    name: Annotated[str | None, typer.Option(help="Goes into the clip ids; default: the suite's name, or scripted.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Another seed gives other persons and clips.")] = 1,
    size: Annotated[int, typer.Option(min=32, help="Height and width in pixels.")] = 112,
    frames: Annotated[int, typer.Option(min=2, help="Frames of a clip, 16 a second.")] = 32,
    face: Annotated[str, typer.Option(help="built-in, or the path of a face model.")] = "built-in",
    rho: Annotated[
        float | None,
        typer.Option(
            min=-1,
            max=1,
            help="Adds a scene around every clip (scenes/), whose polarity goes with the emotion's by this correlation.",
            show_default=False,
        ),
    ] = None,
    scene_face: Annotated[
        Literal["kept", "blurred", "masked"], typer.Option(help="With --rho: what is seen of the face in the scene.")
    ] = "kept",
    full_truth: Annotated[
        bool | None, typer.Option(help="Region maps and nuisance masks, too; by default for suites with a name.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    as_json: Json = False,
) -> None:
    """Render clips of scripted faces with their truth; by default the first clips of the recipes' test set.

    The same command goes on with a render that was interrupted.

    Example: ifdd data render --suite-name noisy-50 --split test --clips 70 --out data/noisy-50-test
    """
    from ifdd.scripted import SUITES, SuiteConfig, class_note, render_suite

    if suite_name is not None:
        if difficulty is not None:
            raise InputError(
                f"--difficulty {difficulty}: the suite {suite_name} says how hard its clips are; give one of the two"
            )
        if suite_name not in SUITES:
            raise InputError(f"--suite-name {suite_name}: is not one of {', '.join(SUITES)}")
    config = SuiteConfig(
        name=name or suite_name or "scripted",
        seed=seed,
        clips=clips,
        identities=identities,
        split=split,
        difficulty=suite_name or difficulty or "easy",
        rho=rho,
    )
    if rho is None and scene_face != "kept":
        raise InputError(f"--scene-face {scene_face}: there is no scene; add one with --rho, or leave it out")
    if note := class_note(config.difficulty, split):
        typer.echo(f"note: {note}", err=True)
    full = suite_name is not None if full_truth is None else full_truth
    try:
        manifest = render_suite(
            config, out, frames=frames, size=size, workers=workers, full=full, face=face, scene_face=scene_face
        )
    except KeyboardInterrupt:
        typer.echo("interrupted: what was rendered is kept; the same command goes on from there", err=True)
        raise typer.Exit(130) from None
    if as_json:
        say_json({"manifest": str(manifest), "clips": clips, "suite": config.difficulty, "split": split})
    else:
        typer.echo(manifest)


@data_app.command()
def index(
    folder: Annotated[
        Path, typer.Argument(help="Folder with one sub-folder for each class; or a list: CSV, TSV, parquet; or a corpus's root.")
    ],
    out: Annotated[Path | None, typer.Option(help="Manifest to write; default FOLDER/clips.parquet.")] = None,
    corpus: Annotated[
        Literal["dfew", "ferv39k", "mafw", "crema-d", "ravdess", "folders", "csv"] | None,
        typer.Option(
            help="Read FOLDER as this corpus, by its own lists and folds, and write NAME.report.json beside the manifest."
        ),
    ] = None,
    lists: Annotated[
        Path | None, typer.Option(help="With --corpus: folder of lists, or one list, in place of those below FOLDER.")
    ] = None,
    frames: Annotated[
        str | None, typer.Option(help="With --corpus: folder of clips, where there are several, e.g. clip_224x224_16f.")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(help="With --corpus: what numbers in its lists mean, e.g. mafw-paper; dfew:1 where they begin at 1."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(help="With --corpus csv: columns of its tables, e.g. path=video_name,label=emotion,subject=actor."),
    ] = None,
    min_frames: Annotated[
        int | None, typer.Option(min=1, help="With --corpus: leave out clips of fewer frames; default: none.")
    ] = None,
    holes: Annotated[
        Literal["skip", "keep"] | None,
        typer.Option(help="With --corpus: clips whose frames' numbers have holes: skip (default) or keep."),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="With --corpus: check every picture of every clip; minutes instead of seconds.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --corpus: a clip that is missing or damaged is an error; nothing is written.")
    ] = False,
    labels: Annotated[str | None, typer.Option(help="Class names in order, with commas; default: seven emotions.")] = None,
    names: Annotated[
        str | None,
        typer.Option("--map", help="What other names mean, e.g. ANG=angry,DIS=disgust; NAME= leaves a class out."),
    ] = None,
    crop: Annotated[
        Literal["face", "center", "none"] | None, typer.Option(help="Default: face for videos, none for folders of frames.")
    ] = None,
    unlabelled: Annotated[
        bool,
        typer.Option("--unlabelled", help="The clips have no labels: a folder is searched at any depth, a list's are left out."),
    ] = False,
    on_error: OnErrorOption = "stop",
    as_json: Json = False,
) -> None:
    """Write the manifest of a folder, FOLDER/<class>/<video or folder of frames>, of a list of clips, or of a corpus.

    Folders are matched to classes whatever their case, spaces, "_" and "-"; and as common synonyms (anger, happiness): each is
    told. A list needs the columns path and label (a name; or a number from 0, with --labels in that order); with --unlabelled
    path alone. What else it may tell: clip_id, kind (video, frames), n_frames, fps, width, height, label_name, fold, subject
    (the person), crop (face, center, none), truth, votes_<class>, and any factor. What it does not tell is probed.

    A corpus (--corpus) is found whatever its folders are called, and compared with its lists: official folds, classes by name,
    frames counted on disk. What is missing, damaged, or on disk alone is listed in NAME.report.json. --corpus csv takes any lists
    of paths and labels, whatever their layout, and matches paths by their last parts to what lies below FOLDER.

    Example: ifdd data index corpora/mine --map ANG=angry,DIS=disgust --on-error skip

    Example: ifdd data index corpora/DFEW --corpus dfew --frames clip_224x224_16f --out data/dfew.parquet
    """
    from ifdd.data.manifest import FILE_NAME, index_folder, index_list, index_unlabelled, write_manifest
    from ifdd.data.manifest.table import FILES, TEXT_FILES
    from ifdd.labels import EMOTIONS, parse_labels, parse_map

    if corpus is not None:
        from ifdd.cli.corpora import index_named

        return index_named(
            corpus,
            folder,
            out,
            lists=lists,
            frames=frames,
            order=order,
            columns=columns,
            min_frames=min_frames,
            holes=holes,
            deep=deep,
            strict=strict,
            labels=labels,
            names=names,
            crop=crop,
            unlabelled=unlabelled,
            on_error=on_error,
            as_json=as_json,
        )
    for option, value in {
        "--lists": lists,
        "--frames": frames,
        "--order": order,
        "--columns": columns,
        "--min-frames": min_frames,
        "--holes": holes,
        "--deep": deep or None,
        "--strict": strict or None,
    }.items():
        if value is not None:
            raise InputError(f"{option}: goes with --corpus; say which one, or leave {option} out")
    if unlabelled and (labels is not None or names is not None):
        raise InputError("--unlabelled: clips without labels have no classes; leave out --labels and --map, or --unlabelled")
    is_list = folder.is_file()
    if is_list and out is None:
        raise InputError(f"{folder} is a list; name the manifest to write with --out")
    root = folder.parent if is_list else folder
    target = out or folder / FILE_NAME
    if target.exists():
        raise InputError(f"{target} exists; choose another --out or remove it")
    if target.suffix.lower() in TEXT_FILES:
        raise InputError(f"{target}: manifests are written as parquet; name it --out {target.with_suffix('.parquet')}")
    known, meant = parse_labels(labels) if labels is not None else None, parse_map(names)
    if is_list:
        frame = index_list(folder, known, crop, names=meant, on_error=on_error, unlabelled=unlabelled)
    elif unlabelled:
        frame = index_unlabelled(folder, crop, on_error=on_error)
    else:
        frame = index_folder(folder, known or EMOTIONS, crop, names=meant, on_error=on_error)
    notes = frame.attrs["notes"]
    for note in notes:
        typer.echo(f"warning: {terminal_text(note)}", err=True)
    base = (target if target.suffix != ".parquet" else target.parent).resolve()
    for column in ("path", *(name for name in FILES if name in frame)):
        frame[column] = frame[column].map(lambda path: _moved(path, root.resolve(), base))
    write_manifest(frame, target)
    if as_json:
        say_json({"manifest": str(target), "clips": len(frame), "notes": list(notes)})
    else:
        typer.echo(f"{target}: {len(frame)} clips{' without labels' if unlabelled else ''}")


@data_app.command()
def split(
    manifest: Annotated[Path, typer.Argument(help="The list of clips: a manifest, or the folder of one.")],
    out: Annotated[Path, typer.Option(help="New manifest to write.")],
    folds: Annotated[int | None, typer.Option(min=2, help="How many folds of a cross-validation.")] = None,
    parts: Annotated[str | None, typer.Option(help="Named parts instead of folds, e.g. train=0.8,val=0.1,test=0.1.")] = None,
    by: Annotated[str, typer.Option(help="Column whose values stay together: the person, or e.g. source.")] = "subject",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Another seed gives other folds.")] = 0,
    as_json: Json = False,
) -> None:
    """Make folds, or named parts, of a list of clips: stratified by class, no person in two of them.

    They are one's own, never a corpus's official ones: NAME.report.json says so. The same list and seed give the same folds.

    Example: ifdd data split data/crema-d.parquet --folds 5 --by subject --seed 0 --out data/crema-d-5.parquet
    """
    from ifdd.cli.corpora import split_manifest

    split_manifest(manifest, out, folds, parts, by, seed, as_json)


@data_app.command()
def lists(
    folder: Annotated[Path, typer.Argument(help="Folder of lists, of one maker or of several.")],
    corpus: Annotated[Literal["dfew", "ferv39k", "mafw", "crema-d", "ravdess"], typer.Option(help="Whose lists they are.")],
    order: Annotated[str | None, typer.Option(help="What numbers in them mean, where nothing else tells.")] = None,
    as_json: Json = False,
) -> None:
    """Say what the lists of a corpus hold, without its clips: folds, counts against the official ones, and the order of classes.

    Lists of several makers are compared clip by clip, by number and by name.

    Example: ifdd data lists downloads/label-lists --corpus ferv39k
    """
    from ifdd.cli.corpora import show_lists

    show_lists(folder, corpus, order, as_json)


def _moved(path: object, root: Path, base: Path) -> object:
    """A path relative to `root` as one relative to `base`; absolute ones, and empty cells, stay."""
    if not isinstance(path, str) or Path(path).is_absolute():
        return path
    return Path(os.path.relpath(root / path, base)).as_posix()
