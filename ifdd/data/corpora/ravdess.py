"""RAVDESS: 24 actors who say, and 23 who sing, two sentences in eight emotions.

Livingstone and Russo, "The Ryerson Audio-Visual Database of Emotional Speech and Song", PLoS ONE 13 (2018). The name of a clip,
`02-01-06-01-02-01-12.mp4`, tells modality (01 with sound, 02 video alone), channel, emotion, intensity, statement, repetition and
actor. It is handed out with sound and without: of a take that is there twice, the one without sound is kept. Calm is a class of
its own; `--map calm=neutral` makes it neutral. There are no official folds.
"""

import re
from collections.abc import Sequence

from ifdd.data.corpora.base import Factors
from ifdd.data.corpora.finding import Found
from ifdd.data.corpora.indexing import Corpus
from ifdd.data.corpora.orders import ORDERS, RAVDESS_LABELS

MODALITY = {"01": "audio-video", "02": "video"}
CHANNEL = {"01": "speech", "02": "song"}
INTENSITY = {"01": "normal", "02": "strong"}
STATEMENT = {"01": "kids", "02": "dogs"}
"""Kids are talking by the door; dogs are sitting by the door."""
_NAME = re.compile(r"0[12]-0[12]-0[1-8]-0[12]-0[12]-0[12]-(?:0[1-9]|1\d|2[0-4])")
_ACTOR = re.compile(r"actor_?\d+", re.IGNORECASE)


def key_of(parts: tuple[str, ...]) -> tuple[str, int] | None:
    """A clip's name.

    >>> key_of(("Actor_12", "02-01-06-01-02-01-12"))
    ('02-01-06-01-02-01-12', 2)
    """
    if not _NAME.fullmatch(parts[-1]):
        return None
    return parts[-1], 2 if len(parts) > 1 and _ACTOR.fullmatch(parts[-2]) else 1


def class_of(clip: str) -> str | None:
    """The emotion in a clip's name."""
    return ORDERS["ravdess"][int(clip.split("-")[2]) - 1]


def twin_of(clip: str) -> str | None:
    """The same take without sound."""
    return f"02{clip[2:]}" if clip.startswith("01") else None


def factors(found: Found, clips: Sequence[str]) -> Factors:
    """What the parts of a clip's name tell."""
    parts = {clip: clip.split("-") for clip in clips}
    return Factors(
        {
            "subject": {clip: part[6] for clip, part in parts.items()},
            "modality": {clip: MODALITY[part[0]] for clip, part in parts.items()},
            "channel": {clip: CHANNEL[part[1]] for clip, part in parts.items()},
            "intensity": {clip: INTENSITY[part[3]] for clip, part in parts.items()},
            "sentence": {clip: STATEMENT[part[4]] for clip, part in parts.items()},
            "repetition": {clip: int(part[5]) for clip, part in parts.items()},
            "sex": {clip: "female" if int(part[6]) % 2 == 0 else "male" for clip, part in parts.items()},
        }
    )


RAVDESS = Corpus(
    name="ravdess",
    title="RAVDESS",
    labels=RAVDESS_LABELS,
    orders=("ravdess",),
    counts={},
    total={},
    key_of=key_of,
    class_of=class_of,
    factors=factors,
    folders=("face_aligned",),
    parts_of_one=re.compile(r"video_(?:speech|song)_actor_\d+", re.IGNORECASE),
    twin_of=twin_of,
    looked_for="videos or folders named 02-01-06-01-02-01-12, …",
    lists_needed=False,
)
