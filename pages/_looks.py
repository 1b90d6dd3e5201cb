"""How the pages look: titles, charts, buttons, and the panel for bad input."""

import html
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict

import streamlit as st

from workbench.app.from_ifdd import Bundle, InputError, markdown_text
from workbench.plotting.base import SUFFIXES, Display, without_markup
from workbench.plotting.style import class_colour, plotly_template

MIME = {".svg": "image/svg+xml", ".pdf": "application/pdf", ".png": "image/png"}
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"], "scrollZoom": False}


class Kept(TypedDict):
    """Options of a widget, by name, so that the type of what the widget returns is known."""

    key: str
    persist_state: Literal["session"]


def kept(key: str) -> Kept:
    """Options of a widget that keeps its value from page to page."""
    return {"key": key, "persist_state": "session"}


def show_error(error: Exception, about: str = "") -> None:
    """A panel: what is wrong with what (`about`), and the next step, with which nearly every message of ours ends."""
    text = str(error)
    if isinstance(error, OSError):
        text = f"{error.filename or 'the computer'}: {error.strerror or error}; see whether the disk is full, and try again"
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


def notice(bundles: dict[str, Bundle]) -> None:
    """What the cards warn of, each sentence once."""
    for text in dict.fromkeys(bundle.card.notice for bundle in bundles.values()):
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


LEGEND_ABOVE = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
LEGEND_BELOW = {"orientation": "h", "x": 0, "y": -0.08, "yanchor": "top"}


def chart(figure: Any, key: str, alt: str, **options: Any) -> Any:
    """A plotly figure in the page's colours and font."""
    page = st.context.theme.type
    figure = without_markup(figure)
    figure.update_layout(template=plotly_template(page if page in ("light", "dark") else "any"))
    figure.update_layout(modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": "#8a8a8a", "activecolor": "#2f8bcb"})
    figure.update_layout(font_family='"Source Sans", "Source Sans 3", sans-serif')
    return st.plotly_chart(figure, key=key, alt=alt, theme=None, config=CHART, **options)


def save_button(displays: Mapping[str, Display], name: str, key: str) -> None:
    """A small menu with every figure as SVG, PDF and PNG, drawn when asked for."""
    with st.popover("Save figures", icon=":material/download:", key=f"{key}_menu"):
        for title, display in displays.items():
            note(title)
            with st.container(horizontal=True):
                for suffix in SUFFIXES:
                    stem = f"{name}-{title}".replace(" ", "-")
                    st.download_button(
                        suffix[1:].upper(),
                        data=_Drawing(display, suffix),
                        file_name=f"{stem}{suffix}",
                        mime=MIME[suffix],
                        key=f"{key}_{title}_{suffix}",
                        on_click="ignore",
                    )


class _Drawing:
    """A figure as a file's bytes, made when the browser asks for them."""

    def __init__(self, display: Display, suffix: str) -> None:
        self.display, self.suffix = display, suffix

    def __call__(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            return self.display.save(Path(folder) / f"figure{self.suffix}").read_bytes()


def chosen_points(event: Any) -> list[str]:
    """Clip ids of the points that are selected in a chart."""
    data = [point.get("customdata") for point in event.selection.points]
    return [str(item[0] if isinstance(item, list) else item) for item in data]
