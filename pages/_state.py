"""What the pages share: models and results that are kept, charts, and the panel for bad input."""

import html
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

from workbench.analysis.confidence import CalibrationResult, ConfidenceResult, calibration, density
from workbench.analysis.embedding import EmbeddingResult, Method, embed
from workbench.analysis.metrics import MetricsResult
from workbench.clipview import thumbnail
from workbench.collection import Collection
from workbench.displays.base import SUFFIXES, Display
from workbench.displays.style import class_colour, plotly_template
from workbench.explain import Explanation, Options, explain_video
from workbench.library import (
    Bundle,
    InputError,
    Library,
    checkpoints,
    demo_folder,
    features,
    labelled,
    load_checkpoint,
    measure,
)

MIME = {".svg": "image/svg+xml", ".pdf": "application/pdf", ".png": "image/png"}
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"], "scrollZoom": False}


def kept(key: str) -> dict[str, Any]:
    """Options of a widget that keeps its value from page to page."""
    return {"key": key, "persist_state": "session"}


# -- bad input -------------------------------------------------------------------------------------------------------------


def show_error(error: Exception, about: str = "") -> None:
    """A panel: what is wrong with what (`about`), and the next step, with which nearly every message of ours ends."""
    text = str(error) if not about or about in str(error) else f"{about}: {error}"
    what, _, step = text.rpartition("; ")
    if isinstance(error, InputError) and 0 < text.count("; ") <= 2:  # more of them: a list, not a way out
        text = f"{_plain(what)}\n\n**Next step:** {_plain(step)}"
    else:
        text = _plain(text)
    st.error(text, icon=":material/error:")


@contextmanager
def error_panel() -> Iterator[None]:
    """Show bad input as a panel and end the page there."""
    try:
        yield
    except (InputError, OSError) as error:
        show_error(error)
        st.stop()


def _plain(text: str) -> str:
    """Text as it is, whatever Markdown would make of it."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|<>~$:" else letter for letter in text)


# -- what is loaded --------------------------------------------------------------------------------------------------------


def library() -> Library:
    """The clips and collections; read again when the manifest changes."""
    folder = Library(demo_folder())
    stamp = folder.manifest.stat().st_mtime_ns if folder.manifest.is_file() else 0
    found = _library(folder.folder, stamp)
    _ = found.clips  # a missing demo is a panel on every page that needs it
    return found


@st.cache_resource(max_entries=2, show_spinner=False)
def _library(folder: Path, stamp: int) -> Library:
    return Library(folder)


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def _model(folder: Path, stamp: int) -> tuple[Bundle, Lock]:
    return load_checkpoint(folder), Lock()


def model(name: str) -> tuple[Bundle, Lock]:
    """A checkpoint and the lock to hold while its model runs.

    Raises: InputError for one that is unknown or damaged.
    """
    folder = checkpoints().get(name)
    if folder is None:
        raise InputError(f"checkpoint {name!r} is not there any more; choose another, or see IFDD_CHECKPOINTS")
    return _model(folder, max(file.stat().st_mtime_ns for file in folder.iterdir()))


def usable_models() -> dict[str, Bundle]:
    """The checkpoints that load; a panel for each that does not.

    Raises: InputError if none does.
    """
    found = {}
    for name in checkpoints():
        try:
            found[name] = model(name)[0]
        except (InputError, OSError) as error:
            show_error(error, name)
    if not found:
        raise InputError("no checkpoint can be used; train one with ifdd train, or set IFDD_CHECKPOINTS to a folder of them")
    return found


def collections(models: Sequence[str]) -> dict[str, Collection]:
    """What the models said about the clips; a panel for each without a usable collection."""
    found = {}
    for name in models:
        try:
            found[name] = library().collection(model(name)[0])
        except (InputError, OSError) as error:
            show_error(error, name)
    return found


# -- results that are kept -------------------------------------------------------------------------------------------------
# A collection is named by where it is and by the sha256 of its checkpoint; the underscore keeps Streamlit from hashing it.


def _name(collection: Collection) -> tuple[str, str, str]:
    return str(collection.folder), collection.meta["checkpoint"]["sha256"], collection.meta["data"]["hash"]


def metrics(collection: Collection) -> MetricsResult:
    """WAR, UAR and recalls of a collection."""
    return _metrics(_name(collection), collection)


@st.cache_resource(max_entries=8, show_spinner="Measuring …")
def _metrics(key: tuple[str, ...], _collection: Collection) -> MetricsResult:
    return measure(_collection)


def confidences(collection: Collection) -> tuple[ConfidenceResult, CalibrationResult]:
    """Densities and calibration of a collection."""
    return _confidences(_name(collection), collection)


@st.cache_resource(max_entries=8, show_spinner="Estimating densities …")
def _confidences(key: tuple[str, ...], _collection: Collection) -> tuple[ConfidenceResult, CalibrationResult]:
    table, names = labelled(_collection), _collection.labels
    probs, labels = _collection.probs[table["row"].to_numpy()], table["label"].to_numpy()
    return density(probs, labels, names), calibration(probs, labels, label_names=names)


def embedding(collection: Collection, activation: str, method: Method) -> EmbeddingResult:
    """A map of the labelled clips of a collection."""
    return _embedding(_name(collection), activation, method, collection)


@st.cache_resource(max_entries=16, show_spinner="Making the map …")
def _embedding(key: tuple[str, ...], activation: str, method: Method, _collection: Collection) -> EmbeddingResult:
    table = labelled(_collection)
    values = features(_collection, activation)[table["row"].to_numpy()]
    return embed(values, table["label"].to_numpy(), method, label_names=_collection.labels)


def explanation(name: str, video: Path, options: Options) -> Explanation:
    """One clip of the library through one model."""
    return _explanation(model(name)[0].card.sha256, str(video), options, name)


@st.cache_resource(max_entries=32, show_spinner="Running the model …", hash_funcs={Options: repr})
def _explanation(sha256: str, video: str, options: Options, name: str) -> Explanation:
    return explain(name, Path(video), options)


def explain(name: str, video: Path, options: Options) -> Explanation:
    """One video through one model, one run at a time; nothing is kept."""
    bundle, turn = model(name)
    with turn:
        return explain_video(bundle, video, options)


@st.cache_data(max_entries=512, show_spinner=False)
def clip_thumbnail(path: str, share: float, frames: int) -> Any:
    """One small frame of a clip."""
    return thumbnail(path, share, frames)


# -- how things look -------------------------------------------------------------------------------------------------------


def heading(title: str, text: str = "") -> None:
    """Title of a page, and what it is for."""
    st.title(title, anchor=False)
    if text:
        lead(html.escape(text))


def lead(text: str) -> None:
    """The line below a title, HTML."""
    st.html(f'<p class="lead">{text}</p>')


def section(title: str, text: str = "") -> None:
    """Title of a part of a page."""
    st.subheader(title, anchor=False)
    if text:
        st.caption(text)


def notice(bundles: dict[str, Bundle]) -> None:
    """What the cards warn of, each sentence once."""
    for text in dict.fromkeys(bundle.card.notice for bundle in bundles.values()):
        st.warning(text, icon=":material/info:")


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
    figure.update_layout(template=plotly_template(page if page in ("light", "dark") else "any"))
    figure.update_layout(modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": "#8a8a8a", "activecolor": "#2f8bcb"})
    figure.update_layout(font_family='"Source Sans", "Source Sans 3", sans-serif')
    return st.plotly_chart(figure, key=key, alt=alt, theme=None, config=CHART, **options)


def save_button(displays: dict[str, Display], name: str, key: str) -> None:
    """A small menu with every figure as SVG, PDF and PNG, drawn when asked for."""
    with st.popover("Save figures", icon=":material/download:", key=f"{key}_menu"):
        for title, display in displays.items():
            st.caption(title)
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
