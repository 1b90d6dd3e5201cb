"""Where do two maps of the same clips differ: two models, two classes, or Y_D and Y_S?

Maps of different networks share no unit, so each is scaled to mean 1 over the clip first: the difference at a pixel is in
multiples of an even spread.
"""

import numpy as np

from ifdd.errors import InputError
from workbench.analysis.saliency.likeness import rank_correlation
from workbench.analysis.saliency.results import DifferenceResult, SaliencyResult
from workbench.results.provenance import record


def difference(first: SaliencyResult, second: SaliencyResult, names: tuple[str, str] = ("first", "second")) -> DifferenceResult:
    """Difference of two results on the same clips, for the same classes.

    Raises:
        InputError: other shapes or classes, or maps scaled frame by frame, which have lost how frames compare.

    >>> import ifdd, torch
    >>> from workbench.analysis.saliency import gradcam
    >>> model, clips = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)), torch.rand(1, 3, 8, 32, 32)
    >>> maps = gradcam(model, clips, "ladm.Y_D", target=0, method="hirescam")
    >>> float(abs(difference(maps, maps).frames).max())
    0.0
    """
    if first.frames.shape != second.frames.shape:
        raise InputError(f"maps of {first.frames.shape} and {second.frames.shape} are of other clips; pass two maps of the same")
    if not np.array_equal(first.target, second.target):
        raise InputError("the maps speak for different classes; give both the same target")
    for name, result in zip(names, (first, second), strict=True):
        if result.normalise == "frame":
            raise InputError(f"{name} is scaled frame by frame; make both maps with normalise='clip' or 'none'")
    a, b = (result.frames.astype(np.float64) for result in (first, second))
    means = [values.mean((1, 2, 3), keepdims=True) for values in (a, b)]
    notes = tuple(
        f"clip {i}: {name} has no positive evidence, so the difference is the other map alone"
        for name, mean in zip(names, means, strict=True)
        for i in np.flatnonzero(mean.ravel() <= 0)
    )
    a, b = (np.divide(x, mean, out=np.zeros_like(x), where=mean > 0) for x, mean in zip((a, b), means, strict=True))
    return DifferenceResult(
        names=names,
        frames=(a - b).astype(np.float32),
        read=first.read | second.read,
        overlap=np.minimum(a, b).mean((1, 2, 3)),
        rank=np.array([rank_correlation(x, y) for x, y in zip(a, b, strict=True)]),
        notes=notes,
        provenance=record("difference of maps", {"names": list(names)}, {"first": first.frames, "second": second.frames}),
    )
