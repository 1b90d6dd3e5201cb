"""What a checkpoint's card keeps of the clips and persons that it was trained on: enough to know them again in another list.

No name and no picture is kept: of a clip 40 bits of a hash over its id and the number and size of its files, of a person 64 bits
of one over the id. Whoever has a list can tell which of its clips were trained on; an id that is a short number can be tried out.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ifdd.data.persons import person_ids
from ifdd.data.same_files import bytes_of
from ifdd.errors import InputError

CLIP_BYTES, PERSON_DIGITS = 5, 16
WHAT = {"train": "the checkpoint was trained on", "val": "the checkpoint's epoch was chosen on"}


def traces(clip_ids: Sequence[str], files: Sequence[str], subjects: Iterable[Any]) -> dict[str, Any]:
    """`{"clips": base64 text, "persons": [hex, …]}` of n clips; `files` are their paths, real or not.

    >>> traces(["a", "b"], ["/not/there/a", "/not/there/b"], ["1001", "1001.0"])["persons"]
    ['28ece7214344b2a1']
    """
    keys = sorted(_clip(name, file) for name, file in zip(clip_ids, files, strict=True))
    return {"clips": base64.b64encode(b"".join(keys)).decode(), "persons": sorted(_persons(subjects).values())}


def seen_before(
    data: Mapping[str, Any], clip_ids: Sequence[str], files: Sequence[str], subjects: Iterable[Any]
) -> tuple[str, ...]:
    """A line for each part of a card's `data` that has some of these clips, or of these persons; none for older cards."""
    kept = {part: found for part in WHAT if (found := _kept(data, part)) is not None}
    if not kept:
        return ()
    clips = [_clip(name, file) for name, file in zip(clip_ids, files, strict=True)]
    persons = _persons(subjects)
    notes = []
    for part, (known, people) in kept.items():
        same = sum(clip in known for clip in clips)
        shared = sorted(name for name, key in persons.items() if key in people)
        if same:
            notes.append(f"{same} of {len(clips)} clips are among those that {WHAT[part]}: on new ones it is worse")
        elif shared:
            notes.append(
                f"{len(shared)} of {len(persons)} persons, e.g. {shared[0]}, have ids of persons that {WHAT[part]}: if they are "
                "the same, it is worse on new ones"
            )
    return tuple(notes)


def _kept(data: Mapping[str, Any], part: str) -> tuple[set[bytes], set[str]] | None:
    """Clips and persons that a card keeps of a part; None where it keeps none, or what nobody can read."""
    about = data.get(part)
    found = about.get("traces") if isinstance(about, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    try:
        text = base64.b64decode(str(found.get("clips", "")), validate=True)
    except ValueError:
        return None
    keys = {text[i : i + CLIP_BYTES] for i in range(0, len(text), CLIP_BYTES)}
    people = found.get("persons", [])
    return keys, {str(person) for person in people} if isinstance(people, list) else set()


def _clip(name: str, file: str) -> bytes:
    try:
        count, size = bytes_of(file)
    except (OSError, InputError):
        count, size = 0, 0
    return hashlib.sha256(f"clip\0{name}\0{count}\0{size}".encode("utf-8", "backslashreplace")).digest()[:CLIP_BYTES]


def _persons(subjects: Iterable[Any]) -> dict[str, str]:
    """Hash of each person that is named, by id."""
    named = sorted(set(person_ids(subjects).tolist()) - {""})
    return {name: hashlib.sha256(f"person\0{name}".encode()).hexdigest()[:PERSON_DIGITS] for name in named}
