"""Names of the rules by which a training shows clips, as recipes write them."""

from typing import Literal

Sampling = Literal["centres", "segments", "window", "reference"]
"""Which frames of a clip, see `data.sampling.Rule`."""
Balance = Literal["none", "square-root", "classes"]
"""How often the clips of a class, see `training.order.class_quotas`."""
