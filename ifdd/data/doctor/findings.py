"""What the doctor finds: how grave, what, in how many clips, and the way out."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""An error makes numbers wrong, or a clip unreadable; a warning may change numbers; a note is to be known."""
EXIT_CODES: dict[Severity, int] = {"error": 4, "warning": 3, "note": 0}
"""Of the command, by the gravest finding; 1 and 2 are what every command ends with where it cannot run."""
EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One finding: `what` in one line, of how many clips (or pairs, or persons), some `examples`, and the way out."""

    severity: Severity
    check: str
    what: str
    count: int = 0
    examples: tuple[str, ...] = ()
    way_out: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"examples": list(self.examples)}


def finding(
    severity: Severity, check: str, what: str, examples: Iterable[object] = (), way_out: str = "", count: int | None = None
) -> Finding:
    """A finding whose count is that of its examples, of which the first `EXAMPLES` are kept."""
    every = [str(example) for example in examples]
    return Finding(severity, check, what, len(every) if count is None else count, tuple(every[:EXAMPLES]), way_out)


def gravest(findings: Sequence[Finding]) -> Severity:
    """The gravest severity; "note" where nothing was found."""
    return min((one.severity for one in findings), key=SEVERITIES.index, default="note")


def many(count: int, noun: str) -> str:
    """A count with its noun.

    >>> many(1, "clip"), many(2, "clip"), many(3, "class")
    ('1 clip', '2 clips', '3 classes')
    """
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{ending}"
