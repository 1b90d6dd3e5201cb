"""What `ifdd data` does with corpora: index them, say what their lists hold, make folds; loaded when it runs."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from ifdd.cli.options import say_json
from ifdd.data.corpora import CORPORA, Indexed, Options, clashes, read_families, report_file, write_indexed
from ifdd.data.corpora.finding import look_below
from ifdd.data.corpora.folders import index_folders
from ifdd.data.corpora.lists import index_lists
from ifdd.data.corpora.report import KINDS
from ifdd.data.corpora.splitting import fold_counts, parse_parts, split_folds, split_parts
from ifdd.data.manifest import FILE_NAME, read_manifest
from ifdd.data.manifest.table import TEXT_FILES
from ifdd.errors import InputError
from ifdd.labels import parse_labels, parse_map
from ifdd.plain import terminal_text

ELSEWHERE = {"folders": ("lists", "frames", "order", "columns", "min_frames", "holes", "deep"), "csv": ("frames",)}
"""Options that have no meaning for a corpus; `columns` and `labels` have one for these alone."""


def index_named(
    corpus: str, folder: Path, out: Path | None, *, as_json: bool, strict: bool, names: str | None, crop: str | None, **given: Any
) -> None:
    """Index a corpus, write manifest and report, and say what was found.

    Raises: InputError as `index_corpus`; options that the corpus does not have; a manifest that is there.
    """
    for option in (*ELSEWHERE.get(corpus, ("columns", "labels")), "unlabelled"):
        if given[option]:
            raise InputError(f"--{option.replace('_', '-')}: --corpus {corpus} has no such option; leave it out")
    if given["on_error"] != "stop":
        raise InputError(
            "--on-error: with --corpus clips that cannot be read are listed in the report; --strict makes them an error"
        )
    if folder.is_file() and out is None:
        raise InputError(f"{folder} is a list; name the manifest to write with --out")
    target = out or folder / FILE_NAME
    check_target(target)
    options = Options(
        lists=given["lists"],
        frames=given["frames"],
        order=given["order"],
        names=parse_map(names),
        crop=crop,
        min_frames=given["min_frames"] or 1,
        holes=given["holes"] or "skip",
        deep=given["deep"],
        strict=strict,
    )
    labels = parse_labels(given["labels"]) if given["labels"] is not None else None
    if corpus == "folders":
        indexed = index_folders(folder, options, labels=labels)
    elif corpus == "csv":
        indexed = index_lists(folder, options, labels=labels, columns=parse_columns(given["columns"]))
    else:
        indexed = CORPORA[corpus].index(folder, **vars(options))
    file = write_indexed(indexed, target)
    for note in indexed.notes:
        typer.echo(f"note: {terminal_text(note)}", err=True)
    if as_json:
        rows = {kind: entry["count"] for kind, entry in indexed.report["rows"].items()}
        keys = ("official", "folds", "counts", "notes")
        say_json(
            {"manifest": str(file), "report": str(report_file(file)), "clips": len(indexed.frame), "rows": rows}
            | {key: indexed.report[key] for key in keys}
        )
        return
    _show(indexed, file)


def _show(indexed: Indexed, file: Path) -> None:
    report = indexed.report
    kinds = " and ".join(report["clips"]["kinds"])
    folder = terminal_text(report["clips"]["folder"])
    typer.echo(f"{file}: {len(indexed.frame):,} clips of {report['title']} from {folder} ({kinds})")
    typer.echo("  " + ", ".join(f"{name} {count:,}" for name, count in report["counts"]["classes"].items()))
    for fold, counts in report["folds"].items():
        here, listed = counts["manifest"], counts["lists"]
        name = f"fold {fold}" if fold != "0" else "split"
        gone = "" if here == listed else f" of {listed['train']:,} and {listed['test']:,} in the lists"
        ours = {True: "; official counts", False: "; not the official counts", None: ""}[counts.get("lists_are_official")]
        typer.echo(f"  {name}: {here['train']:,} train, {here['test']:,} test{gone}{ours}")
    told = ", ".join(f"{entry['count']:,} {kind}" for kind, entry in report["rows"].items() if entry["count"])
    typer.echo(f"{report_file(file)}: {told or 'nothing to report'}")


def parse_columns(text: str | None) -> dict[str, str] | None:
    """What `--columns path=video_name,label=emotion` says: column of the manifest → column of the lists.

    Raises: InputError for anything else.
    """
    if text is None:
        return None
    found: dict[str, str] = {}
    for piece in text.split(","):
        name, equals, column = (" ".join(word.split()) for word in piece.partition("="))
        if not equals or not name or not column or name in found:
            raise InputError(
                f"--columns {text}: write each NAME=COLUMN once, with commas between, e.g. path=video_name,label=emotion"
            )
        found[name] = column
    return found


def check_target(target: Path) -> None:
    """Refuse a manifest that is there, or is not to be parquet.

    Raises: InputError.
    """
    file = target if target.suffix == ".parquet" else target / FILE_NAME
    if target.suffix.lower() in TEXT_FILES:
        raise InputError(f"{target}: manifests are written as parquet; name it --out {target.with_suffix('.parquet')}")
    if file.exists():
        raise InputError(f"{file} exists; choose another --out or remove it")


def show_lists(folder: Path, corpus: str, order: str | None, as_json: bool) -> None:
    """Say what the lists of a corpus hold, and how those of several makers differ.

    Raises: InputError for no lists of it, or as `read_families`.
    """
    facts = CORPORA[corpus]
    families, trouble = read_families(facts, folder, look_below(folder, facts.key_of).lists, order=order)
    if not families:
        raise trouble[0] if trouble else InputError(f"{folder}: no lists of {facts.title} there; looked for {facts.looked_for}")
    found = clashes(families)
    values = {
        "corpus": corpus,
        "official": {fold: {"train": counts.n_train, "test": counts.n_test} for fold, counts in facts.counts.items()},
        "lists": [
            {
                "name": family.name,
                "files": list(family.files),
                "layout": family.layout,
                "clips": len(family.label),
                "order": family.order,
                "first_number": family.first if family.order else None,
                "source": family.source,
                "official": family.official,
                "folds": {fold: asdict(counts) for fold, counts in family.counts.items()},
                "notes": list(family.notes),
            }
            for family in families
        ],
        "differences": [asdict(clash) for clash in found],
        "unread": [str(error) for error in trouble],
    }
    if as_json:
        say_json(values)
        return
    for family in families:
        order_told = f"numbers from {family.first} in the order {family.order}, by {family.source}" if family.order else "names"
        typer.echo(terminal_text(f"{family.name}: {len(family.label):,} clips; labels are {order_told}"))
        for fold, counts in family.counts.items():
            name = f"fold {fold}" if fold else "split"
            typer.echo(f"  {name}: {counts.n_train:,} train, {counts.n_test:,} test")
        if facts.counts:
            typer.echo(f"  {'official counts, class by class' if family.official else 'not the official counts'}")
        for note in family.notes:
            typer.echo(f"  {terminal_text(note)}")
    for clash in found:
        numbers = (
            f"{clash.numbers_differ:,} of {clash.clips:,} numbers differ ({clash.order_of_one} and {clash.order_of_other}), "
        )
        names = f"{clash.names_differ:,} of {clash.clips:,} classes by name differ"
        typer.echo(terminal_text(f"{clash.one} and {clash.other}: {numbers if clash.numbers_differ else ''}{names}"))
    for error in trouble:
        typer.echo(f"warning: {terminal_text(error)}", err=True)


def split_manifest(manifest: Path, out: Path, folds: int | None, parts: str | None, by: str, seed: int, as_json: bool) -> None:
    """Make folds or parts of a manifest, write it anew with a report, and say what is in them.

    Raises: InputError as `split_folds` and `split_parts`; both of them, or none, asked for; a manifest that is there.
    """
    if (folds is None) == (parts is None):
        raise InputError(
            "give --folds N for a cross-validation, or --parts train=0.8,val=0.1,test=0.1 for named parts: one of the two"
        )
    check_target(out)
    frame = read_manifest(manifest)
    split = split_folds(frame, folds, by, seed) if folds is not None else split_parts(frame, parse_parts(parts or ""), by, seed)
    labels = list(dict.fromkeys(split.frame.sort_values("label")["label_name"]))
    counts = fold_counts(split.frame, labels)
    kind = "folds" if folds is not None else "parts"
    report = {
        "corpus": "",
        "title": f"{kind} made of {manifest.name}",
        "official": False,
        "made": {"of": str(manifest.resolve()), "by": by, "seed": seed, kind: folds if folds is not None else parts},
        "made_counts": counts,
        "rows": {name: {"count": 0, "meaning": meaning, "clips": []} for name, meaning in KINDS.items()},
        "notes": list(split.notes),
    }
    file = write_indexed(Indexed(split.frame, report), out)
    for note in split.notes:
        typer.echo(f"note: {terminal_text(note)}", err=True)
    if as_json:
        say_json({"manifest": str(file), "report": str(report_file(file)), "clips": len(frame), "official": False, kind: counts})
        return
    typer.echo(f"{file}: {len(frame):,} clips in {kind} of our own, by {by}, seed {seed}")
    for name, classes in counts.items():
        told = ", ".join(f"{label} {n:,}" for label, n in classes.items() if label != "clips")
        typer.echo(f"  {name}: {classes['clips']:,} clips{f' ({told})' if told else ''}")
