"""The same clip twice: by path, or by content under whatever name."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many
from ifdd.data.same_files import content_hash
from ifdd.errors import InputError
from ifdd.progress import tqdm


def copies(case: Case) -> Iterator[Finding]:
    """Clips that are in two parts (an error), or twice in one (a warning): of one path, or of equal bytes."""
    by_path = twice(range(len(case.places)), lambda i: case.places[i])
    known = {i for group in by_path for i in group[1:]}
    rest = [i for i in range(len(case.places)) if i not in known and case.seen[i].size]
    # files are read only where number and bytes are equal
    alike = [i for group in twice(rest, lambda i: (case.seen[i].frames, case.seen[i].size)) for i in group]
    shown = tqdm(alike, "compare contents", unit="clip", delay=2, leave=False, disable=None)
    hashes = {i: _hash(case.places[i]) for i in shown}
    by_content = twice([i for i in alike if hashes[i]], lambda i: hashes[i])
    for what, groups in (("path", by_path), ("content", by_content)):
        across = [group for group in groups if len({case.part_of[i] for i in group} - {""}) > 1]
        within = [group for group in groups if group not in across]
        for severity, found, where in (("error", across, "in two parts"), ("warning", within, "twice")):
            if found:
                clips = sum(map(len, found))
                yield finding(
                    "error" if severity == "error" else "warning",
                    "copies",
                    f"{many(len(found), 'clip')} of equal {what} {'are' if len(found) > 1 else 'is'} listed {where} "
                    f"({clips:,} rows)",
                    [" = ".join(_named(case, group)) for group in found],
                    "a test clip that was trained on is no test: leave one out"
                    if severity == "error"
                    else "leave all but one out; they count several times",
                    count=len(found),
                )


def twice(rows: Sequence[int], key: Callable[[int], Hashable]) -> list[list[int]]:
    """Groups of rows of one key that more than one row has."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for i in rows:
        groups[key(i)].append(i)
    return [group for group in groups.values() if len(group) > 1]


def _named(case: Case, group: Sequence[int]) -> list[str]:
    shown = [f"{case.ids[i]}{f' ({case.part_of[i]})' if case.part_of[i] else ''}" for i in group[:3]]
    return shown + ["…"] * (len(group) > 3)


def _hash(place: str) -> str:
    try:
        return content_hash(place)
    except (OSError, InputError):
        return ""
