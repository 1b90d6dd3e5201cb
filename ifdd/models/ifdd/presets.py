"""Where the paper's drawing and the released code of the ifdd family part ways."""

from dataclasses import dataclass
from typing import Literal

from ifdd.models.config import PresetName
from ifdd.modules.issm import Read, read_as_released, read_exact
from ifdd.modules.ladm import Combine, attention_only, attention_plus_value


@dataclass(frozen=True)
class Preset:
    """Where the paper's drawing and the released code part ways: one argument of a small part each."""

    read_at: Read
    scale_by_width: bool
    """Correlation scale 1/√d_Z (True) or 1/C (False)."""
    combine: Combine
    mlp_skip: bool
    mlp_drop_path: bool
    lifting_weight: float
    lifting_reduction: Literal["mean", "sum"]


PRESETS: dict[PresetName, Preset] = {
    "paper": Preset(
        read_at=read_exact,
        scale_by_width=True,
        combine=attention_only,
        mlp_skip=False,
        mlp_drop_path=False,
        lifting_weight=1.6,  # 0.1 × the released batch of 16, since the mean replaces the sum
        lifting_reduction="mean",
    ),
    "reference": Preset(
        read_at=read_as_released,
        scale_by_width=False,
        combine=attention_plus_value,
        mlp_skip=False,
        mlp_drop_path=True,
        lifting_weight=0.1,
        lifting_reduction="sum",
    ),
}
