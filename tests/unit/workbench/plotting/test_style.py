"""Colours and markers: fixed by name, distinguishable with and without deuteranopia, readable on both kinds of page."""

import html
import itertools
import threading
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from ifdd.labels import EMOTIONS
from workbench.analysis.performance.displays.scores import RecallDisplay
from workbench.analysis.performance.scores import summary
from workbench.plotting import style

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB
DEUTERANOPIA = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
PROTANOPIA = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
VISION = {"normal": np.eye(3), "deuteranopia": DEUTERANOPIA, "protanopia": PROTANOPIA}
TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
WHITE_PAGE, DARK_PAGE = "#FFFFFF", "#0E1117"


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(colour: str, vision: str) -> np.ndarray:
    t = TO_XYZ @ np.clip(VISION[vision] @ linear(colour), 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(a: str, b: str, vision: str) -> float:
    return float(np.linalg.norm(lab(a, vision) - lab(b, vision)))


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(c)) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def test_the_simulation_confuses_what_is_known_to_be_confused() -> None:
    """Keeps the other tests honest: a red and a green that differ clearly merge under deuteranopia."""
    assert difference("#C44E52", "#7A7A2E", "normal") > 40
    assert difference("#C44E52", "#7A7A2E", "deuteranopia") < difference("#C44E52", "#7A7A2E", "normal") / 2


@pytest.mark.parametrize("vision", VISION)
def test_class_colours_are_distinguishable(vision: str) -> None:
    """CIE76 differences above 15 are plain to see side by side; 2.3 is just noticeable."""
    pairs = {
        (a, b): difference(style.class_colour(a), style.class_colour(b), vision)
        for a, b in itertools.combinations(style.CLASS_COLOURS, 2)
    }
    closest = min(pairs, key=pairs.__getitem__)
    assert pairs[closest] > 15, f"{closest}: {pairs[closest]:.1f}"


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "colours",
    [(style.POSITIVE, style.NEGATIVE), (style.CORRECT, style.WRONG), tuple(style.BRANCH_COLOURS.values()), style.MODEL_COLOURS],
)
def test_other_colours_are_distinguishable(colours: tuple[str, ...], vision: str) -> None:
    assert min(difference(a, b, vision) for a, b in itertools.combinations(colours, 2)) > 15


@pytest.mark.parametrize("page", [WHITE_PAGE, DARK_PAGE])
def test_classes_are_visible_on_both_pages(page: str) -> None:
    assert min(contrast(colour, page) for colour in style.CLASS_COLOURS.values()) > 1.5
    assert min(contrast(style.class_colour(name), page) for name in EMOTIONS) > 2


def test_every_class_has_its_own_colour_and_marker() -> None:
    assert set(EMOTIONS) < set(style.CLASS_COLOURS) == set(style.CLASS_MARKERS)
    assert len(set(style.CLASS_COLOURS.values())) == len(style.CLASS_COLOURS)
    assert len({style.PLOTLY_MARKERS[marker] for marker in style.CLASS_MARKERS.values()}) == len(style.CLASS_MARKERS)


def test_names_decide_and_synonyms_share() -> None:
    assert style.class_colour("happy") == style.class_colour("Happiness") == style.class_colour(" HAPPY ") == style.ORANGE
    assert style.class_marker("Anger") == style.class_marker("angry")


def test_unknown_names_are_fixed_and_numbered_ones_differ() -> None:
    assert style.class_colour("boredom") == style.class_colour("boredom")
    assert style.class_marker("boredom") in style.PLOTLY_MARKERS
    looks = {(style.class_colour(f"class {i}"), style.class_marker(f"class {i}")) for i in range(15)}
    assert len(looks) == 15
    assert len({style.class_colour(f"class {i}") for i in range(15)}) == 15


def test_branches() -> None:
    assert style.branch_colour("S") != style.branch_colour("D")
    assert style.branch_colour("X") == style.GREY


@pytest.mark.parametrize(
    ("page", "background"), [("any", WHITE_PAGE), ("any", DARK_PAGE), ("light", WHITE_PAGE), ("dark", DARK_PAGE)]
)
def test_plotly_text_is_readable(page: str, background: str) -> None:
    layout = style.plotly_template(page).layout  # type: ignore[arg-type]
    assert contrast(layout.font.color, background) > 4.2
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"


def test_the_theme_leaves_no_trace() -> None:
    before = dict(mpl.rcParams)
    with style.matplotlib_theme():
        assert mpl.rcParams["svg.fonttype"] == "none"
        assert mpl.rcParams["pdf.fonttype"] == 42
    assert dict(mpl.rcParams) == before


def test_threads_do_not_mix_their_themes() -> None:
    before = dict(mpl.rcParams)

    def draw() -> None:
        for _ in range(20):
            with style.matplotlib_theme():
                pass

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(mpl.rcParams) == before


def test_colour_maps_are_known_to_both_libraries() -> None:
    from plotly.colors import get_colorscale

    for name in (style.SEQUENTIAL, style.DIVERGING):
        assert name in mpl.colormaps
        assert get_colorscale(name)
    luminance = mpl.colormaps[style.SEQUENTIAL](np.linspace(0, 1, 50))[:, :3] @ TO_XYZ[1]
    assert (np.diff(luminance) > 0).all()  # unlike jet, brighter always means more


def test_translucent() -> None:
    assert style.translucent("#E69F00", 0.35) == "rgba(230, 159, 0, 0.35)"


@pytest.mark.parametrize("name", ["a$b$c", r"$\frac$", "$", "50 $", r"\alpha_x^2"])
def test_names_of_strangers_are_no_maths(name: str, tmp_path: Path) -> None:
    names = (name, "other")
    shown = RecallDisplay.from_result({name: summary([[0.9, 0.1], [0.2, 0.8]], [0, 1], names)})
    shown.save(tmp_path / "a.svg")
    assert html.escape(name) in (tmp_path / "a.svg").read_text()


def test_symbols_of_the_paper_are_set_as_such() -> None:
    assert style.symbol("Y_D") == {"text": "$Y_D$", "parse_math": True}
    assert style.symbol("Y_D$") == {"text": "Y_D$", "parse_math": False}


def test_the_theme_is_seaborns() -> None:
    import seaborn as sns

    from workbench.plotting.seaborn_paper import PAPER, TICKS

    assert {name: value for name, value in sns.axes_style("ticks").items() if name != "image.cmap"} == TICKS
    assert sns.plotting_context("paper") == PAPER
