"""What a command is given by name or by path, as files: one rule for all commands.

A path means what lies there. A name means, of the workspace that is given with --workspace, else of the current folder if it is
one, else of the demo: a checkpoint, a dataset, or what the checkpoint said of the dataset.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ifdd.card import Card
from ifdd.checkpoints import CARD, Bundle, list_checkpoints, read_card
from ifdd.documents import shown, user_path
from ifdd.errors import InputError
from workbench.store.collection import MANIFEST, Collection, open_collection
from workbench.store.dataset import Dataset
from workbench.store.layout import demo_folder, is_marked
from workbench.store.workspace import Workspace, checkpoint_in, find_workspace, manifests_in, name_of, near, open_workspace


@dataclass(frozen=True)
class Data:
    """A list of clips; `dataset` where it is one of the workspace, `named` where it was not given by its path."""

    manifest: Path
    dataset: Dataset | None = None
    named: bool = False


@dataclass(frozen=True)
class Given:
    """What a command was given as --workspace and --dataset."""

    workspace: Path | None = None
    dataset: str | None = None

    @property
    def place(self) -> Workspace:
        """Where names are looked up; that it is whole is seen when something of it is needed."""
        if self.workspace is not None:
            return open_workspace(self.workspace)
        return Workspace(Path.cwd() if is_marked(Path.cwd()) else demo_folder())

    @property
    def asked(self) -> bool:
        """Whether a workspace of the user's own is meant, so that a name is first of all one of its names."""
        return self.workspace is not None or self.dataset is not None or is_marked(Path.cwd())

    def out(self, out: Path | None, command: str, name: str = "") -> Path:
        """Where results go: `out`, else `results/<command>-<n>` of the workspace, and in it `name`.

        Raises: InputError where neither is there.
        """
        if out is not None:
            return out
        try:
            return find_workspace(self.workspace).new_results(command) / name
        except InputError as error:
            if self.workspace is not None or is_marked(Path.cwd()):
                raise
            raise InputError(
                f"nothing says where results are to go: {Path.cwd()} is no workspace; give --out, or make one: "
                "workbench init DIR --dataset NAME=clips.parquet"
            ) from error

    def checkpoint(self, text: str) -> str:
        """A checkpoint's folder by its name in the workspace; a path, and a name that is shipped, stay as they are.

        Raises: InputError for one that is unknown, leads nowhere, or is two things.
        """
        beside, known = user_path(text), self.place.checkpoints()
        is_here = (beside / CARD).is_file()
        if text in known:
            folder = self.place.checkpoint(text)
            if not is_here or folder.resolve() == beside.resolve():
                return str(folder)
            if not self.asked:
                return text
            raise InputError(
                f"{text} is a checkpoint of {self.place.folder} ({folder}) and a folder here; "
                f"write .{os.sep}{text} for that folder, or the path of the other"
            )
        if not is_here and (alone := self.without_checkpoint(text)) is not None:
            raise InputError(alone.lacks_network("this"))
        names = list(dict.fromkeys([*known, *list_checkpoints()]))
        if is_here or os.sep in text or text in names or beside.is_dir():
            return text
        raise InputError(
            f"unknown checkpoint {shown(text)}{near(text, names)}; known: {', '.join(names) or 'none'}, or give a folder's path"
        )

    def without_checkpoint(self, text: str) -> Collection | None:
        """What a model of this name said of a dataset, where no checkpoint made it; of the dataset that is named, else of any."""
        if os.sep in text or text in self.place.checkpoints() or not is_marked(self.place.folder):
            return None
        for name in self.place.datasets if self.dataset is None else (self.dataset,):
            folder = self.place.collection_folder(name, text)
            if (folder / MANIFEST).is_file() and (found := open_collection(folder)).origin:
                return found
        return None

    def name(self, text: str) -> str:
        """The name under which the workspace keeps what a checkpoint said: its own, also where it is given by its path."""
        known = self.place.checkpoints()
        if text in known or not user_path(text).exists():
            return text
        place = user_path(text).resolve()
        same = [name for name, folder in known.items() if folder.resolve() in (place, checkpoint_in(place))]
        return same[0] if same else name_of(place)

    def data(self, text: Path | None = None) -> Data:
        """The list of clips at a path, or a dataset by name; without either the one that --dataset names, or the only one.

        Raises: InputError for an unknown dataset, several that could be meant, a name that is two things, or both ways at once.
        """
        if text is None:
            if not (self.asked or is_marked(demo_folder())):
                raise InputError(
                    f"no clips are given and {Path.cwd()} is no workspace; give --data clips.parquet, make a workspace with "
                    "workbench init DIR --dataset NAME=clips.parquet, or run workbench demo"
                )
            own = self._own(self.dataset)
            return Data(own.manifest, own, True)
        if self.dataset is not None:
            raise InputError(f"both {text} and --dataset {self.dataset} name clips; give one of them")
        found = self.place.dataset(str(text)) if str(text) in self.place.datasets else None  # an absolute path is no name
        if found is not None and not text.exists():
            return Data(found.manifest, found, True)
        if found is None and self.asked and not text.exists():
            known = ", ".join(self.place.datasets) or "none"
            raise InputError(
                f"{text} is no file or folder and no dataset of {self.place.folder}{near(str(text), self.place.datasets)}, "
                f"which has: {known}; name one of them, or make a list of clips with ifdd data index"
            )
        if found is not None and self.asked and found.manifest != _file_at(text):
            raise InputError(
                f"{text} is a dataset of {self.place.folder} and lies here, too; give --dataset {text}, or for what lies here "
                f"{text.absolute()}"
            )
        return Data(text, self._dataset_at(text))

    def collection_folder(self, checkpoint: str, data: Data) -> Path:
        """Where what a checkpoint says of a dataset is to lie. Raises: InputError for clips that are no dataset."""
        if data.dataset is None:
            known = ", ".join(self.place.datasets) or "none"
            raise InputError(
                f"{data.manifest} is no dataset of {self.place.folder}, which has: {known}; name one of them, or give --out"
            )
        return data.dataset.collections / self.name(checkpoint)

    def collection(self, text: str, dataset: str | None = None) -> Collection:
        """The collection at a path, or what a checkpoint of this name said of the dataset (`dataset` instead, if it is given).

        Raises: InputError as `data`, for clips that are not collected, with the command that does it, or a dataset that changed.
        """
        beside = user_path(text)
        is_here = (beside / MANIFEST).is_file()
        known = self.place.checkpoints()
        if os.sep in text or text in (os.curdir, os.pardir) or (beside.exists() and not (self.asked and text in known)):
            return open_collection(text)
        if not self.asked and text not in known and self.without_checkpoint(text) is None:
            return open_collection(text)  # says that there is none
        found = self._own(dataset or self.dataset)
        if is_here and beside.resolve() != (found.collections / text).resolve():
            raise InputError(
                f"{text} is a checkpoint of {self.place.folder} and a collection here; write .{os.sep}{text} for the collection, "
                f"or {found.collections / text} for what it said of the dataset {found.name}"
            )
        if text in found.collected():
            return found.collection(self._card(text), text)
        self.checkpoint(text)
        raise InputError(f"{text} has not read the dataset {found.name} of {self.place.folder}; run {found.collect_line(text)}")

    def further(self, path: Path, checkpoint: str) -> Collection:
        """A collection of other clips: at `path`, else what the checkpoint said of the dataset of this name.

        Raises: InputError as `collection`.
        """
        if path.exists() or os.sep in str(path) or str(path) not in self.place.datasets:
            return open_collection(path)
        return self.collection(self.name(checkpoint), str(path))

    def collected(self, bundle: Bundle, name: str, data: Data, wanted: Sequence[str] = ()) -> Collection | None:
        """What a checkpoint said of a dataset; one that was named is read now where it has not been.

        None where there is nothing that can serve; of a dataset that was named a warning says why.
        """
        dataset = data.dataset
        if dataset is None:
            return None
        if name not in dataset.collected():
            return dataset.collect(bundle, name) if data.named else None
        try:
            found = dataset.collection(bundle, name)
            if found.meta["data"]["hash"] != dataset.hashes[0]:
                raise InputError(
                    f"{found.folder} is of an earlier list than {dataset.manifest} now; remove that folder and run "
                    f"{dataset.collect_line(name)}"
                )
        except InputError as error:
            if data.named:
                warnings.warn(f"{error}; until then the clips are read beside the results", stacklevel=2)
            return None
        kept = found.activation_names
        if lacking := [activation for activation in wanted if activation not in kept or found.describe(activation).spatial]:
            if data.named:
                warnings.warn(
                    f"{found.folder} lacks the means of {', '.join(lacking)}; to keep them remove that folder and run "
                    f"{dataset.collect_line(name)}; until then the clips are read beside the results",
                    stacklevel=2,
                )
            return None
        return found

    def read(self, bundle: Bundle) -> Collection:
        """What a network of the user's own says of the dataset, which it reads now where it has not.

        Raises: InputError as `data` and `Dataset.collect`, or for what was kept of other weights or clips.
        """
        data = self.data()
        assert data.dataset is not None  # nothing was given by its path
        if bundle.name in data.dataset.collected():
            return data.dataset.collection(bundle, bundle.name)
        return data.dataset.collect(bundle, bundle.name)

    def _card(self, name: str) -> Card | None:
        """The card of a checkpoint by name; None for one that is gone, whose collection is there."""
        known = list_checkpoints() | self.place.checkpoints()
        return read_card(known[name]) if name in known else None

    def _own(self, name: str | None) -> Dataset:
        place = find_workspace(self.workspace)
        if name is not None:
            return place.dataset(name)
        if not place.datasets:
            raise InputError(
                f"{place.folder} holds no dataset; make one with ifdd data index FOLDER and link it: "
                f"ln -s /PATH/OF/FOLDER {place.folder / 'datasets'}/NAME"
            )
        if len(place.datasets) > 1:
            raise InputError(f"{place.folder} has several datasets, name one with --dataset: {', '.join(place.datasets)}")
        return place.dataset(place.datasets[0])

    def _dataset_at(self, path: Path) -> Dataset | None:
        """The dataset whose list of clips lies at a path."""
        for name in self.place.datasets:
            try:
                found = self.place.dataset(name)
            except InputError:  # one that leads nowhere lies nowhere
                continue
            if found.manifest == _file_at(path):
                return found
        return None


def _file_at(path: Path) -> Path:
    """The list of clips that a path leads to: itself, or the one in its folder."""
    found = manifests_in(path) if path.is_dir() else []
    return (found[0] if found else path).resolve()
