"""The lists that DFER-CLIP and S2D publish: folds, counts and orders of classes."""

from collections import Counter
from pathlib import Path

import pytest

from ifdd.data.corpora import CORPORA, Listing, clashes, read_listing
from ifdd.data.corpora.finding import look_below
from ifdd.data.corpora.list_files import read_list
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

NAMES = ("dfew", "mafw", "ferv39k")


@pytest.fixture(scope="module")
def listings(shared: Path) -> dict[str, Listing]:
    """What all public lists say of each corpus."""
    found = {}
    for name in NAMES:
        listing = read_listing(
            CORPORA[name], shared / "data/lists", look_below(shared / "data/lists", CORPORA[name].key_of).lists
        )
        assert listing is not None
        found[name] = listing
    return found


EXPECTED = {
    "dfew": {1: (9356, 2341), 2: (9356, 2341), 3: (9357, 2340), 4: (9358, 2339), 5: (9361, 2336)},
    "mafw": {1: (7333, 1839), 2: (7335, 1837), 3: (7339, 1833), 4: (7340, 1832), 5: (7341, 1831)},
    "ferv39k": {0: (31_088, 7_847)},
}


@pytest.mark.parametrize("name", NAMES)
def test_folds_are_the_official_ones_and_all_makers_agree(name: str, listings: dict[str, Listing]) -> None:
    listing = listings[name]
    official = [family for family in (listing.family, *listing.others) if family.official]
    assert len(official) >= 2
    for family in official:
        assert {fold: (counts.n_train, counts.n_test) for fold, counts in family.counts.items()} == EXPECTED[name]
        assert (family.label, family.fold, family.part) == (listing.family.label, listing.family.fold, listing.family.part)


def test_counts_of_the_first_fold_are_those_counted_by_hand(listings: dict[str, Listing]) -> None:
    counts = listings["dfew"].family.counts[1]
    assert [counts.train[name] for name in EMOTIONS] == [1956, 1515, 2135, 1738, 1175, 116, 721]
    assert [counts.test[name] for name in EMOTIONS] == [489, 379, 534, 435, 294, 29, 181]
    total = Counter(listings["mafw"].family.label.values())
    assert (total["angry"], total["contempt"], total["helplessness"], sum(total.values())) == (1390, 236, 262, 9172)


def test_orders_are_named_and_clash_by_number_alone(listings: dict[str, Listing]) -> None:
    (clash,) = clashes([listings["ferv39k"].family, *listings["ferv39k"].others])
    assert {clash.order_of_one, clash.order_of_other} == {"dfew", "alphabetical-7"}
    assert (clash.clips, clash.numbers_differ, clash.names_differ) == (38_935, 38_935, 0)
    assert clash.permutation == {"0": "3", "1": "5", "2": "4", "3": "0", "4": "6", "5": "1", "6": "2"}
    (same,) = clashes([listings["dfew"].family, *listings["dfew"].others])
    assert (same.clips, same.numbers_differ, same.names_differ) == (11_697, 0, 0)
    mafw = {family.order: family.source for family in (listings["mafw"].family, *listings["mafw"].others)}
    assert mafw["mafw-dfer-clip"] == "other lists that name the class of the same clips"
    assert mafw["mafw-alphabetical"] == "id_to_calss.txt beside the list"
    assert all(clash.names_differ == 0 for clash in clashes([listings["mafw"].family, *listings["mafw"].others]))


@pytest.mark.parametrize("other", ["mafw-paper", "mafw-dfer-clip", "mafw-alphabetical"])
def test_numbers_alone_are_named_by_the_official_counts(other: str, listings: dict[str, Listing], tmp_path: Path) -> None:
    """MAFW's lists in any order, from 0 or from 1, without anything beside them."""
    from ifdd.data.corpora import ORDERS

    family = listings["mafw"].family
    first = 1 if other == "mafw-paper" else 0
    for fold in (1, 2):
        for part in ("train", "test"):
            lines = [
                f"/mnt/x/MAFW/data/frames/{clip} {ORDERS[other].index(label) + first}"
                for clip, label in family.label.items()
                if (family.fold[clip] == fold) == (part == "test")
            ]
            (tmp_path / f"split0{fold}").mkdir(exist_ok=True)
            (tmp_path / f"split0{fold}/{part}.csv").write_text("\n".join(lines))
    found = read_listing(CORPORA["mafw"], tmp_path, look_below(tmp_path, CORPORA["mafw"].key_of).lists)
    assert found is not None
    assert (found.family.order, found.family.first, found.family.official) == (other, first, True)
    assert found.family.label == family.label


def test_a_list_with_one_wrong_label_is_named(shared: Path, tmp_path: Path) -> None:
    source = shared / "data/lists/s2d/data/MAFW/anno/single/no_caption"
    for name in ("id_to_calss.txt", "set_1/train.txt", "set_1/test.txt", "set_1/train.csv", "set_1/test.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((source / name).read_bytes())
    clip = read_list(tmp_path / "set_1/test.csv").paths[7]
    text = (tmp_path / "set_1/test.csv").read_text()
    assert f"{clip},0\n" in text
    (tmp_path / "set_1/test.csv").write_text(text.replace(f"{clip},0\n", f"{clip},1\n"))
    with pytest.raises(InputError, match=rf"clip {clip} is anxiety, .* say angry \(1 of 9172 clips differ\)"):
        read_listing(CORPORA["mafw"], tmp_path, look_below(tmp_path, CORPORA["mafw"].key_of).lists)
