"""Weights of the classes in a loss, by how many training clips each has."""

from typing import Literal

import numpy as np


def class_weights(counts: np.ndarray, rule: Literal["balanced", "effective"], beta: float = 0.999) -> np.ndarray:
    """(classes,) weights whose mean over the training clips is 1; 0 for a class without clips.

    "balanced": 1/n. "effective": (1 − β)/(1 − βⁿ), from alike for all (β = 0) to 1/n (β → 1); Cui et al. 2019, arXiv 1901.05555,
    eq. 2.

    >>> class_weights(np.array([30, 10]), "balanced")
    array([0.66666667, 2.        ])
    """
    known = counts > 0
    n = np.where(known, counts, 1).astype(float)
    raw = 1 / n if rule == "balanced" else (1 - beta) / -np.expm1(n * np.log(beta)) if beta else np.ones_like(n)
    raw = np.where(known, raw, 0.0)
    return raw * counts.sum() / (raw * counts).sum()
