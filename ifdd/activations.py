"""What a named activation is, told by itself: which axes it has, whose steps, on which clock, and what it is to the model."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from torch import Tensor

FEATURE_FRAMES, STEPS = "feature frames", "steps"
"""Clocks of an axis T (T' feature frames) and of an axis K (the K steps of a group)."""


@dataclass(frozen=True)
class Activation:
    """A named activation of a model.

    `axes` are letters: B clips, C channels, T feature frames, K steps of a group, H and W places, d the width of a descriptor;
    letters written together lie along one axis, the last one fastest: B KHW C are tokens, step-major. `group` is that whose steps
    or features it holds, S or D. `clock` says what its axis of time counts, None without one. `input` names the clip that its
    places lie on.

    `role` is what it is to any model: logits, embedding, stage (of a backbone), X (what all branches are made of), branch (what
    is shown of each), read (what a split reads, X_S and X_D), detail (what is told beside the branches), lift, offset, position,
    sample (where the steps of a group are read, in feature frames), correlation, weight (of feature frames), descriptor; None
    for anything else.

    `sample` is the activation that tells where its steps were read; `grid` the height and width of tokens; `used` whether the
    logits depend on it.

    >>> tokens = Activation.of("ladm.Y_D", "B KHW C", group="D", grid=(7, 7))
    >>> tokens.spatial, tokens.clock, tokens.pooled().axes
    (True, 'steps', ('B', 'C'))
    """

    name: str
    axes: tuple[str, ...] = ()
    group: str | None = None
    role: str | None = None
    clock: str | None = None
    input: str | None = None
    sample: str | None = None
    grid: tuple[int, int] | None = None
    used: bool = True

    @classmethod
    def of(cls, name: str, axes: str, **told: Any) -> Self:
        """From axes as a HookPoint writes them, "B C T H W"; the clock follows from them, unless it is told."""
        letters = tuple(axes.split())
        clock = FEATURE_FRAMES if "T" in "".join(letters) else STEPS if "K" in "".join(letters) else None
        return cls(name, letters, **({"clock": clock} | {key: value for key, value in told.items() if value is not None}))

    @property
    def spatial(self) -> bool:
        """Whether it has places in the frame."""
        return {"H", "W"} <= set("".join(self.axes))

    @property
    def short(self) -> str:
        """The last word of its name: Y_D of ladm.Y_D."""
        return self.name.rpartition(".")[2]

    def pooled(self) -> Self:
        """The same after its mean over all places and times was taken: (B, C)."""
        return replace(self, axes=("B", "C"), clock=None, sample=None, grid=None)

    def mean(self, values: "Tensor", *, time: bool = True) -> "Tensor":
        """Values with the mean over their places taken, and over time with them; `time=False` keeps an axis of its own for it.

        Values without places stay as they are.
        """
        over = "HWTK" if time else "HW"
        return values.float().mean([i for i, axis in enumerate(self.axes) if set(axis) & set(over)]) if self.spatial else values

    def to_dict(self) -> dict[str, Any]:
        """The fields but for the name, as JSON types, without those that say nothing."""
        told = {key: value for key, value in asdict(self).items() if value is not None and key != "name"}
        return told | {"axes": " ".join(self.axes)} | ({} if self.grid is None else {"grid": list(self.grid)})

    @classmethod
    def from_dict(cls, name: str, values: dict[str, Any]) -> Self:
        """Inverse of `to_dict`."""
        grid = values.get("grid")
        told = {key: values.get(key) for key in ("group", "role", "clock", "input", "sample")}
        axes = tuple(str(values.get("axes", "")).split())
        return cls(name, axes, **told, grid=None if grid is None else tuple(grid), used=bool(values.get("used", True)))


def with_roles(activations: Iterable[Activation], *roles: str) -> tuple[str, ...]:
    """Names of the activations of these roles, in the order in which a model computes them: what the head says comes last."""
    last = {"embedding": 1, "logits": 2}
    found = [item for item in activations if item.role in roles]
    return tuple(item.name for item in sorted(found, key=lambda item: last.get(item.role or "", 0)))
