"""One contract for all displays of array analyses, and what is special to each."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from display_contract import (  # noqa: F401  what every display keeps to
    test_nothing_is_cut_off,
    test_numbers_are_those_that_are_drawn,
    test_plot_keeps_figure_and_axes,
    test_save,
    test_save_refuses_what_it_cannot_write,
    test_to_plotly,
)
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from workbench.analysis.confidence import calibration, density
from workbench.analysis.confidence.displays.densities import (
    ALL_DOTS,
    DOTS,
    CalibrationDisplay,
    ConfidenceDisplay,
    Scale,
    _dots,
    _shown,
)
from workbench.analysis.embedding.displays.scatter import EmbeddingDisplay
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.results import EmbeddingResult
from workbench.analysis.performance.displays.scores import ConfusionDisplay, RecallDisplay
from workbench.analysis.performance.scores import summary
from workbench.plotting import style
from workbench.plotting.base import Display, with_short_names

N = 70
LABELS = np.arange(N) % 7
PROBS = {name: np.random.default_rng(i).dirichlet(np.full(7, 0.5), N) for i, name in enumerate(("IFDD", "baseline"))}
IDS = [f"clip {i:03d}" for i in range(N)]


def embedded() -> EmbeddingResult:
    return embed(np.random.default_rng(0).normal(size=(N, 5)) + LABELS[:, None], LABELS, method="pca", label_names=EMOTIONS)


MAKERS: dict[str, Callable[[], Display]] = {
    "embedding": lambda: EmbeddingDisplay.from_result(embedded()),
    "embedding, correct": lambda: EmbeddingDisplay.from_result(embedded(), PROBS["IFDD"].argmax(axis=1), "correct"),
    "confidence": lambda: ConfidenceDisplay.from_result(density(PROBS["IFDD"], LABELS, EMOTIONS)),
    "confidence, two models": lambda: ConfidenceDisplay.from_result(
        {name: density(probs, LABELS, EMOTIONS) for name, probs in PROBS.items()}, scale="density"
    ),
    "calibration": lambda: CalibrationDisplay.from_result({name: calibration(probs, LABELS) for name, probs in PROBS.items()}),
    "confusion": lambda: ConfusionDisplay.from_result(summary(PROBS["IFDD"], LABELS, EMOTIONS)),
    "recall": lambda: RecallDisplay.from_result({name: summary(probs, LABELS, EMOTIONS) for name, probs in PROBS.items()}),
}


@pytest.fixture(params=MAKERS)
def display(request: pytest.FixtureRequest) -> Display:
    return MAKERS[request.param]()


@pytest.mark.parametrize("name", ["embedding", "confidence", "recall"])
def test_saved_bytes_are_the_same_again(name: str, tmp_path: Path) -> None:
    first, again = MAKERS[name](), MAKERS[name]()
    for suffix in ("svg", "pdf", "png"):
        assert first.save(tmp_path / f"a.{suffix}").read_bytes() == again.save(tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_save_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    path = tmp_path / "figure.svg"
    path.write_text("the old one")
    display = MAKERS["confusion"]().plot()

    def half_written(target: Path, **_: object) -> None:
        target.write_text("half")
        raise failure

    monkeypatch.setattr(display.figure_, "savefig", half_written)
    with pytest.raises((InputError, KeyboardInterrupt)):
        display.save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "the old one"


def test_drawing_into_given_axes() -> None:
    figure = Figure(figsize=(12, 8))
    axes = figure.subplots(2, 7)
    confidence = MAKERS["confidence, two models"]().plot(axes)
    assert confidence.figure_ is figure
    assert confidence.ax_[1, 6] is axes[1, 6]
    with pytest.raises(InputError, match="needs 2 × 7 axes, not 3"):
        confidence.plot(axes[0, :3])
    single = Figure().subplots()
    assert MAKERS["recall"]().plot(single).ax_ is single


@pytest.mark.parametrize("colour_by", ["label", "prediction", "correct"])
def test_every_embedding_trace_carries_its_clips(colour_by: str) -> None:
    result = embedded()
    figure = EmbeddingDisplay.from_result(result, PROBS["IFDD"].argmax(axis=1)).to_plotly(colour_by, clip_ids=IDS)  # type: ignore[arg-type]
    seen = {}
    for trace in figure.data:
        assert len(trace.customdata) == len(trace.x)
        assert trace.name.endswith(f"({len(trace.x)})")
        seen |= dict(zip(trace.customdata, zip(trace.x, trace.y, strict=True), strict=True))
    assert seen == {IDS[i]: tuple(result.xy[i]) for i in range(N)}
    assert figure.layout.dragmode == "lasso"


def test_embedding_colours_are_those_of_the_names() -> None:
    predicted = np.full(N, 6)
    figure = EmbeddingDisplay.from_result(embedded(), predicted).to_plotly("prediction")
    (trace,) = figure.data
    assert (trace.name, trace.marker.color) == (f"fear ({N})", style.class_colour("fear"))
    assert trace.marker.symbol == style.PLOTLY_MARKERS[style.class_marker("fear")]
    points = [
        item for item in EmbeddingDisplay.from_result(embedded()).plot().ax_.collections if isinstance(item, PathCollection)
    ]
    assert [to_hex(item.get_facecolor()[0]).upper() for item in points] == [style.class_colour(name) for name in EMOTIONS]


def test_embedding_correct_counts() -> None:
    predicted = np.where(np.arange(N) < 10, (LABELS + 1) % 7, LABELS)
    figure = EmbeddingDisplay.from_result(embedded(), predicted).to_plotly("correct")
    assert [trace.name for trace in figure.data] == ["correct (60)", "wrong (10)"]
    assert [list(trace.customdata)[:1] for trace in figure.data] == [["10"], ["0"]]


def test_embedding_shows_its_caption() -> None:
    result = embedded()
    display = EmbeddingDisplay.from_result(result).plot()
    for text in (display.ax_.get_title(loc="left"), display.to_plotly().layout.title.text):
        assert f"trustworthiness {result.trustworthiness:.2f}" in text
        assert f"5-NN accuracy {result.knn_accuracy:.2f}" in text


def test_embedding_without_what_it_needs() -> None:
    display = EmbeddingDisplay.from_result(embedded())
    with pytest.raises(InputError, match="needs predictions"):
        display.to_plotly("correct")
    with pytest.raises(InputError, match="unknown colouring 'age'"):
        display.to_plotly("age")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="clip_ids has 1 entries for 70 clips"):
        display.to_plotly(clip_ids=["a"])
    with pytest.raises(InputError, match="predicted has 2 entries"):
        EmbeddingDisplay.from_result(embedded(), [0, 1])


def test_confidence_draws_the_densities() -> None:
    result = density(PROBS["IFDD"], LABELS, EMOTIONS)
    figure = ConfidenceDisplay.from_result(result, scale="density").to_plotly(clip_ids=IDS)
    curves = [trace for trace in figure.data if trace.mode == "lines"]
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert len(curves) == len(points) == 14
    np.testing.assert_array_equal(curves[0].y, result.classes[0].positives.density)
    np.testing.assert_array_equal(curves[1].y, result.classes[0].negatives.density)
    assert (curves[0].line.color, curves[1].line.color) == (style.ORANGE, style.BLUISH_GREEN)
    assert list(points[0].customdata) == IDS[::7]
    assert (
        figure.layout.annotations[0].text
        == f"happy<br>n = 10 / 60<br>overlap {result.classes[0].overlap:.2f} (null {result.classes[0].overlap_null:.2f})"
        f"<br>AUC {result.classes[0].separation_interval.text()}"
    )


def test_confidence_of_many_clips_shows_the_most_wrong_and_some() -> None:
    probs = np.linspace(0, 1, 3 * DOTS)
    result = density(np.column_stack([probs, 1 - probs]), np.repeat([0, 1], [2 * DOTS, DOTS]))
    points = [trace for trace in ConfidenceDisplay.from_result(result).to_plotly().data if trace.mode == "markers"]
    assert [len(trace.x) for trace in points] == [DOTS] * 4
    np.testing.assert_array_equal(np.sort(points[0].x)[: DOTS // 2], probs[: DOTS // 2])  # positives that got the least
    assert np.max(points[0].x) == probs[2 * DOTS - 1]
    assert points[3].customdata[-1] == str(2 * DOTS - 1)


def test_confidence_of_many_panels_is_drawn_in_few_marks() -> None:
    """42 panels of 500 dots a side in WebGL took a browser without a graphics card three seconds, of which these are one."""
    result = density(np.tile(PROBS["IFDD"], (10, 1)), np.tile(LABELS, 10), EMOTIONS)
    assert result.classes[0].negatives.n > DOTS
    figure = ConfidenceDisplay.from_result({f"model {i}": result for i in range(6)}).to_plotly()
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert {trace.type for trace in figure.data} == {"scatter"}
    assert 0.9 * ALL_DOTS < sum(len(trace.x) for trace in points) <= ALL_DOTS
    own = [PROBS["IFDD"][i == LABELS, i].min() for i in range(7)]  # the most wrong clip of each class has a dot in every model
    assert [trace.x.min() for trace in points[::2]] == pytest.approx(own * 6)
    axes = [axis for name, axis in figure.layout.to_plotly_json().items() if name[1:5] == "axis"]
    assert len(axes) == 84
    assert not any(axis["automargin"] for axis in axes)


@pytest.mark.parametrize("scale", ["peak", "density"])
def test_confidence_of_very_many_classes_has_room(scale: Scale) -> None:
    """MAFW has 43 compound classes; plotly refuses spaces that fill the figure."""
    n = 43 if scale == "density" else 60
    probs = np.random.default_rng(0).dirichlet(np.ones(n), 2 * n)
    figure = ConfidenceDisplay.from_result(density(probs, np.arange(2 * n) % n, list(map(str, range(n)))), scale).to_plotly()
    widths = [
        axis["domain"][1] - axis["domain"][0] for name, axis in figure.layout.to_plotly_json().items() if name[:5] == "xaxis"
    ]
    assert len(widths) == n
    assert min(widths) > 0.4 / n


def test_however_many_panels_the_most_wrong_has_a_dot() -> None:
    values = np.array([0.5, 0.2, 0.9, 0.7])
    assert 1 in _shown(values, _dots([4] * 4000))


def test_confidence_peaks_are_equal_by_default() -> None:
    figure = MAKERS["confidence"]().to_plotly()
    assert all(trace.y.max() == pytest.approx(1) for trace in figure.data if trace.mode == "lines")
    assert figure.layout.yaxis.title.text == "density / its peak"


@pytest.mark.parametrize("models", [1, 2, 4])
def test_confidence_titles_on_a_page_leave_the_row_above_free(models: int) -> None:
    """A title has four lines of 12 pixels (1.3 apart); ticks of the row above reach 6 pixels down."""
    result = density(PROBS["IFDD"], LABELS, EMOTIONS)
    layout = ConfidenceDisplay.from_result({f"model {i}": result for i in range(models)}).to_plotly().layout
    inner = layout.height - layout.margin.t - layout.margin.b
    rows = sorted({layout[name].domain for name in layout.to_plotly_json() if name.startswith("yaxis")})
    assert len(rows) == models
    assert all((upper[0] - lower[1]) * inner >= 4 * 1.3 * 12 + 6 for lower, upper in itertools.pairwise(rows))
    assert all((high - low) * inner >= 100 for low, high in rows)


def test_calibration_legend_on_a_page_lies_below_the_curve() -> None:
    layout = CalibrationDisplay.from_result({"a": calibration(PROBS["IFDD"], LABELS)}).to_plotly().layout
    assert layout.legend.y < 0
    assert layout.legend.yanchor == "top"


def test_confidence_of_a_class_without_clips() -> None:
    display = ConfidenceDisplay.from_result(density(PROBS["IFDD"][:1], LABELS[:1], EMOTIONS))
    display.plot()
    assert display.ax_[0, 6].get_title(loc="left") == "fear\nn = 0 / 1\noverlap –\nAUC –"
    assert not [trace for trace in display.to_plotly().data if trace.mode == "lines"]


def test_models_with_other_labels_are_not_compared() -> None:
    results = {"a": density(PROBS["IFDD"], LABELS, EMOTIONS), "b": density(PROBS["IFDD"], LABELS, EMOTIONS[::-1])}
    with pytest.raises(InputError, match="b has the classes fear, disgust"):
        ConfidenceDisplay.from_result(results)
    with pytest.raises(InputError, match="no result to display"):
        ConfidenceDisplay.from_result({})


def test_confusion_shows_shares_and_counts() -> None:
    result = summary([0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1], ("happy", "sad", "fear"))
    display = ConfusionDisplay.from_result(result).plot()
    np.testing.assert_allclose(display.shares, [[0.75, 0.25, 0], [0.5, 0.5, 0], [0, 0, 0]])
    assert [text.get_text() for text in display.ax_.texts][:2] == ["75\n3", "25\n1"]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["happy (4)", "sad (2)", "fear (0)"]
    heat = display.to_plotly().data[0]
    np.testing.assert_array_equal(heat.text, result.confusion)
    assert display.to_plotly().layout.yaxis.autorange == "reversed"  # the first class on top


def test_recall_shows_values_and_intervals() -> None:
    result = summary(PROBS["IFDD"], LABELS, EMOTIONS)
    (trace,) = [trace for trace in RecallDisplay.from_result(result).to_plotly().data if trace.mode == "markers"]
    np.testing.assert_allclose(
        trace.x, 100 * np.array([result.war.value, result.uar.value, *(r.recall.value for r in result.recalls)])
    )
    np.testing.assert_allclose(
        trace.x - trace.error_x.arrayminus,
        100 * np.array([result.war.low, result.uar.low, *(r.recall.low for r in result.recalls)]),
    )
    assert list(trace.text) == ["WAR", "UAR", *(f"{name} (10)" for name in EMOTIONS)]


def test_calibration_leaves_out_empty_bins() -> None:
    result = calibration(PROBS["IFDD"], LABELS, bins=15)
    trace = CalibrationDisplay.from_result(result).to_plotly().data[1]
    filled = result.counts > 0
    np.testing.assert_array_equal(trace.x, result.mean_confidence[filled])
    np.testing.assert_array_equal(trace.y, result.accuracy[filled])
    assert 0 < filled.sum() < len(filled)


def test_a_class_called_by_a_sentence_leaves_room_for_the_chart() -> None:
    name = "a face that " + "very " * 60 + "much smiles (20)"
    figure = go.Figure([go.Bar(x=[name, "sad"], y=[1, 2], name=name), go.Scatterpolar(r=[1], theta=[name])])
    figure.update_layout(title=f"of<br>{name}").add_annotation(text=name)
    short = with_short_names(figure)
    told = [short.layout.xaxis.labelalias[name], short.data[0].name, short.layout.annotations[0].text, short.layout.title.text]
    assert [len(text) for text in told] == [44, 64, 120, 120 + len("of<br>")]
    assert all(text.endswith("much smiles (20)") for text in told)
    assert "sad" not in short.layout.xaxis.labelalias
    assert [[cell.replace("<br>", " ") for cell in told] for told in short.data[0].customdata] == [
        ["", name, name],
        ["", "sad", name],
    ]
    assert short.data[0].hovertemplate == "%{customdata[1]}, %{y}<extra>%{customdata[2]}</extra>"
    assert list(short.data[0].x) == list(figure.data[0].x) == [name, "sad"]
    assert figure.data[0].name == name


def test_points_keep_their_links_where_their_names_are_told_whole() -> None:
    name = "a face that " + "very " * 60 + "much smiles"
    bar = go.Bar(x=[1, 2], y=[name, "sad"], customdata=["one=1", "two=2"], hovertemplate="%{y} %{customdata}<extra></extra>")
    cells = go.Heatmap(x=["a", "b"], y=[name], z=[[1, 2]], customdata=[["one", "two"]], hovertemplate="%{y}")
    short = with_short_names(go.Figure([bar, cells]))
    assert [told[0] for told in short.data[0].customdata] == ["one=1", "two=2"]
    assert short.data[0].hovertemplate == "%{customdata[1]} %{customdata[0]}<extra></extra>"
    assert [[told[0] for told in row] for row in short.data[1].customdata] == [["one", "two"]]
    plain = go.Figure(go.Bar(x=[1], y=["sad"], customdata=["link"]))
    assert with_short_names(plain) == plain


@pytest.mark.parametrize("kind", [ConfusionDisplay, RecallDisplay])
def test_a_class_called_by_a_sentence_leaves_room_in_a_saved_figure(kind: Any) -> None:
    names = [*EMOTIONS[:-1], "a face that " + "very " * 60 + "much smiles"]
    drawn = kind.from_result(summary(PROBS["IFDD"], LABELS, names)).plot()
    drawn.figure_.canvas.draw()  # a warning where the axes have no room is an error here
    panel = np.ravel(drawn.ax_)[0]
    labels = [label.get_text() for axis in (panel.xaxis, panel.yaxis) for label in axis.get_ticklabels()]
    assert any("…" in label for label in labels)
    assert max(map(len, labels)) <= 44
    assert panel.get_position().width > 0.3
