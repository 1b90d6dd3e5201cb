"""What measures of a model with two inputs return; no computing here."""

from dataclasses import dataclass

import numpy as np

from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result


@dataclass(frozen=True, eq=False)
class StreamsResult(Result):
    """What each input of a model does to its answers, on n clips.

    `inputs` are the two by name. `shares` (n, 2) are their Shapley values, in logits: of the logit of the predicted class above
    the mean of all, how much is due to this clip's input instead of another person's clip's. `together` (n,) is what the two do
    that neither does alone; of a model whose logits are a sum over inputs it is 0, and then the shares are exact parts of the
    logit. `share` of each input: mean of |shares| over that of both.

    `flips` of each input: how often the answer changes where that input is another person's clip's, of which the model says
    another class. `goes_along`: how often it is then that other class. Both 1 for who reads that input alone, 0 for who does not
    read it.

    `rollout` (types,): share of each type in the fused embedding by attention roll-out, `types` their names, `uniform` the null;
    empty for a model without an attention over types.
    """

    checkpoint: str
    inputs: tuple[str, str]
    clip_ids: tuple[str, ...]
    predicted: tuple[str, ...]
    donors: int
    shares: np.ndarray
    together: np.ndarray
    share: tuple[Interval, Interval]
    interaction: Interval
    flips: tuple[Interval, Interval]
    goes_along: tuple[Interval, Interval]
    types: tuple[str, ...]
    rollout: tuple[Interval, ...]
    uniform: float
    notes: tuple[str, ...]
    provenance: Provenance
    data_hash: str = ""

    @property
    def caption(self) -> str:
        """How it was measured."""
        n = len(self.clip_ids)
        return (
            f"{n} clips, each with inputs of {self.donors} other clips, of other people unless one has most of them; Shapley "
            "values of two inputs on the logit of the predicted class above the mean of all"
        )
