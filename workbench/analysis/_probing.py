"""How linear probes are fitted, wherever one asks what features or places know: so that their scores can be compared."""

import numpy as np

DIMENSIONS = 32
"""Principal components that a probe reads, where there are as many."""
FOLDS = 5
PENALTIES = np.logspace(-2, 4, 7)
"""Of ridge regression; the best is chosen within training folds."""
