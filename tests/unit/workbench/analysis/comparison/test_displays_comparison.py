"""Displays of comparisons, slices, ambiguity and counterfactuals: the contract of all displays, and what is special to each."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from display_contract import (  # noqa: F401  what every display keeps to
    test_nothing_is_cut_off,
    test_numbers_are_those_that_are_drawn,
    test_plot_keeps_figure_and_axes,
    test_save,
    test_save_refuses_what_it_cannot_write,
    test_to_plotly,
)
from matplotlib.figure import Figure

from ifdd import create_model
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from workbench.analysis.comparison.displays.pairs import ConfusionDifferenceDisplay, FlipsDisplay, ForestDisplay
from workbench.analysis.comparison.displays.slices import SearchDisplay, SliceDisplay
from workbench.analysis.comparison.pairs import compare
from workbench.analysis.comparison.results import ComparisonResult, SearchOptions
from workbench.analysis.comparison.slices import bad_slices, slice_metrics
from workbench.analysis.confidence.densities import density
from workbench.analysis.confidence.displays.densities import ConfidenceDisplay
from workbench.analysis.confidence.displays.votes import AmbiguityDisplay
from workbench.analysis.confidence.votes import ambiguity
from workbench.analysis.counterfactuals.changes import counterfactuals
from workbench.analysis.counterfactuals.displays import ORDER, ClipChangeDisplay, CounterfactualDisplay
from workbench.analysis.counterfactuals.frame_edits import freeze, reverse
from workbench.analysis.counterfactuals.results import CounterfactualOptions, CounterfactualResult
from workbench.analysis.performance.displays.radar import RadarDisplay
from workbench.analysis.performance.scores import summary
from workbench.plotting.base import Display
from workbench.results.interval import Interval

N = 70
LABELS = np.arange(N) % 7
PROBS = {name: np.random.default_rng(i).dirichlet(np.full(7, 0.5), N) for i, name in enumerate(("IFDD", "baseline", "third"))}
IDS = [f"clip {i:03d}" for i in range(N)]
FACTORS = {"light": np.array(["day", "night"])[np.arange(N) // 3 % 2], "yaw": np.random.default_rng(0).normal(size=N)}


def compared(models: int = 2) -> ComparisonResult:
    return compare(dict(list(PROBS.items())[:models]), LABELS, label_names=EMOTIONS, clip_ids=IDS, n_boot=200)


def edited() -> CounterfactualResult:
    torch.manual_seed(0)
    model = create_model("mvit-tiny-baseline", frames=8, size=(32, 32)).eval()
    with torch.no_grad():
        model.head.classify.weight *= 30
    clips = torch.rand(3, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))
    edits = [freeze(3, 8), reverse(3, 8)]
    return counterfactuals(model, clips, edits, CounterfactualOptions(shuffles=1), label_names=EMOTIONS, clip_ids=["a", "b", "c"])


EDITED = edited()
MAKERS: dict[str, Callable[[], Display]] = {
    "confidence, classes without clips": lambda: ConfidenceDisplay.from_result(density(PROBS["IFDD"][:5], LABELS[:5], EMOTIONS)),
    "forest": lambda: ForestDisplay.from_result(compared()),
    "forest, three models": lambda: ForestDisplay.from_result(compared(3)),
    "confusion difference": lambda: ConfusionDifferenceDisplay.from_result(compared()),
    "flips": lambda: FlipsDisplay.from_result(compared()),
    "radar": lambda: RadarDisplay.from_result(compared().models, {"paper": [0.9, 0.7, 0.7, 0.7, 0.6, 0.0, 0.3]}),
    "slices": lambda: SliceDisplay.from_result(slice_metrics({"m": PROBS["IFDD"]}, LABELS, FACTORS)),
    "search": lambda: SearchDisplay.from_result(bad_slices(PROBS["IFDD"], LABELS, FACTORS, SearchOptions(min_n=8, n_draws=100))),
    "ambiguity": lambda: AmbiguityDisplay.from_result(ambiguity(PROBS["IFDD"], np.random.default_rng(0).integers(0, 4, (N, 7)))),
    "counterfactuals": lambda: CounterfactualDisplay.from_result(EDITED),
    "counterfactuals, one clip": lambda: ClipChangeDisplay.from_result(EDITED, "b"),
}


@pytest.fixture(params=MAKERS)
def display(request: pytest.FixtureRequest) -> Display:
    return MAKERS[request.param]()


def texts(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_forest_draws_each_difference_and_its_test() -> None:
    result = compared()
    display = ForestDisplay.from_result(result).plot()
    drawn = [line.get_xdata() for line in display.ax_.lines if line.get_marker() == "o"]
    pair = result.pairs[0]
    assert np.ravel(drawn) == pytest.approx(
        [100 * item.value for item in (pair.war, pair.uar, *(r.recall for r in pair.recalls))]
    )
    band = display.ax_.patches[0]
    assert (band.get_x(), band.get_width()) == pytest.approx((-100 * pair.detectable_war, 200 * pair.detectable_war))
    assert f"p = {pair.mcnemar.p:.3f} (McNemar)" in texts(display.figure_)
    many = ForestDisplay.from_result(compared(3)).plot()
    assert len(many.ax_.get_yticklabels()) == 6
    assert "(McNemar, Holm)" in texts(many.figure_)
    grouped = compare({"a": LABELS, "b": LABELS[::-1]}, LABELS, np.arange(N) // 7, n_boot=200)
    assert "McNemar" not in texts(ForestDisplay.from_result(grouped).plot().figure_)


def test_confusion_difference_by_hand() -> None:
    result = compare({"a": [0, 1, 1, 1], "b": [0, 0, 1, 0]}, [0, 0, 1, 1], label_names=("x", "y", "z"))
    np.testing.assert_allclose(ConfusionDifferenceDisplay(result).shares, [[50, -50, 0], [50, -50, 0], [0, 0, 0]])


def test_flips_table_and_gallery() -> None:
    labels = [0, 0, 1]
    a = np.array([[0.9, 0.1, 0], [0.4, 0.6, 0], [0.5, 0.3, 0.2]])
    b = np.array([[0.1, 0.9, 0], [0.6, 0.4, 0], [0.2, 0.2, 0.6]])
    display = FlipsDisplay(compare({"a": a, "b": b}, labels, label_names=("x", "y", "z"), clip_ids=["p", "q", "r"]))
    assert [row["clip_id"] for row in display.table()] == ["p", "q", "r"]  # by change: 0.8, 0.2, 0.1
    assert display.table()[0] == {
        "clip_id": "p",
        "kind": "lost",
        "true": "x",
        "a": "x",
        "b": "y",
        "p(true) a": 0.9,
        "p(true) b": 0.1,
    }
    assert display.gallery() == {"gained": ["q"], "lost": ["p"], "other": ["r"]}
    assert {kind: counts.tolist() for kind, counts in display.counts().items()} == {
        "gained": [1, 0, 0],
        "lost": [1, 0, 0],
        "other": [0, 1, 0],
    }
    with pytest.raises(InputError, match="pair 1 of 1; the pairs are b − a"):
        FlipsDisplay.from_result(display.result, 1)


def test_radar_says_what_it_cannot_show() -> None:
    display = MAKERS["radar"]()
    assert isinstance(display, RadarDisplay)
    models = compared().models
    assert display.caption == (
        "The area of a radar changes with the order of the classes; read the lengths, or the points. UAR: "
        f"IFDD {models['IFDD'].uar}, baseline {models['baseline'].uar}, paper (published) 55.7 %; "
        f"n = {N}, 95 % intervals over {N} clips, taken as independent."
    )
    figure = display.plot().figure_
    assert display.caption in texts(figure)
    ifdd, _, paper = display.ax_[0].lines[:3]
    assert ifdd.get_ydata()[:7] == pytest.approx([100 * item.recall.value for item in models["IFDD"].recalls])
    assert (ifdd.get_linestyle(), paper.get_linestyle()) == ("-", "--")
    names = [text.get_text() for text in display.ax_[1].get_legend().get_texts()]
    assert names == ["IFDD", "baseline", "paper (published)"]
    assert {trace.type for trace in display.to_plotly().data} == {"scatterpolar", "scatter"}
    for published in ([0.5], [90.0] * 7, [np.nan] * 7):
        with pytest.raises(InputError, match="published recalls of paper"):
            RadarDisplay.from_result(models, {"paper": published})
    with pytest.raises(InputError, match="a radar needs three classes or more, not 2"):
        RadarDisplay.from_result(summary([0, 1], [0, 1]))
    with pytest.raises(InputError, match="needs a polar and a plain pair of axes"):
        display.plot(Figure().subplots(1, 2))


def test_tables_of_slices() -> None:
    display = MAKERS["slices"]()
    assert isinstance(display, SliceDisplay)
    first = display.table()[0]
    assert (first["slice"], first["n"]) == ("light = day", int((FACTORS["light"] == "day").sum()))
    search = MAKERS["search"]()
    assert isinstance(search, SearchDisplay)
    assert f"{search.result.looked_at} slices of 8 clips or more" in search.caption
    assert [row["p corrected"] for row in search.table()] == sorted(row["p corrected"] for row in search.table())


def test_a_slice_of_one_person_says_why_it_has_no_interval() -> None:
    people = np.where(FACTORS["light"] == "day", "one", np.arange(N).astype(str))
    alone = slice_metrics({"m": PROBS["IFDD"]}, LABELS, {"light": FACTORS["light"]}, groups=people)
    display = SliceDisplay.from_result(alone).plot()
    told = texts(display.figure_)
    n = int((people == "one").sum())
    assert f"light = day ({n}, one person)" in told
    assert "WAR, %, with 95 % interval (none for one person); | what its classes explain" in told
    assert alone.models["m"][0].war.text() == f"{alone.models['m'][0].war.value:.2f} (no interval)"
    assert "none for one person" in display.to_plotly().layout.xaxis.title.text
    assert "one person" not in " ".join(texts(MAKERS["slices"]().plot().figure_))


def test_intervals_as_text() -> None:
    nan = float("nan")
    assert str(Interval(0.714, 0.682, 0.745)) == "71.4 % [68.2, 74.5]"
    assert str(Interval(0.714, nan, nan)) == "71.4 % (no interval)"
    assert str(Interval(nan, nan, nan)) == "–"
    assert Interval(-0.01, -0.05, 0.03).text("+.1f", 100) == "−1.0 [−5.0, +3.0]"


def test_counterfactual_bars_are_the_changes() -> None:
    display = CounterfactualDisplay.from_result(EDITED).plot()
    assert [name for name, *_ in display.panels] == ["freeze", "reverse", ORDER]
    for panel, (_, change, _, _) in zip(display.ax_, display.panels, strict=True):
        assert [bar.get_width() for bar in panel.patches] == pytest.approx(change[display.order].tolist())
    one = ClipChangeDisplay.from_result(EDITED, "b").plot()
    np.testing.assert_allclose(one.changes.sum(1), 0, atol=1e-6)
    assert [bar.get_width() for bar in one.ax_[1].patches] == pytest.approx((EDITED.edits[1].after - EDITED.before)[1].tolist())
    assert isinstance(one.to_plotly(), go.Figure)
    for clip in ("d", 3, -1):
        with pytest.raises(InputError, match="the 3 clips are a, b, c"):
            ClipChangeDisplay.from_result(EDITED, clip)


def test_ambiguity_points_carry_their_clips() -> None:
    display = MAKERS["ambiguity"]()
    assert isinstance(display, AmbiguityDisplay)
    assert display.to_plotly(IDS).data[0].customdata[5] == "clip 005"
    with pytest.raises(InputError, match="clip_ids has 3 entries"):
        display.to_plotly(IDS[:3])
