"""A folder with a sub-folder for each class, as one of the corpora: the same manifest as without a name, with a report."""

from collections.abc import Sequence
from pathlib import Path

from ifdd.data.corpora.assembling import Indexed, Options
from ifdd.data.corpora.report import class_counts, listed
from ifdd.data.manifest import index_folder
from ifdd.labels import EMOTIONS


def index_folders(root: Path, options: Options | None = None, *, labels: Sequence[str] | None = None) -> Indexed:
    """Index a folder with a sub-folder for each class; every clip is decoded once, as `index_folder` does.

    Clips that cannot be read are left out where they are at most a fifth, and named in the notes; with `strict` they are an
    error.

    Args:
        root: whose sub-folders are classes.
        options: `names`, `crop` and `strict` are read.
        labels: class names, in the order of their numbers; by default the seven emotions.

    Raises: InputError as `index_folder`.
    """
    options = options or Options()
    known = tuple(labels or EMOTIONS)
    frame = index_folder(root, known, options.crop, names=options.names, on_error="stop" if options.strict else "skip")
    report = {
        "corpus": "folders",
        "title": "folders named after classes",
        "root": str(root.resolve()),
        "clips": {"folder": ".", "kinds": sorted(set(frame["kind"]))},
        "lists": {"read": [], "layout": "", "agree": []},
        "labels": {"names": list(known), "map": dict(options.names or {}), "order": "", "source": "names of folders"},
        "official": False,
        "folds": {},
        "counts": {"clips": len(frame), "classes": class_counts(frame["label_name"], known), "official_classes": {}},
        "rows": listed([]),
        "notes": list(frame.attrs["notes"]),
    }
    return Indexed(frame, report)
