"""Who is seen: persons in two parts, and clips that name nobody."""

from collections.abc import Iterator

import numpy as np

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many
from ifdd.data.persons import shared_persons


def persons(case: Case) -> Iterator[Finding]:
    """Persons that training and test share, as text that is equal for 1001, 1001.0 and "1001 "; clips without a person."""
    unknown = np.flatnonzero(case.persons == "")
    for first, second in case.pairs:
        if shared := shared_persons(case.persons[case.parts[first]], case.persons[case.parts[second]]):
            yield finding(
                "error",
                "persons",
                f"{first} and {second} share {many(len(shared), 'person')}",
                shared,
                "split by person: ifdd data split --by subject",
            )
    total = len(case.persons)
    if len(unknown) == total:
        yield finding(
            "note",
            "persons",
            "no clip names a person (column subject): whether somebody is in two parts is not known",
            (),
            "write who is seen into the column subject, where the corpus tells it",
            count=total,
        )
    elif len(unknown):
        yield finding(
            "warning",
            "persons",
            f"{len(unknown):,} of {many(total, 'clip')} name no person: whether those are in two parts is not known",
            case.named(unknown),
            "fill in the column subject",
        )
