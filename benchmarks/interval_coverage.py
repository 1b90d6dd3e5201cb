"""Do the intervals of one model, and of three seeds of it, hold the truth? In 93 to 97 % of the sets, for 10, 20, 140 persons.

Test sets of a model of known recalls are simulated: whether a clip is right depends on its person, its difficulty, its training
and luck. Persons have equally many clips, or very different numbers of them (lognormal) and rare classes. What is printed of the
recalls is the mean over classes.

python benchmarks/interval_coverage.py [SETS]
"""

import sys
import time

import numpy as np
from scipy.stats import norm

from ifdd.metrics import count_units, estimate
from workbench.analysis.comparison.seeds import difference_over_seeds, over_seeds

RECALLS = np.array((0.90, 0.70, 0.70, 0.75, 0.60, 0.15, 0.40))
SHARES = np.array((0.25, 0.20, 0.20, 0.15, 0.10, 0.04, 0.06))
"""Of the classes, where persons have different numbers of clips."""


def clips_of(persons: int, each: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Class (n,) and person (n,) of each clip: `each` of every class, or for 0 a different number for each person."""
    if each:
        return np.tile(np.repeat(np.arange(len(RECALLS)), each), persons), np.repeat(np.arange(persons), each * len(RECALLS))
    counts = np.maximum(2, np.round(np.exp(rng.normal(2.3, 1, persons)))).astype(int)
    return rng.choice(len(RECALLS), counts.sum(), p=SHARES), np.repeat(np.arange(persons), counts)


def simulate(
    target: np.ndarray, persons: np.ndarray, rng: np.random.Generator, *, alike: float, seeds: int = 1, by_seed: float = 0.0
) -> np.ndarray:
    """Hits (seeds, n): `alike` is the share of a clip's luck that is its person's, `by_seed` how far trainings differ.

    The expected recall of a class is Φ(Φ⁻¹(recall)/√(1 + by_seed²)).
    """
    m, n = persons.max() + 1, len(target)
    shared = np.sqrt(alike) * rng.normal(size=m)[persons] + np.sqrt((1 - alike) / 2) * rng.normal(size=n)
    own = np.sqrt((1 - alike) / 4) * (rng.normal(size=(seeds, m))[:, persons] + rng.normal(size=(seeds, n)))
    return shared + own < norm.ppf(RECALLS)[target] + by_seed * rng.normal(size=(seeds, 1))


def holds(persons: int, each: int, alike: float, seed: int) -> list[float]:
    """Whether the intervals of WAR and UAR hold the truth, and the share of the recalls' that do, for one simulated set."""
    rng = np.random.default_rng([seed, persons, each, round(100 * alike)])
    target, names = clips_of(persons, each, rng)
    (right,) = simulate(target, names, rng, alike=alike)
    found = estimate(right, target, len(RECALLS), count_units(names, len(target)))
    there = np.unique(target)
    war = float(RECALLS @ SHARES) if not each else float(RECALLS.mean())
    held = [
        low <= truth <= high
        for truth, (low, high) in zip(
            (war, RECALLS[there].mean(), *RECALLS[there]),
            (found.war.bounds, found.uar.bounds, *(found.recalls[c].bounds for c in there)),
            strict=True,
        )
    ]
    return [float(held[0]), float(held[1]), float(np.mean(held[2:]))]


def seeds_hold(persons: int, each: int, by_seed: float, seed: int, seeds: int = 3) -> list[float]:
    """Whether the intervals over seeds hold the truth: UAR, and the difference of two equal variants, pairs of seeds and not."""
    rng = np.random.default_rng([seed, persons, each, round(100 * by_seed)])
    target, names = clips_of(persons, each, rng)
    guesses = np.where(simulate(target, names, rng, alike=0.2, seeds=2 * seeds, by_seed=by_seed), target, len(RECALLS))
    first, second = list(guesses[:seeds]), list(guesses[seeds:])
    truth = norm.cdf(norm.ppf(RECALLS) / np.sqrt(1 + by_seed**2))[np.unique(target)].mean()
    score = over_seeds(first, target, groups=names).uar
    held = [score.low <= truth <= score.high]
    for paired in (True, False):
        found = difference_over_seeds(first, second, target, groups=names, paired=paired).uar
        held.append(found.low <= 0 <= found.high)
    return [float(item) for item in held]


def main() -> None:
    """Measure and print."""
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{sets} sets each; standard error of a share near 95 %: {100 * np.sqrt(0.95 * 0.05 / sets):.1f}")
    start = time.perf_counter()
    print("one model, coverage in % of WAR, UAR, recalls")
    for persons in (10, 20, 140):
        for each in (1, 3, 0):
            for alike in (0.0, 0.3, 0.8):
                held = 100 * np.mean([holds(persons, each, alike, seed) for seed in range(sets)], axis=0)
                how = f"{each} clips a class" if each else "uneven persons"
                print(f"  {persons:3d} persons, {how}, alike {alike:.1f}: " + " ".join(f"{value:5.1f}" for value in held))
    print("three seeds, coverage in % of UAR, difference of pairs, difference of others")
    for persons, each in ((10, 2), (20, 1), (140, 1)):
        for by_seed in (0.0, 0.05, 0.2):
            held = 100 * np.mean([seeds_hold(persons, each, by_seed, seed) for seed in range(sets)], axis=0)
            print(f"  {persons:3d} persons, spread of seeds {by_seed:.2f}: " + " ".join(f"{value:5.1f}" for value in held))
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
