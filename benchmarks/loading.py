"""What the checks of `load_checkpoint` cost: the checksum of the file, and that no weight is NaN.

python benchmarks/loading.py [MODEL] [ROUNDS]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from unittest import mock

from ifdd import checkpoints, create_model
from ifdd.data.preprocessing import Preprocessing
from ifdd.labels import EMOTIONS


def median_ms(function: Callable[[], object], around: Callable[[], AbstractContextManager[object]], rounds: int) -> float:
    """CPU milliseconds of a call, the median, after one that warms up."""
    taken = []
    for _ in range(rounds + 1):
        with around():
            start = time.process_time()
            function()
            taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken[1:])


def main() -> None:
    """Measure and print."""
    name = sys.argv[1] if len(sys.argv) > 1 else "ifdd-mvit-xs"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    model = create_model(name, num_classes=len(EMOTIONS))
    how = Preprocessing(frames=model.config.frames, size=model.config.size).to_dict()
    card = checkpoints.Card(
        name="measured",
        notice="",
        model=model.config,
        labels=EMOTIONS,
        preprocessing=how,
        data={},
        training={},
        metrics={},
        versions={},
    )
    with tempfile.TemporaryDirectory() as parent:
        folder = checkpoints.save_checkpoint(Path(parent) / "measured", model, card)
        digest = checkpoints.read_card(folder).sha256

        def without(*names: str) -> Callable[[], AbstractContextManager[object]]:
            return lambda: mock.patch.multiple(checkpoints, **{name: lambda *_: digest for name in names})

        def load() -> object:
            return checkpoints.load_checkpoint(folder)

        rows = {
            "all checks": nullcontext,
            "without the check for NaN": without("check_weights"),
            "without the checksum": without("_sha256"),
            "without both": without("check_weights", "_sha256"),
        }
        print(f"load_checkpoint of {name}, {(folder / checkpoints.WEIGHTS).stat().st_size / 1e6:.0f} MB, CPU, median of {rounds}")
        for label, around in rows.items():
            print(f"  {label:26} {median_ms(load, around, rounds):6.0f} ms", flush=True)


if __name__ == "__main__":
    main()
