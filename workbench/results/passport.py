"""The passport of a saved figure: what it was made from, written into the file itself and read back from it.

A display knows its analyses and how it scales what it draws; whoever saves it tells the command, and which checkpoints and clips
were read (`Context`). PNG, SVG and PDF each have a place for such text; so has a page made by `workbench report`.
"""

import hashlib
import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from ifdd.documents import checked, parse_json
from ifdd.errors import InputError
from ifdd.plain import printable
from ifdd.repository import source_commit
from workbench.results.provenance import DISTRIBUTION, versions_of

if TYPE_CHECKING:
    from ifdd.checkpoints import Bundle
    from workbench.store.collection import Collection

SCHEMA = 1
LIBRARIES = (DISTRIBUTION, "numpy", "matplotlib")


@dataclass(frozen=True)
class Run:
    """A checkpoint: its name, the sha256 of its weights, the digest of its configuration ("" where that is not known)."""

    name: str
    sha256: str
    config: str = ""


@dataclass(frozen=True)
class Data:
    """Clips: the manifest, and the hash of what it lists."""

    manifest: str
    hash: str


@dataclass(frozen=True)
class Passport:
    """What one file was made from.

    `normalisation`: how numbers were scaled before they were drawn; `analyses`: by name, the function and its parameters;
    `inputs`: digests of the arrays that they read; `commit`: of this repository, None for an installed copy.
    """

    runs: tuple[Run, ...]
    data: tuple[Data, ...]
    normalisation: str
    command: str
    analyses: Mapping[str, Mapping[str, Any]]
    inputs: Mapping[str, str]
    versions: Mapping[str, str]
    commit: str | None = None

    def within(self, context: "Context") -> "Passport":
        """The same passport of a file that was saved in another context."""
        return replace(self, runs=context.runs, data=context.data, command=context.command)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, ready for JSON."""
        plain = asdict(self)
        return {"passport": SCHEMA, **plain, "runs": list(plain["runs"]), "data": list(plain["data"])}

    def to_json(self) -> str:
        """One line of ASCII with sorted keys: every file format can hold it."""
        return json.dumps(self.to_dict(), sort_keys=True)

    def lines(self) -> list[str]:
        """The passport for people, a fact a line."""
        told = [f"run: {r.name}, weights sha256 {r.sha256}, config {r.config or 'not known'}" for r in self.runs]
        told += [f"data: {d.manifest}, hash {d.hash}" for d in self.data]
        told += [f"normalisation: {self.normalisation}"]
        told += [f"command: {self.command}"] if self.command else ["command: none, saved by a Python call"]
        for name, about in self.analyses.items():
            rest = {key: value for key, value in about.items() if key != "analysis" and value}
            told.append(f"analysis: {name}, {about.get('analysis', '')} {json.dumps(rest, sort_keys=True, ensure_ascii=False)}")
        told += [f"input: {name} {digest}" for name, digest in self.inputs.items()]
        told += [f"commit: {self.commit}"] if self.commit else []
        return [*told, f"versions: {', '.join(f'{name} {number}' for name, number in self.versions.items())}"]

    @classmethod
    def from_json(cls, text: str, source: str = "passport") -> "Passport":
        """Read what `to_json` wrote. Raises: InputError for anything else."""
        found = parse_json(text, source)
        if not isinstance(found, dict) or found.get("passport") != SCHEMA:
            raise InputError(f"{source}: no passport of schema {SCHEMA}; save the figure again")
        return checked(TypeAdapter(cls), found, source, "save the figure again")


@dataclass(frozen=True)
class Context:
    """Who saves, and what was read for it: the command (none for a Python call), the checkpoints, the clips.

    It is passed along to whatever writes files. The methods return a new one; what is given twice is told once.
    """

    command: str = ""
    runs: tuple[Run, ...] = ()
    data: tuple[Data, ...] = ()

    @classmethod
    def of(cls, command: str = "", *, bundles: Iterable["Bundle"] = (), collections: Iterable["Collection"] = ()) -> "Context":
        """That of a command, or of a program, which read these checkpoints and collections."""
        made = cls(command)
        for bundle in bundles:
            made = made.with_run(bundle.name, bundle.card.sha256, config_hash(bundle.card))
        for collection in collections:
            run, clips = collection.meta["checkpoint"], collection.meta["data"]
            name = f"{run['name']} ({collection.origin})" if "imported" in collection.meta else run["name"]
            made = made.with_run(name, run["sha256"]).with_data(clips["manifest"], clips["hash"])
        return made

    def with_run(self, name: str, sha256: str, config: str = "") -> "Context":
        """One checkpoint more; a configuration that is known stays known."""
        runs = {(run.name, run.sha256): run for run in self.runs}
        if config or (name, sha256) not in runs:
            runs[name, sha256] = Run(name, sha256, config)
        return replace(self, runs=tuple(runs.values()))

    def with_data(self, source: str | Path, data_hash: str) -> "Context":
        """More clips: a manifest and the hash of what it lists, or one video and its own hash."""
        data = {item.hash: item for item in self.data} | {data_hash: Data(_shared_name(source), data_hash)}
        return replace(self, data=tuple(data.values()))


PYTHON_CALL = Context()
"""Of what is saved without a command."""


def command_line() -> str:
    """The words that the command `workbench` was called with."""
    return printable(shlex.join(["workbench", *sys.argv[1:]]))


def _shared_name(path: str | Path) -> str:
    """What a figure that leaves the computer may tell of a path: the last folder and the file, not whose computer it was."""
    parts = Path(path).parts
    return str(Path(*parts[-2:])) if Path(path).is_absolute() and len(parts) > 2 else str(path)


def config_hash(card: Any) -> str:
    """First 16 hex digits of the sha256 over model, preprocessing, labels and recipe of a checkpoint's card."""
    config = {
        "model": card.model.model_dump(mode="json"),
        "preprocessing": card.preprocessing,
        "labels": list(card.labels),
        "recipe": card.training.get("recipe", {}),
    }
    return hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode()).hexdigest()[:16]


def issue(provenance: str = "", normalisation: str = "none", context: Context = PYTHON_CALL) -> Passport:
    """The passport of a file that is being written; `provenance` as `Display.provenance` gives it, a record a line."""
    analyses: dict[str, dict[str, Any]] = {}
    inputs: dict[str, str] = {}
    versions = versions_of(LIBRARIES)
    for line in filter(None, provenance.splitlines()):
        name, brace, rest = line.partition("{")
        about = json.loads(brace + rest)
        key = _unused(name.rstrip(": ") or str(about.get("analysis", "result")), analyses)
        versions |= about.pop("versions", {})
        inputs |= {f"{key}: {name}": value for name, value in about.pop("inputs", {}).items()}
        analyses[key] = about
    return Passport(context.runs, context.data, normalisation, context.command, analyses, inputs, versions, source_commit())


def _unused(name: str, taken: Mapping[str, object]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found
