"""Searches for bad slices that a command makes beside the page are those that the page makes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ifdd.errors import InputError
from workbench.analysis.comparison.results import ComparisonReport
from workbench.analysis.comparison.task import compare_clips, slice_clips, write
from workbench.app import comparing
from workbench.store.side_by_side import SameClips

COLUMNS = ["light", "yaw"]


@pytest.fixture
def clips() -> SameClips:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "clip_id": [f"clip {i}" for i in range(120)],
            "label": np.arange(120) % 3,
            "subject": [f"s{i % 12}" for i in range(120)],
            "light": rng.choice(["dark", "bright"], 120),
            "yaw": rng.uniform(-30, 30, 120),
        }
    )
    probs = {name: rng.dirichlet(np.ones(3), 120) for name in ("first", "second")}
    return SameClips(probs, table, ("happy", "sad", "fear"), {}, ())


def test_the_command_finds_what_the_page_finds(clips: SameClips, tmp_path: Path) -> None:
    slices, searches, notes = slice_clips(clips, COLUMNS)
    compared = compare_clips(clips)
    write(ComparisonReport(compared, slices, searches, notes, compared.provenance), tmp_path / "out")
    by = comparing.factors(clips, COLUMNS, 4)
    for number, name in enumerate(clips.probs):
        assert comparing.found_by_command(tmp_path / "out", number) == comparing.searched(clips, by, name, 20)
    with pytest.raises(InputError, match="search again"):
        comparing.found_by_command(tmp_path / "out", 2)
    with pytest.raises(InputError, match="search again"):
        comparing.found_by_command(tmp_path, 0)


def test_what_takes_long_are_slices_times_persons_or_clips(clips: SameClips, monkeypatch: pytest.MonkeyPatch) -> None:
    by = comparing.factors(clips, COLUMNS, 4)
    looked_at = 2 + 4 + 2 * 4
    assert not comparing.takes_long(clips, by)
    for found, units in ((clips, 12), (replace(clips, table=clips.table.drop(columns="subject")), 120)):
        for most, long in ((looked_at * units, False), (looked_at * units - 1, True)):
            monkeypatch.setattr(comparing, "LONG", most)
            assert comparing.takes_long(found, by) == long
