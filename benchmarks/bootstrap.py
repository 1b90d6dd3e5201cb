"""Seconds that WAR, UAR and recalls with their intervals take: 5,000 clips of 5,000 people. Promised for the app: 1 s.

python benchmarks/bootstrap.py
"""

import time

import numpy as np

from workbench.analysis.performance.scores import summary


def main() -> None:
    """Measure and print."""
    labels = np.random.default_rng(0).integers(0, 7, 5000)
    start = time.perf_counter()
    summary(labels, labels, groups=np.arange(5000))
    print(f"{time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
