"""The film of an explanation: titles and badges stay in their own panel, and a frame that nothing reads shows the face."""

import numpy as np
import pytest

from workbench.analysis.saliency.displays.heat import HATCH, badges_note, hatch
from workbench.analysis.saliency.results import Verdict
from workbench.plotting.images import FilmPanel, _lines, side_by_side

T = 2
LONG = "Y_D, the dynamic branch of a model with a very long name indeed, which goes on and on"
BADGE = ("passes, but centre and edge and random do as well (other clips)", "#9A6700")


def film(width: int, titles: list[str], badges: list[tuple[str, str] | None], unread: bool = False) -> np.ndarray:
    images = np.full((T, width // 2, width, 3), 90, np.uint8)
    signs = np.array([False, unread])
    return side_by_side(
        [FilmPanel(title, images, badge, signs) for title, badge in zip(titles, badges, strict=True)],
        ["a caption that is far too long for one line " * 6],
        ["frame"] * T,
    )


def panels(page: np.ndarray, count: int) -> list[slice]:
    """Columns of each panel, without the gap on its right."""
    width = (page.shape[2] + 8) // count - 8
    return [slice(i * (width + 8), i * (width + 8) + width) for i in range(count)]


@pytest.mark.parametrize("width", [112, 224, 480])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("what", ["title", "badge"])
def test_words_stay_in_their_panel(width: int, count: int, what: str) -> None:
    unseen = (BADGE[0], "#FFFFFF")  # white on white
    plain = film(width, [""] * count, [unseen] * count)
    head = int((plain[0, :, 2] == 90).all(-1).argmax())
    for index in range(count):
        titles = [LONG if what == "title" and i == index else "" for i in range(count)]
        badges = [BADGE if what == "badge" and i == index else unseen for i in range(count)]
        changed = (film(width, titles, badges) != plain).any((0, 3))
        rows, columns = np.nonzero(changed)
        own = panels(plain, count)[index]
        assert len(columns) > 200
        assert own.start <= columns.min()
        assert columns.max() < own.stop - 2  # whole, not cut at the panel's edge
        assert rows.max() < head  # above the pictures


def test_a_badge_is_never_shortened() -> None:
    """In a narrow column it has the lines that it needs; a longer one has more."""
    heads = []
    for words in ("fails", BADGE[0], f"{BADGE[0]}, {BADGE[0]}"):
        page = film(112, ["a", "b"], [None, (words, "#B00020")])[0]
        heads.append(int((page[:, 2] == 90).all(-1).argmax()))
        ground = np.argwhere((page == (0xB0, 0x00, 0x20)).all(-1))
        assert ground[:, 0].max() < heads[-1]
        assert " ".join(_lines(words, 320 - 24, 13)) == words
    assert heads[0] < heads[1] < heads[2]
    assert int((film(112, ["a", "b"], [None, None])[0][:, 2] == 90).all(-1).argmax()) == 30


@pytest.mark.parametrize("width", [112, 224, 480])
def test_captions_take_the_lines_that_they_need(width: int) -> None:
    page = film(width, ["a", "b"], [None, None])[0]
    foot = page[30 + max(320, min(width, 480)) // 2 :]
    assert (foot[:, -4:] == 255).all()  # nothing runs out of the page
    assert sum((foot[row : row + 24] < 128).any() for row in range(0, len(foot) - 23, 24)) >= 3


def test_a_frame_that_nothing_reads_keeps_its_face() -> None:
    face = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    drawn = hatch(face)
    np.testing.assert_array_equal(drawn[:, :104], face[:, :104])
    assert set(np.unique(drawn[:, 104:])) == set(HATCH)
    read, unread = film(112, ["X"], [None]), film(112, ["X"], [None], unread=True)
    np.testing.assert_array_equal(read[0], unread[0])
    rows, columns = np.nonzero((read[1] != unread[1]).any(-1))
    assert rows.max() - rows.min() < 24  # a small sign in the upper left corner
    assert columns.max() < 100


def test_badges_say_on_which_clips_they_were_reached() -> None:
    here = Verdict("gradcam", "ladm.Y_D", False, (), ("deletion and insertion",), (), "28 clips of mine", False)
    there = Verdict("gradcam", "ladm.Y_S", True, (), (), (), "28 clips of mine", True)
    assert here.badge == "fails: deletion and insertion"
    assert there.badge == "passes both tests (other clips)"
    assert badges_note([here, here]) == "Badges: tested on 28 clips of mine."
    assert badges_note([there]) == "Badges: tested on 28 clips of mine, not on what is shown here."
    assert badges_note([]) == ""
