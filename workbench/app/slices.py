"""Saved slices: names for selections of a dataset's clips, kept in the workspace."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from ifdd.documents import OPEN, checked, read_json, shown
from ifdd.errors import InputError
from ifdd.io import claim, write_json
from workbench.app.selection import Selection

FILE = "slices.json"
SCHEMA = 1
LONGEST = 60
_Texts = Annotated[list[str], Field(min_length=1, max_length=100)]


class _Stored(TypedDict):
    """slices.json: dataset → name → conditions, as an address holds them."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    schema_version: Literal[1]
    slices: dict[str, dict[str, _Texts]]


_STORED: TypeAdapter[Any] = TypeAdapter(_Stored)


@dataclass(frozen=True)
class SavedSlices:
    """The slices of a dataset, in a file of the folder of a workspace's results that all its datasets share."""

    folder: Path
    dataset: str

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return self.folder / FILE

    def all(self) -> dict[str, Selection]:
        """Selections by name, in the order of names. Raises: InputError for a damaged file, or conditions that are none."""
        found = self._read().get(self.dataset, {})
        return {name: Selection.parse(found[name]) for name in sorted(found, key=str.casefold)}

    def save(self, name: str, selection: Selection) -> None:
        """Keep a selection under a name; one of that name is replaced.

        Raises: InputError for all clips, or a name that is empty, too long or cannot be printed; as `all`; if the disk refuses.
        """
        name = _checked_name(name)
        if not selection:
            raise InputError("all clips are no slice; choose some first: by a filter, or by a click in a chart")
        self._change({name: list(selection.texts)})

    def delete(self, name: str) -> None:
        """Forget a slice; one that is gone already is no error. Raises: as `all`; if the disk refuses."""
        self._change({}, name)

    def call(self, old: str, new: str) -> None:
        """Give a slice another name. Raises: InputError for one that is gone, a name that is taken, or as `save`."""
        new, known = _checked_name(new), self._read().get(self.dataset, {})
        if old not in known:
            raise InputError(f"there is no slice {shown(old)} any more; save it again")
        if new == old:
            return
        if new in known:
            raise InputError(f"there is a slice {shown(new)} already; choose another name, or delete that one first")
        self._change({new: known[old]}, old)

    def _read(self) -> dict[str, dict[str, list[str]]]:
        try:
            values = read_json(self.file)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        found: dict[str, dict[str, list[str]]] = checked(_STORED, values, str(self.file), "mend or remove it")["slices"]
        return found

    def _change(self, new: dict[str, list[str]], gone: str = "") -> None:
        """Write with one more, or one less; whoever else writes is waited for, and loses nothing."""
        with claim(self.file, wait=True):
            everything = self._read()
            mine = {name: texts for name, texts in everything.get(self.dataset, {}).items() if name != gone} | new
            write_json(self.file, {"schema_version": SCHEMA, "slices": everything | {self.dataset: mine}})


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise InputError(f"{shown(name)} cannot be the name of a slice; give 1 to {LONGEST} letters, digits or signs")
    return name
