"""Which paths the app opens when somebody types one: those below the workspace, its datasets, and the folders named at start.

The clips of a dataset are opened wherever its manifest says they are: whoever put the manifest into the workspace said so.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from ifdd.documents import user_path
from ifdd.errors import InputError
from workbench.store.layout import DATASETS
from workbench.store.workspace import Workspace


def roots_of(workspace: Workspace) -> tuple[Path, ...]:
    """The workspace, the folders that are its datasets, and the roots of the app ($IFDD_ROOTS); all where they really lie."""
    named = [Path(root) for root in os.environ.get("IFDD_ROOTS", "").split(os.pathsep) if root]
    linked = [workspace.folder / DATASETS / name for name in workspace.datasets]  # a manifest alone opens no folder
    places = [place.resolve() for place in (workspace.folder, *linked, *named)]
    return tuple(dict.fromkeys(place for place in places if place.is_dir()))


def within(text: str, roots: Iterable[Path]) -> Path:
    """A path as somebody types it, where it really lies, if that is below one of the roots; relative ones count from each root.

    Raises: InputError for any other, which does not tell whether it is there, and for a folder with a link out of the roots.
    """
    roots = tuple(roots)
    given = user_path(text)
    try:
        places = [given.resolve()] if given.is_absolute() else [(root / given).resolve() for root in roots]
        inside = [place for place in places if any(place.is_relative_to(root) for root in roots)]
        found = next((place for place in inside if place.exists()), None)
        if found is not None and found.is_dir():
            for entry in found.iterdir():
                if entry.is_symlink() and not any(entry.resolve().is_relative_to(root) for root in roots):
                    raise InputError(
                        f"{given / entry.name} is a link to elsewhere; start the app with --root FOLDER of its place"
                    )
    except (OSError, RuntimeError):  # no permission, a name that is too long, links in a circle
        inside, found = [], None
    if not inside:
        told = ", ".join(map(str, roots))
        raise InputError(f"{text} is not below what this app may open: {told}; start it with --root FOLDER to open more")
    if found is None:
        raise InputError(f"{text} is not there; see how it is spelled, or choose a file")
    return found
