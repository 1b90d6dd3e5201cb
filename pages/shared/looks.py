"""How the pages look: titles, charts, buttons, and the panel for bad input."""

import errno
import html
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, TypedDict

import streamlit as st

from workbench.app.from_ifdd import Card, DiskError, InputError, markdown_text
from workbench.plotting.style import class_colour


class Kept(TypedDict):
    """Options of a widget, by name, so that the type of what the widget returns is known."""

    key: str
    persist_state: Literal["session"]


def kept(key: str) -> Kept:
    """Options of a widget that keeps its value from page to page."""
    return {"key": key, "persist_state": "session"}


_OWN = "nothing new can be kept here: start the app on a copy of the workspace, or as its owner"
_FULL = "the disk is full: make room on it, and try again"
_TRY_AGAIN = "see whether the disk is full, and try again"
_WAYS_OUT = {
    errno.EROFS: _OWN,
    errno.EACCES: _OWN,
    errno.EPERM: _OWN,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.ENOENT: "somebody may have removed or renamed it: put it back, and load the page again",
}


def show_error(error: Exception, about: str = "") -> None:
    """A panel: what is wrong with what (`about`), and the next step, with which nearly every message of ours ends."""
    text = str(error)
    if isinstance(error, DiskError):  # a page writes where the workspace is: no other folder can be chosen
        text = f"{error.finding}; {_WAYS_OUT.get(error.number or 0, _TRY_AGAIN)}"
    elif isinstance(error, OSError):
        text = f"{error.filename or 'the computer'}: {error.strerror or error}; {_WAYS_OUT.get(error.errno or 0, _TRY_AGAIN)}"
    text = text if not about or about in text else f"{about}: {text}"
    what, _, step = text.rpartition("; ")
    if isinstance(error, (InputError, OSError)) and 0 < text.count("; ") <= 2:  # more of them: a list, not a way out
        text = f"{markdown_text(what)}\n\n**Next step:** {markdown_text(step)}"
    else:
        text = markdown_text(text)
    st.error(text, icon=":material/error:")


@contextmanager
def error_panel() -> Iterator[None]:
    """Show bad input as a panel and end the page there."""
    try:
        yield
    except (InputError, OSError) as error:
        show_error(error)
        st.stop()


def heading(title: str, text: str = "") -> None:
    """Title of a page, and what it is for; both as they are, whatever Markdown or HTML would make of them."""
    st.title(markdown_text(title), anchor=False)
    if text:
        lead(html.escape(text))


def lead(text: str) -> None:
    """The line below a title, HTML."""
    st.html(f'<p class="lead">{text}</p>')


def section(title: str, text: str = "") -> None:
    """Title of a part of a page, and a line on it; both as they are, whatever Markdown would make of them."""
    st.subheader(markdown_text(title), anchor=False)
    if text:
        note(text)


def note(text: str) -> None:
    """A small line, as it is."""
    st.caption(markdown_text(text))


def notice(cards: Iterable[Card]) -> None:
    """What the cards warn of, each sentence once."""
    with st.container(key="notice"):
        for text in dict.fromkeys(card.notice for card in cards):
            st.warning(markdown_text(text), icon=":material/info:")


def duration(seconds: float) -> str:
    """So many seconds or minutes, as roughly as an estimate is known."""
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f} %"


def class_chip(name: str) -> str:
    """A class name with its colour, as HTML."""
    return f'<span class="chip"><i style="background:{class_colour(name)}"></i>{html.escape(name)}</span>'
