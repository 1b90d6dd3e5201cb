"""Names of frames: numbers that are left out, and an order that text sorts otherwise."""

from collections.abc import Iterator

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many


def naming(case: Case) -> Iterator[Finding]:
    """Folders of frames with holes, or whose names are no text order; lists that count other frames than there are."""
    holes = [i for i, seen in enumerate(case.seen) if seen.missing]
    if holes:
        frames = sum(case.seen[i].missing for i in holes)
        yield finding(
            "warning",
            "frames",
            f"{many(len(holes), 'folder')} of frames with holes: {many(frames, 'number')} left out",
            [f"{case.ids[i]}: no {case.seen[i].holes}" for i in holes],
            "extract the frames anew; as they are, the frames beside a hole follow each other at the folder's rate",
        )
    unsorted = [i for i, seen in enumerate(case.seen) if seen.unsorted]
    if unsorted:
        yield finding(
            "note",
            "frames",
            f"in {many(len(unsorted), 'folder')} frames are in order by number, not as text (10 before 2)",
            case.named(unsorted),
            "nothing to do here, frames are read by number; code that sorts names as text reads them out of order",
        )
    told = case.frame["n_frames"].to_numpy(float)
    differ = [i for i, seen in enumerate(case.seen) if seen.frames and not seen.error and told[i] > 0 and told[i] != seen.frames]
    if differ:
        yield finding(
            "warning",
            "frames",
            f"the list counts other frames than there are in {many(len(differ), 'clip')}",
            [f"{case.ids[i]}: {told[i]:.0f} listed, {case.seen[i].frames} there" for i in differ],
            "index from disk: ifdd data index LIST --out NEW.parquet",
        )
