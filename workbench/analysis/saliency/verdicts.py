"""Verdicts of `workbench faithfulness` on a checkpoint's maps, read back: shown wherever the maps are."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from ifdd.checkpoints import Bundle
from ifdd.documents import read_json
from ifdd.errors import InputError
from workbench.analysis.saliency.attribution import INPUT
from workbench.analysis.saliency.displays.heat import METHODS
from workbench.analysis.saliency.results import MapVerdicts, SaliencyResult, Verdict

FILE = "faithfulness.json"
"""In a report's folder, or copied beside a checkpoint's card."""


def read_verdicts(path: str | Path, bundle: Bundle, shown: str | None = None) -> dict[tuple[str, str], Verdict]:
    """Verdicts of an earlier report on this checkpoint, by method and activation; `path` is the file or its folder.

    Each says on which clips it was reached, and whether those are others than the ones shown: `shown` is the `data_hash` of the
    manifest that these are from, None for a video.
    Raises: InputError for a missing or damaged file, or the report of another checkpoint.
    """
    file = Path(path) / FILE if Path(path).is_dir() else Path(path)
    try:
        values = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file}: No such file or directory; make it with workbench faithfulness") from None
    if isinstance(values, dict):  # the rest is what the verdicts rest on, no map needs it
        values = {item.name: values[item.name] for item in fields(MapVerdicts) if item.name in values}
    found = MapVerdicts.from_dict(values, str(file), "make it again with workbench faithfulness")
    if found.sha256 != bundle.card.sha256:
        raise InputError(f"{file} is of other weights ({found.checkpoint}); test {bundle.name} itself")
    tested_on = f"{found.clips} clips of {found.manifest or 'a set that its report does not name'}"
    elsewhere = shown is None or shown != found.manifest_hash
    return {(row.method, row.activation): replace(row, tested_on=tested_on, elsewhere=elsewhere) for row in found.verdicts}


def known_verdicts(bundle: Bundle, given: str | Path | None = None, shown: str | None = None) -> dict[tuple[str, str], Verdict]:
    """Verdicts of the report `given`; else of the one beside the checkpoint's card; none where there is neither.

    Raises: InputError as `read_verdicts`.
    """
    if given is None and not (bundle.path / FILE).is_file():
        return {}
    return read_verdicts(bundle.path if given is None else given, bundle, shown)


def verdicts_on(
    found: Mapping[tuple[str, str], Verdict], maps: Mapping[str, SaliencyResult], method: str | None = None
) -> dict[str, Verdict]:
    """Verdicts on maps by branch or activation; `method` as the tests name it, by default the maps' own.

    Maps with channel weights by step were not tested, those over all positions were.
    """
    keys = {key: (method or result.method, result.activation) for key, result in maps.items() if result.weights != "per-step"}
    return {key: found[name] for key, name in keys.items() if name in found}


def tested_maps(
    found: Mapping[tuple[str, str], Verdict], branches: tuple[str, ...], first: str
) -> tuple[str, tuple[str, ...] | None]:
    """The maps to show first: the first method that passes its tests, and those of the `branches` on which it does.

    `first` is tried before the others; maps of pixels are taken where those of all inputs pass. None stands for all
    branches, or for the clip itself. Where no map passes, the first method that was not found to fail, where nothing was tested
    the first of all.

    >>> def verdict(method, activation, passes):
    ...     return {(method, activation): Verdict(method, activation, passes, (), ())}
    >>> tested_maps(verdict("gradcam", "Y_D", True) | verdict("hirescam", "Y_D", False), ("Y_D", "Y_S"), "hirescam")
    ('gradcam', ('Y_D',))
    >>> tested_maps(verdict("saliency", "input", True) | verdict("hirescam", "Y_D", False), ("Y_D", "Y_S"), "hirescam")
    ('saliency', None)
    >>> tested_maps(verdict("hirescam", "Y_D", False), ("Y_D", "Y_S"), "hirescam")
    ('gradcam', None)
    >>> tested_maps({}, ("Y_D", "Y_S"), "hirescam")
    ('hirescam', None)
    """
    order = (first, *(name for name in METHODS if name != first))
    for method in order:
        if passing := tuple(name for name in branches if (method, name) in found and found[method, name].passes):
            return method, passing
        on_clips = [verdict for (name, at), verdict in found.items() if name == method and at.partition(".")[0] == INPUT]
        if on_clips and all(verdict.passes for verdict in on_clips):
            return method, None
    failed = {method for method, _ in found}
    return next((method for method in order if method not in failed), first), None
