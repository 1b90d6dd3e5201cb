"""Numbers of a list in an order that is unusual for its corpus: told by the counts, or asked for, never read as the usual one."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ifdd.data.corpora import CORPORA, ORDERS
from ifdd.data.corpora.listing import read_listing
from ifdd.data.corpora.numbering import Evidence, numbering
from ifdd.errors import InputError

DFEW = CORPORA["dfew"]


def evidence(counts: Mapping[str, int], order: str, *, first: int = 0, lost: int = 0) -> Evidence:
    """A test list of DFEW's first fold with so many clips of each class, numbered in an order, without some of the first."""
    numbers = [first + ORDERS[order].index(name) for name, n in counts.items() for _ in range(n)][lost:]
    rows = [(f"{i:05d}", number) for i, number in enumerate(numbers)]
    return Evidence({(1, "test"): rows}, {(1, "test"): "set_1.csv"}, {}, ())


@pytest.mark.parametrize("order", ["dfew", "alphabetical-7"])
@pytest.mark.parametrize("first", [0, 1])
def test_official_counts_tell_an_unusual_order_too(order: str, first: int) -> None:
    found = numbering(DFEW, evidence(DFEW.counts[1].test, order, first=first))
    assert (found.order, found.first) == (order, first)
    assert found.source == "the official number of clips of each class"


def test_an_order_that_fits_much_better_than_the_usual_one_is_asked_for() -> None:
    few = evidence(DFEW.counts[1].test, "alphabetical-7", lost=7)  # no official count any more
    with pytest.raises(InputError, match=r"nothing tells their order.* --order alphabetical-7 or --order dfew"):
        numbering(DFEW, few)
    assert numbering(DFEW, few, "alphabetical-7").order == "alphabetical-7"
    assert numbering(DFEW, evidence(DFEW.counts[1].test, "dfew", lost=7)).order == "dfew"


@pytest.mark.parametrize(
    "counts", [dict.fromkeys(DFEW.labels, 60), dict(zip(DFEW.labels, (9, 0, 40, 300, 3, 2, 90), strict=True))]
)
def test_clips_of_ones_own_choice_say_nothing_of_the_order(counts: Mapping[str, int]) -> None:
    found = numbering(DFEW, evidence({name: n for name, n in counts.items() if n}, "dfew"))
    assert found.order == "dfew"
    assert "one order in which lists of DFEW" in found.source


@pytest.mark.parametrize(("odd", "told"), [("-1", "'-1' is none"), ("nan", "'nan' is none")])
def test_the_label_that_is_no_number_is_named(odd: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "set_1_train.csv").write_text(f"video_name,label\n00001,3\n00002,{odd}\n")
    with pytest.raises(InputError, match=told):
        read_listing(DFEW, tmp_path, ["set_1_train.csv"])
