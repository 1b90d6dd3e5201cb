"""What a user works in: a folder of datasets, checkpoints, collections and results. The demo is one among others."""

import difflib
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from ifdd.card import Card
from ifdd.checkpoint_files import list_checkpoints, read_card
from ifdd.data.manifest import FILE_NAME
from ifdd.data.manifest.table import TEXT_FILES
from ifdd.data.scenes import scenes_of
from ifdd.documents import OPEN, checked, read_json, shown, user_path
from ifdd.errors import InputError
from ifdd.io import check_new, is_claimed, new_folder, write_json
from workbench.store.dataset import Dataset
from workbench.store.layout import (
    CHECKPOINT,
    CHECKPOINTS,
    COLLECTIONS,
    DATASETS,
    DEMO_DIFFICULTY,
    FILE,
    RESULTS,
    SCHEMA,
    demo_folder,
    is_marked,
    written_below,
)


class _Mark(TypedDict):
    """workspace.json."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    schema_version: Literal[1]


_MARK: TypeAdapter[Any] = TypeAdapter(_Mark)
_PARTS = (DATASETS, CHECKPOINTS, COLLECTIONS, RESULTS)
_MANIFESTS = (FILE_NAME, *(f"clips{suffix}" for suffix in TEXT_FILES))


@dataclass(frozen=True)
class Workspace:
    """What a user works in: a folder with datasets, checkpoints, what these said of those, and results.

    <folder>/  workspace.json  datasets/NAME  checkpoints/NAME  collections/<dataset>/<checkpoint>/  results/

    A dataset is a folder with a manifest, or a link to a folder or to a manifest; relative paths of clips count from where the
    manifest really lies. A checkpoint may be a link to one, or to the folder of a run.
    """

    folder: Path

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets, also of those that lead nowhere."""
        return tuple(sorted(place.name for place in _entries(self.folder / DATASETS)))

    def dataset(self, name: str) -> Dataset:
        """A dataset by name. Raises: InputError for an unknown one, or one without a manifest."""
        if name not in self.datasets:
            known = ", ".join(self.datasets) or "none"
            raise InputError(
                f"{self.folder} has no dataset {shown(name)}{near(name, self.datasets)}, it has: {known}; name one of them"
            )
        place = self.folder / DATASETS / name
        if not place.exists():
            raise InputError(
                f"the dataset {name} of {self.folder} leads to {place.readlink()}, which is not there; {_mend(place)}"
            )
        found = _manifest_of(place, f"the dataset {name} of {self.folder}", _mend(place))
        return Dataset(name, found, self.folder / COLLECTIONS / name)

    def checkpoints(self) -> dict[str, Path]:
        """Checkpoints that are offered, name → folder: the workspace's own, where it has none those known by name.

        With $IFDD_CHECKPOINTS, of those known by name only the ones in that folder.
        """
        own = [place for place in _entries(self.folder / CHECKPOINTS) if place.is_symlink() or place.is_dir()]
        if own:
            return {place.name: checkpoint_in(place) for place in sorted(own)}
        given = os.environ.get("IFDD_CHECKPOINTS")
        known = list_checkpoints().items()
        return {name: folder for name, folder in known if not given or folder.parent == user_path(given)}

    def beside_checkpoints(self, name: str) -> Path | None:
        """What a command measured of the checkpoints that are offered, kept beside them; None where there is no such file."""
        return next(iter(self._beside_checkpoints(name)), None)

    def measured(self, name: str) -> list[Path]:
        """All files of this name that a command wrote: into the results, the newest first, then beside the checkpoints."""
        return [*written_below([self.results], name), *self._beside_checkpoints(name)]

    def _beside_checkpoints(self, name: str) -> list[Path]:
        folders = dict.fromkeys((self.folder / CHECKPOINTS, *(folder.parent for folder in self.checkpoints().values())))
        return [folder / name for folder in folders if (folder / name).is_file()]

    def checkpoint(self, name: str) -> Path:
        """Folder of a checkpoint by name. Raises: InputError for one that is unknown, or a link that leads nowhere."""
        found = self.checkpoints()
        if name not in found:
            known = ", ".join(found) or "none"
            raise InputError(
                f"checkpoint {shown(name)} is not in {self.folder}{near(name, found)}, which offers: {known}; name one of them"
            )
        if not found[name].exists():
            raise InputError(f"the checkpoint {name} of {self.folder} leads nowhere; {_mend(found[name])}")
        return found[name]

    def collection_folder(self, dataset: str, checkpoint: str) -> Path:
        """Where what a checkpoint said of a dataset lies."""
        return self.folder / COLLECTIONS / dataset / checkpoint

    @property
    def results(self) -> Path:
        """Where results go."""
        return self.folder / RESULTS

    def new_results(self, command: str) -> Path:
        """The first folder `<command>-<n>` of the results that is not there, and that nobody is writing.

        Raises: InputError where the place of results is a file, or a link that leads nowhere.
        """
        if os.path.lexists(self.results) and not self.results.is_dir():
            raise InputError(f"{self.results} is no folder, which results go into; move it away, or give --out")
        places = (self.results / f"{command}-{n}" for n in count(1))
        return next(place for place in places if not (place.exists() or is_claimed(place)))


def open_workspace(folder: str | Path) -> Workspace:
    """A folder as a workspace.

    Raises: InputError if it is none, with the command that makes one, or of another schema.
    """
    place = user_path(folder)
    file = place / FILE
    try:
        values = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        if is_marked(place):
            raise InputError(f"{file} leads to {file.readlink()}, which is not there; {_again(place)}") from None
        made = "stop the app and run make app, which makes the demo" if place == demo_folder() else _init(place)
        what = (
            f"half a workspace: it has {', '.join(_parts_in(place))}, but {FILE}" if _parts_in(place) else f"no workspace: {FILE}"
        )
        raise InputError(f"{place} is {what} is missing; {made}") from None
    except InputError as error:
        if isinstance(error.__cause__, OSError):  # of the disk or its rights, which another file would not mend
            raise
        raise InputError(f"{str(error).partition('; ')[0]}; {_again(place)}") from None
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version != SCHEMA:
        raise InputError(f"{file} has schema version {shown(version)}, this version reads {SCHEMA}; {_again(place)}")
    checked(_MARK, values, str(file), _again(place))
    return Workspace(place)


def find_workspace(given: Path | None = None) -> Workspace:
    """The workspace `given`, else the current folder if it is one, else the demo. Raises: InputError as `open_workspace`."""
    if given is not None:
        return open_workspace(given)
    return open_workspace(Path.cwd() if is_marked(Path.cwd()) else demo_folder())


def init_workspace(folder: Path, datasets: Mapping[str, Path] | None = None, checkpoints: Sequence[Path] = ()) -> Workspace:
    """Make a workspace with links to datasets (folders or manifests) and checkpoints (or runs), whole or not at all.

    A folder that is empty, or holds parts of a workspace alone, becomes one and keeps them.
    Raises: InputError if the folder exists and is anything else, a name is none or taken, or a link would lead nowhere.
    """
    is_half = _is_half(folder)
    if is_marked(folder):
        raise InputError(
            f"{folder} is a workspace already; add to it with ln -s /PATH/OF/FOLDER {folder / DATASETS}/NAME, or for a "
            f"checkpoint {folder / CHECKPOINTS}/NAME"
        )
    if not is_half:
        check_new(folder)
    links = {f"{DATASETS}/{checked_name(name)}": user_path(path).resolve() for name, path in (datasets or {}).items()}
    for path in checkpoints:
        place = user_path(path).resolve()
        key = f"{CHECKPOINTS}/{name_of(place)}"
        if key in links:
            raise InputError(f"{path}: a checkpoint {key.partition('/')[2]} is given already; name each once")
        links[key] = place
    for key, place in links.items():
        if not place.exists():
            raise InputError(f"{place} is not there; name a dataset's folder or manifest, or make one with ifdd data index")
        if os.path.lexists(folder / key):
            raise InputError(f"{folder / key} is there already; give the new one another name, or remove the old one")
    for name in datasets or {}:
        place = links[f"{DATASETS}/{name}"]
        found = _manifest_of(
            place, str(place), f"make one with ifdd data index {shlex.quote(str(place))}, or name another folder"
        )
        _ = Dataset(name, found, folder / COLLECTIONS / name).clips
    with nullcontext(folder) if is_half else new_folder(folder) as work, ExitStack() as undo:
        for part in _PARTS:
            (work / part).mkdir(exist_ok=True)
        for key, place in links.items():
            (work / key).symlink_to(place)
            undo.callback((work / key).unlink)
        mark(work)
        undo.pop_all()
    return Workspace(folder)


def _parts_in(folder: Path) -> list[str]:
    return [name for name in _PARTS if (folder / name).is_dir()]


def _is_half(folder: Path) -> bool:
    """Whether a folder is there and could be a workspace, but for the file that says so."""
    return folder.is_dir() and all(place.name in _PARTS and place.is_dir() for place in _entries(folder))


def mark(folder: Path) -> None:
    """Say that a folder is a workspace."""
    write_json(folder / FILE, {"schema_version": SCHEMA})


def checked_name(name: str) -> str:
    """The name of a dataset, which becomes a folder. Raises: InputError for one that cannot."""
    if not name or name.startswith((".", "-")) or "/" in name or "\\" in name or not name.isprintable():
        raise InputError(
            f"{shown(name)} cannot be the name of a dataset; give letters, digits and dashes, a letter first: NAME=PATH"
        )
    return name


def _entries(folder: Path) -> list[Path]:
    return [place for place in folder.iterdir() if not place.name.startswith(".")] if folder.is_dir() else []


def manifests_in(folder: Path) -> list[Path]:
    """Lists of clips in a folder, the one that is read first; also links that lead nowhere."""
    return [folder / name for name in _MANIFESTS if (folder / name).is_symlink() or (folder / name).is_file()]


def _manifest_of(place: Path, told: str, way_out: str) -> Path:
    """Where the list of clips really lies that `place` is, leads to or holds. Raises: InputError where there is none."""
    files = [place] if place.is_file() else manifests_in(place)
    if not files:
        raise InputError(f"{told} holds no {' or '.join(_MANIFESTS)}; {way_out}")
    if not files[0].is_file():
        raise InputError(f"{files[0]} leads to {files[0].readlink()}, which is not there; {way_out}")
    return files[0].resolve()


def checkpoint_in(place: Path) -> Path:
    """The checkpoint that a folder is, or that the run in it made."""
    return place / CHECKPOINT if (place / CHECKPOINT).is_dir() else place


def name_of(place: Path) -> str:
    """The name that a workspace gives to a checkpoint: of its folder, or as the run in the folder called it.

    Raises: InputError as `read_card`.
    """
    found = checkpoint_in(place)
    card = read_card(found)
    return card.name if CHECKPOINT in (found.name, place.name) else place.name


def near(name: str, known: Iterable[str]) -> str:
    """The name that may have been meant, for a message; nothing where none is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def _mend(place: Path) -> str:
    return f"mend or remove {place}"


def _again(place: Path) -> str:
    return f"remove it and run {_init(place)}"


def _init(place: Path) -> str:
    if _parts_in(place):
        return f"workbench init {shlex.quote(str(place))}"
    made = "ifdd data index writes that list: of a folder for each class, or with --corpus of DFEW, FERV39k, MAFW and others"
    return f"workbench init {shlex.quote(str(place))} --dataset NAME=clips.parquet ({made})"


def of_the_same_suite(offered: Mapping[str, Path], manifest: Path) -> list[str]:
    """Checkpoints (name → folder) that were tested on the kind of clips that lie beside `manifest`; none if that is not known.

    A checkpoint whose card cannot be read is kept: the app shows what is wrong with it.
    """
    try:
        about = read_json(manifest.parent / "suite.json")
    except (OSError, InputError):
        return []
    config = about.get("config") if isinstance(about, dict) else None
    kind = config.get("difficulty") if isinstance(config, dict) else None
    around = isinstance(config, dict) and config.get("rho") is not None
    return _tested_on(kind, offered, scenes=around) if isinstance(kind, str) else []


def to_begin_with(offered: Mapping[str, Path]) -> list[str]:
    """Checkpoints to suggest for clips that none has read: those of the demo where they are offered, else the first two.

    Who reads scenes comes last: nothing tells whether clips have any.
    """
    faces = [name for name, folder in offered.items() if not _reads_scenes(folder)]
    return (
        _tested_on(DEMO_DIFFICULTY, offered, scenes=False)[:2] or [*faces, *(name for name in offered if name not in faces)][:2]
    )


def _reads_scenes(folder: Path) -> bool:
    try:
        return bool(scenes_of(read_card(folder).inputs))
    except InputError:  # the app shows what is wrong with it
        return False


def _tested_on(kind: str, offered: Mapping[str, Path], *, scenes: bool) -> list[str]:
    """Those tested on clips of this difficulty; who reads scenes only where clips have `scenes`."""
    chosen = []
    for name, folder in offered.items():
        try:
            card = read_card(folder)
            if card.data.get("test", {}).get("difficulty") == kind and (scenes or not scenes_of(card.inputs)):
                chosen.append(name)
        except InputError:
            chosen.append(name)
    return chosen


def first_in_view(offered: Mapping[str, Path], dataset: Dataset) -> list[str]:
    """Checkpoints that the app shows unasked: of those that have read the clips, the ones tested on their kind, else all."""
    collected = dataset.collected()
    read = {name: folder for name, folder in offered.items() if name in collected}
    return of_the_same_suite(read, dataset.manifest) or list(read)


def upload_name(name: str) -> str:
    """A file name for what a browser calls `name`, whatever that is: no folders, nothing invisible, not too long."""
    seen = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable()).strip(" .")
    stem, dot, suffix = seen.rpartition(".")
    if not dot:
        stem, suffix = seen, ""
    return f"{stem[:60] or 'upload'}{dot}{suffix[:12]}"


def test_data(card: Card) -> str:
    """The data that a card's figures were measured on: name and difficulty, or manifest."""
    about = card.data.get("test", {})
    return " · ".join(str(about[key]) for key in ("name", "manifest", "difficulty") if about.get(key))


def describe(card: Card) -> str:
    """A model in one line: of the ifdd family backbone, split, lift, preset, clip."""
    return card.model.summary


def across_families(cards: Iterable[Card]) -> tuple[str, ...]:
    """What a difference between models of several families does not say; nothing where all are of one."""
    families = sorted({card.model.family for card in cards})
    if len(families) < 2:
        return ()
    told = f"models of the families {' and '.join(families)} differ in backbone, start and inputs"
    return (f"{told}: a difference between them is of all of these, and says nothing of one",)
