"""Class names, in the one order that the project uses, and how names that others use are matched to them."""

import shlex
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ifdd.errors import InputError

EMOTIONS: tuple[str, ...] = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
"""The seven basic emotions in DFEW order (model index = DFEW label - 1)."""
SYNONYMS: tuple[frozenset[str], ...] = (
    frozenset({"happy", "happiness", "joy", "joyful", "joyous"}),
    frozenset({"sad", "sadness"}),
    frozenset({"neutral", "neutrality"}),
    frozenset({"angry", "anger"}),
    frozenset({"surprise", "surprised"}),
    frozenset({"disgust", "disgusted"}),
    frozenset({"fear", "fearful", "afraid", "scared"}),
    frozenset({"contempt", "contemptuous"}),
    frozenset({"anxiety", "anxious"}),
    frozenset({"helplessness", "helpless"}),
    frozenset({"disappointment", "disappointed"}),
)
"""Words for one class."""
POLARITIES: tuple[str, ...] = ("positive", "negative", "neutral")
"""What a mood, or a scene, may be."""
_POLARITY = {
    "positive": {"happy"},
    "negative": {"sad", "angry", "disgust", "fear", "contempt", "anxiety", "helplessness", "disappointment"},
    "neutral": {"neutral", "surprise"},
}


def parse_labels(text: str, option: str = "--labels") -> tuple[str, ...]:
    """Names with commas between, without the space around them.

    Raises: InputError for an empty name or one that is there twice (but for case and space).
    """
    names = tuple(" ".join(name.split()) for name in text.split(","))
    if not all(names):
        raise InputError(f"{option} {text!r}: a name is empty; write names with commas between, e.g. happy,sad")
    keys = [class_key(name) for name in names]
    if twice := [name for i, name in enumerate(names) if keys[i] in keys[:i]]:
        raise InputError(f"{option} {text!r}: {twice[0]} is there twice; name each class once")
    return names


def parse_map(text: str | None) -> dict[str, str]:
    """What `--map ANG=angry,DIS=disgust` says: name → class, "" for a class that is left out.

    Raises: InputError for a part without "=", or a name that is mapped twice.
    """
    found: dict[str, str] = {}
    for part in (text or "").split(",") if text is not None else []:
        name, equals, label = (" ".join(piece.split()) for piece in part.partition("="))
        if not equals or not name:
            raise InputError(f"--map {text!r}: write NAME=CLASS with commas between, e.g. ANG=angry,DIS=disgust")
        if name in found:
            raise InputError(f"--map {text!r}: {name} is there twice; give it one class")
        found[name] = label
    return found


def match_labels(
    names: Iterable[str],
    labels: Sequence[str],
    source: object,
    given: Mapping[str, str] | None = None,
    *,
    way_out: str = "--map",
    model: str = "",
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Class of `labels` for each name ("" where `given` leaves it out), and notes on those that are matched by another
    spelling, or left out.

    A name is matched as `given` says, else by its spelling but for case, space, "_" and "-", else as a synonym. Two words for
    one class are refused: they may be two classes.

    Args:
        names: as folders or a manifest have them.
        labels: classes that are known.
        source: named in an error.
        given: name → class, from `parse_map`.
        way_out: the option, or command, that takes such a map.
        model: whose classes they are, if it is a model: "the checkpoint".

    Raises:
        InputError: a name that is no class, or whose class is not clear; a map from or to a name that is not there.
    """
    names, given = sorted(set(names)), dict(given or {})
    known = ", ".join(labels)
    by_key = {class_key(label): label for label in labels}
    asked = {class_key(name): _target(name, label, labels, source) for name, label in given.items()}
    if strange := [name for name in given if class_key(name) not in {class_key(found) for found in names}]:
        raise InputError(f"{source}: there is no {strange[0]!r} to map; there are {', '.join(names)}")
    found: dict[str, str] = {}
    unknown: list[str] = []
    for name in names:
        key = class_key(name)
        if key in asked:
            found[name] = asked[key]
        elif name in labels:
            found[name] = name
        elif key in by_key:
            found[name] = by_key[key]
        elif len(same := _same_word(key, labels)) == 1:
            found[name] = same[0]
        else:
            unknown.append(name)
    if unknown:
        told = ",".join(f"{name}={_guess(name, labels) or 'CLASS'}" for name in unknown)
        few = f"{', '.join(unknown)} {'is no class' if len(unknown) == 1 else 'are no classes'}; classes are"
        told_of = (
            f"{source} has classes that {model} does not know: {', '.join(unknown)}; it has" if model else f"{source}: {few}"
        )
        raise InputError(f"{told_of} {known}; say what is meant with {_command(way_out, told)} (NAME= leaves a class out)")
    for label in set(found.values()) - {""}:
        words = {class_key(name) for name, chosen in found.items() if chosen == label and class_key(name) not in asked}
        if len(words) > 1:
            several = [name for name, chosen in found.items() if chosen == label]
            told = ",".join(f"{name}={label}" for name in several)
            raise InputError(
                f"{source}: {' and '.join(several)} may both be {label}; if they are, say so with {_command(way_out, told)}"
            )
    return found, told_spellings(found, asked)


def shared_classes(names: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """Each name → the one of `labels` that is the same class, in whatever spelling or as a synonym; others are left out, and so
    are two names of one class.

    >>> shared_classes(("Anger", "joy", "happiness", "sad", "bored"), ("angry", "happy", "sad"))
    {'Anger': 'angry', 'sad': 'sad'}
    """
    by_key = {class_key(label): [label] for label in labels}
    fitting = {
        name: [name] if name in labels else by_key.get(class_key(name)) or _same_word(class_key(name), labels) for name in names
    }
    found = {name: same[0] for name, same in fitting.items() if len(same) == 1}
    times = Counter(found.values())
    return {name: label for name, label in found.items() if name == label or (times[label] == 1)}


def meant_class(name: str, labels: Sequence[str] = EMOTIONS) -> str | None:
    """The class that a name says, by its spelling, as a synonym or as an abbreviation; None where it says none of `labels`."""
    key = class_key(name)
    fitting = [label for label in labels if class_key(label) == key] or _same_word(key, labels)
    return fitting[0] if len(fitting) == 1 else _guess(name, labels)


def polarity_of(name: str) -> str | None:
    """The polarity of an emotion, one of `POLARITIES`; surprise is neither. None for a word that names none of these emotions.

    >>> [polarity_of(name) for name in ("Happiness", "fear", "surprise", "yawning")]
    ['positive', 'negative', 'neutral', None]
    """
    key = class_key(name)
    words = {key}.union(*(group for group in SYNONYMS if key in group))
    return next((polarity for polarity, emotions in _POLARITY.items() if words & emotions), None)


def told_spellings(found: Mapping[str, str], asked: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """One line on names that are left out, one on those that are read as another spelling and that nobody `asked` for."""
    gone = [name for name, label in found.items() if not label]
    others = [(name, label) for name, label in found.items() if label not in ("", name) and class_key(name) not in (asked or {})]
    notes = [f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} left out"] if gone else []
    if others:
        notes.append(", ".join(f"{name} {'as' if i else 'is read as'} {label}" for i, (name, label) in enumerate(others)))
    return tuple(notes)


def _command(way_out: str, told: str) -> str:
    words = f"{way_out} {shlex.quote(told)}"
    return f"`{words}`" if " " in way_out else words


def _target(name: str, label: str, labels: Sequence[str], source: object) -> str:
    if not label or label in labels:
        return label
    fitting = [known for known in labels if class_key(known) == class_key(label)] or _same_word(class_key(label), labels)
    if len(fitting) != 1:
        raise InputError(f"{source}: {name} is mapped to {label!r}, which is no class; classes are {', '.join(labels)}")
    return fitting[0]


def class_key(name: str) -> str:
    """A name without what spellings differ in: case, space, "_", "-"."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in plain if not letter.isspace() and letter not in "_-") or plain


def _same_word(key: str, labels: Sequence[str]) -> list[str]:
    group = next((words for words in SYNONYMS if key in words), frozenset())
    return [label for label in labels if class_key(label) in group]


def _guess(name: str, labels: Sequence[str]) -> str | None:
    """The class that a name seems to abbreviate, if there is just one."""
    key = class_key(name)
    words = {label: {class_key(label)}.union(*(group for group in SYNONYMS if class_key(label) in group)) for label in labels}
    fitting = [label for label, group in words.items() if len(key) >= 2 and any(word.startswith(key) for word in group)]
    return fitting[0] if len(fitting) == 1 else None
