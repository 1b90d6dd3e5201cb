"""Action units that a script may use, and the prototype of each emotion in them."""

from ifdd.labels import EMOTIONS

UNITS: tuple[str, ...] = tuple(
    f"AU{n:02d}" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 45)
)
"""FACS units in the order of every unit axis. AU45 is the blink."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(UNITS)}

PROTOTYPES: dict[str, tuple[dict[str, float], ...]] = {
    "happy": (
        {"AU06": 0.9, "AU12": 1.0},
        {"AU06": 0.9, "AU12": 1.0, "AU25": 0.8},
        {"AU06": 1.0, "AU12": 1.0, "AU25": 0.8, "AU26": 0.3},
    ),
    "sad": (
        {"AU01": 1.0, "AU04": 0.6, "AU15": 1.0, "AU17": 0.6},
        {"AU01": 1.0, "AU04": 0.4, "AU15": 1.0},
    ),
    "neutral": ({},),
    "angry": (
        {"AU04": 1.0, "AU05": 0.6, "AU07": 0.8, "AU23": 0.9},
        {"AU04": 1.0, "AU05": 0.5, "AU07": 0.9, "AU24": 1.0, "AU17": 0.4},
    ),
    "surprise": (
        {"AU01": 1.0, "AU02": 1.0, "AU05": 0.9, "AU26": 0.9},
        {"AU01": 1.0, "AU02": 1.0, "AU05": 0.9, "AU27": 0.7},
    ),
    "disgust": (
        {"AU09": 1.0, "AU10": 0.6, "AU15": 0.5},
        {"AU09": 0.9, "AU10": 0.9, "AU15": 0.4, "AU16": 0.7, "AU25": 0.5},
    ),
    "fear": (
        {"AU01": 1.0, "AU02": 0.7, "AU04": 0.7, "AU05": 1.0, "AU20": 1.0},
        {"AU01": 1.0, "AU02": 0.7, "AU04": 0.7, "AU05": 1.0, "AU20": 1.0, "AU25": 0.8},
        {"AU01": 1.0, "AU02": 0.7, "AU04": 0.7, "AU05": 1.0, "AU20": 0.9, "AU26": 0.5},
    ),
}
"""Variants of each emotion, unit -> weight at full intensity.

Source: Friesen & Ekman, EMFACS-7, 1983, and Ekman, Friesen & Hager, FACS Investigator's Guide, 2002 (prototypes and their
major variants). The weights between 0 and 1 are ours.
"""

IRRELEVANT: tuple[dict[str, float], ...] = (
    {"AU14": 1.0},
    {"AU18": 0.9},
    {"AU22": 0.8, "AU25": 0.4},
    {"AU02": 0.7},
    {"AU24": 0.7},
    {"AU16": 0.6, "AU25": 0.5},
    {"AU27": 0.9, "AU45": 0.6},
)
"""Expressions that stand for no emotion: dimpler, pucker, funneler, brow flash, lip press, lower-lip pull, yawn."""

if tuple(PROTOTYPES) != EMOTIONS:
    raise AssertionError("PROTOTYPES must list every emotion in the order of EMOTIONS")
