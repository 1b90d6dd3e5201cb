"""Does the comparison of two models keep its promises? Coverage of the paired intervals, and false alarms of the tests.

Two models with known recalls are run over simulated test sets. Whether they have a clip right is tied by its difficulty, and with
persons also by whose it is. The 95 % interval should hold the true difference in 93 to 97 % of the sets; with equal models, a
test at 5 % should cry wolf in at most 5 %. Beside it: the UAR's plain percentile interval.

python benchmarks/comparison_coverage.py [SETS]
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from workbench.analysis.comparison.paired import BootstrapDraws, Draws, detectable, draw, intervals, mcnemar, swap_test

DFEW = (490, 379, 534, 435, 294, 29, 181)
"""Clips of each class in a test fold of about DFEW's make-up."""
RECALLS = (0.90, 0.70, 0.70, 0.75, 0.60, 0.15, 0.40)
GAIN = (0.02, 0.02, 0.00, 0.03, 0.02, 0.05, 0.05)
DRAWS = 1000


@dataclass(frozen=True)
class Setting:
    """Class sizes, and how many clips a person has (0: clips are independent)."""

    name: str
    sizes: tuple[int, ...]
    per_person: int = 0
    difficulty: float = 0.6  # share of the latent variance that both models have in common


SETTINGS = (
    Setting("a fold of DFEW, 2,342 clips", DFEW),
    Setting("a sixth of it", tuple(max(size // 6, 5) for size in DFEW)),
    Setting("7 × 20 clips", (20,) * 7),
    Setting("7 × 20 clips of 20 persons", (20,) * 7, per_person=7),
    Setting("7 × 60 clips of 60 persons", (60,) * 7, per_person=7),
    Setting("a fold of DFEW, 300 persons", DFEW, per_person=8),
)


def simulate(setting: Setting, gain: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Differences d (n,), labels (n,), persons (n,) or None; the recalls are exact whatever is shared."""
    labels = np.repeat(np.arange(len(setting.sizes)), setting.sizes)
    n = len(labels)
    persons = None
    shared, own = np.sqrt(setting.difficulty) * rng.normal(size=n), 1 - setting.difficulty
    latent = np.stack([shared, shared])
    if setting.per_person:
        persons = rng.permutation(n) % (n // setting.per_person)
        taste = rng.normal(size=(2, n // setting.per_person))  # a person may suit one model and not the other
        latent += np.sqrt(own / 2) * taste[:, persons]
        own /= 2
    latent += np.sqrt(own) * rng.normal(size=(2, n))
    first, second = (latent[i] < norm.ppf(np.clip(np.array(RECALLS) + i * gain, 0, 1))[labels] for i in (0, 1))
    return second.astype(float) - first, labels, persons


def plain(drawn: Draws, setting: Setting, persons: np.ndarray | None) -> BootstrapDraws:
    """The UAR's draws as they come, for the usual percentile interval: neither stretched nor widened."""
    uar, endless = drawn.uar.value, np.array(np.inf)
    if persons is not None:
        m = len(np.unique(persons))
        return BootstrapDraws(uar, uar + (drawn.uar.samples - uar) * np.sqrt((m - 1) / m), endless)
    shrink = np.sqrt(1 - 1 / np.array(setting.sizes))
    return BootstrapDraws(uar, (drawn.recalls.value + (drawn.recalls.samples - drawn.recalls.value) * shrink).mean(1), endless)


def measure(setting: Setting, sets: int, seed: int) -> dict[str, float]:
    """Shares over simulated sets."""
    rng = np.random.default_rng(seed)
    gain, none = np.array(GAIN), np.zeros(len(GAIN))
    classes = len(setting.sizes)
    truth = (float(np.dot(setting.sizes, gain) / sum(setting.sizes)), float(gain.mean()))
    counts = dict.fromkeys(
        ("WAR", "UAR", "UAR plain", "WAR clips", "UAR clips", "McNemar", "exchange WAR", "exchange UAR", "power WAR"), 0.0
    )
    promised = []
    for _ in range(sets):
        d, labels, persons = simulate(setting, gain, rng)
        drawn = draw(d, labels, classes, persons, DRAWS, rng)
        found = {"WAR": drawn.war, "UAR": drawn.uar, "UAR plain": plain(drawn, setting, persons)}
        if persons is not None:  # what forgetting the persons would do
            alone = draw(d, labels, classes, None, DRAWS, rng)
            found |= {"WAR clips": alone.war, "UAR clips": alone.uar}
        for name, part in found.items():
            held, true = intervals(part)[0], truth[name.startswith("UAR")]
            counts[name] += held.low <= true <= held.high
        promised.append(detectable(drawn.war))
        counts["power WAR"] += swap_test(d, labels, classes, persons, DRAWS, rng)[0] <= 0.05
        d, labels, persons = simulate(setting, none, rng)
        counts["McNemar"] += mcnemar(int((d < 0).sum()), int((d > 0).sum())) <= 0.05
        p_war, p_uar = swap_test(d, labels, classes, persons, DRAWS, rng)
        counts["exchange WAR"] += p_war <= 0.05
        counts["exchange UAR"] += p_uar <= 0.05
    shares = {name: 100 * count / sets for name, count in counts.items()}
    needed = float(np.nanmean(promised))
    expected = norm.sf(norm.ppf(0.975) - (norm.ppf(0.975) + norm.ppf(0.8)) * truth[0] / needed)
    return shares | {"detectable WAR": 100 * needed, "power promised": 100 * float(expected)}


def main() -> None:
    """Measure and print."""
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    error = 100 * np.sqrt(0.95 * 0.05 / sets)
    print(f"{sets} sets each, {DRAWS} draws; standard error of a share near 5 or 95 %: {error:.1f}")
    for seed, setting in enumerate(SETTINGS):
        start = time.perf_counter()
        s = measure(setting, sets, seed)
        print(f"{setting.name} ({time.perf_counter() - start:.0f} s)")
        print(f"  coverage, %: WAR {s['WAR']:.1f}, UAR {s['UAR']:.1f} (plain {s['UAR plain']:.1f})", end="")
        print(f"; by clips, persons forgotten: WAR {s['WAR clips']:.1f}, UAR {s['UAR clips']:.1f}" if setting.per_person else "")
        told = ", ".join(f"{name} {s[name]:.1f}" for name in ("exchange WAR", "exchange UAR", "McNemar"))
        print(f"  false alarms, %: {told}{' (takes clips as independent)' if setting.per_person else ''}")
        print(
            f"  detectable WAR {s['detectable WAR']:.1f} points; true difference found in {s['power WAR']:.0f} %, "
            f"{s['power promised']:.0f} % expected from it"
        )


if __name__ == "__main__":
    main()
