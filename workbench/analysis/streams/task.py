"""From checkpoints and a manifest to what each input does, and the files that `workbench streams` writes.

<out>/  streams.json   streams.md   clips.csv   streams.png
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import data_hash, of_each_class, read_manifest, with_ids
from ifdd.data.row_clips import check_scenes
from ifdd.documents import read_json
from ifdd.errors import InputError
from ifdd.inputs import stack
from ifdd.io import new_folder, write_text
from ifdd.progress import tqdm
from ifdd.tables import csv_text
from workbench.analysis import CLIPS, DONORS
from workbench.analysis.streams.displays import StreamsDisplay, markdown
from workbench.analysis.streams.results import StreamsResult
from workbench.analysis.streams.shares import stream_shares
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collecting import load_row
from workbench.store.tables import persons

REPORT = "streams.json"


@dataclass(frozen=True)
class Options:
    """Which clips: `clip_ids`, None for `clips` of them, those of each class alike; `donors` of each; `seed` draws them."""

    clip_ids: Sequence[str] | None = None
    clips: int = CLIPS
    donors: int = DONORS
    batch: int = 8
    seed: int = 0


DEFAULT = Options()


def run(bundles: Sequence[Bundle], manifest: str | Path, options: Options = DEFAULT) -> dict[str, StreamsResult]:
    """What each input does to the answers of every checkpoint that reads two, on the same clips.

    Raises: InputError for unknown clips, clips without a scene where one is read, and as `of_two_inputs` and `stream_shares`.
    """
    bundles = of_two_inputs(bundles)
    listed = read_manifest(manifest)
    table = of_each_class(listed, options.clips) if options.clip_ids is None else with_ids(listed, options.clip_ids)
    found = {}
    for bundle in bundles:
        check_scenes(listed, manifest, bundle.inputs)
        rows = tqdm(table.to_dict("records"), desc=f"read {bundle.name}", unit="clip", disable=None, leave=False)
        clips = stack([load_row(table, row, bundle) for row in rows])
        with tqdm(total=len(table) * (1 + 2 * options.donors), desc="exchange", unit="clip", disable=None, leave=False) as bar:
            result = stream_shares(
                bundle.model,
                clips,
                bundle.labels,
                list(table["clip_id"]),
                groups=persons(table),
                donors=options.donors,
                seed=options.seed,
                batch=options.batch,
                progress=bar.update,
            )
        source = result.provenance.with_source(checkpoint=bundle.card.sha256, name=bundle.name)
        found[bundle.name] = replace(result, checkpoint=bundle.name, provenance=source, data_hash=data_hash(listed))
    return found


def of_two_inputs(bundles: Sequence[Bundle]) -> list[Bundle]:
    """Those that can be asked, before clips are read. Raises: InputError where none is left, or for two of one name."""
    able = [bundle for bundle in bundles if len(bundle.model.inputs) == 2]
    if not able:
        reads = ", ".join(f"{bundle.name} reads {', '.join(bundle.model.inputs)} alone" for bundle in bundles)
        raise InputError(f"{reads}; streams are of models with two inputs, e.g. face and scene")
    for i, bundle in enumerate(able):
        if bundle.name in [other.name for other in able[:i]]:
            raise InputError(f"two checkpoints are called {bundle.name!r}; leave one out")
    return able


def left_out(names: Iterable[str], able: Iterable[str]) -> str:
    """A line about models that cannot be asked; "" where all can.

    >>> left_out(["one", "two"], ["two"])
    'Left out: one. With one input there is nothing to exchange.'
    """
    others = [name for name in names if name not in set(able)]
    return f"Left out: {', '.join(others)}. With one input there is nothing to exchange." if others else ""


def write(results: Mapping[str, StreamsResult], out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the new folder `out`, all of it or nothing; returns its files.

    Raises: InputError if `out` exists.
    """
    with new_folder(out) as folder:
        write_text(folder / REPORT, report_text(results))
        write_text(folder / "streams.md", markdown(results))
        tables = [
            pd.DataFrame(
                {"model": name, "clip_id": result.clip_ids, "predicted": result.predicted}
                | {f"share of {shown}": result.shares[:, i] for i, shown in enumerate(result.inputs)}
                | {"together": result.together}
            )
            for name, result in results.items()
        ]
        write_text(folder / "clips.csv", csv_text(pd.concat(tables)))
        StreamsDisplay.from_result(results).save(folder / "streams.png", context=context)
    return sorted(out.iterdir())


def report_text(results: Mapping[str, StreamsResult]) -> str:
    """The text of streams.json: all numbers by model, with captions."""
    plain = {name: {"caption": result.caption} | result.to_dict() for name, result in results.items()}
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def read_report(file: Path) -> dict[str, StreamsResult]:
    """What streams.json holds. Raises: InputError for a file that is missing, damaged or of another version."""
    again = "make it again with workbench streams"
    try:
        values = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file} is missing; {again}") from None
    if not isinstance(values, dict) or not all(isinstance(one, dict) for one in values.values()):
        raise InputError(f"{file} is no file of workbench streams; {again}")
    return {
        name: StreamsResult.from_dict({k: v for k, v in one.items() if k != "caption"}, f"{file}, {name}", again)
        for name, one in values.items()
    }
