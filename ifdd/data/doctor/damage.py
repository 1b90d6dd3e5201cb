"""Files that are not there, damaged or cut short."""

from collections.abc import Iterator

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many


def damage(case: Case) -> Iterator[Finding]:
    """Clips that cannot be read, with the reason of each."""
    bad = [i for i, seen in enumerate(case.seen) if seen.error]
    if len(bad) == len(case.seen) and not any(seen.size for seen in case.seen):
        yield finding(
            "error",
            "damage",
            f"none of the {many(len(bad), 'clip')} is there, e.g. {case.places[0]}",
            (),
            "paths count from the list's folder: move the list beside the clips, or index anew",
            count=len(bad),
        )
    elif bad:
        yield finding(
            "error",
            "damage",
            f"{many(len(bad), 'clip')} cannot be read",
            [f"{case.ids[i]}: {case.seen[i].error}" for i in bad],
            "copy or extract them anew, or leave them out (--on-error skip)",
        )
    if not case.deep:
        yield finding("note", "damage", "only names and sizes of files were looked at", (), "leave out --quick to read them all")
