"""The table of a picture has the numbers that the picture shows."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.plotting.base import without_markup
from workbench.plotting.numbers import numbers_of


def test_points_with_error_bars_and_their_clips() -> None:
    figure = go.Figure(
        go.Scatter(
            x=[1.0, None, 2.0],
            y=np.array([3.0, np.nan, 4.0]),
            error_y={"array": [0.5, None, 1.0], "arrayminus": [0.25, None, 1.0]},
            name="<b>a</b>",
            customdata=["clip_id=u", "", "clip_id=v"],
        )
    )
    figure.add_scatter(x=[5.0], y=[6.0], name="b")
    table = numbers_of(figure.update_xaxes(title="epoch"))
    assert list(table.columns) == ["series", "epoch", "y", "low", "high", "clips"]
    assert table.iloc[0].tolist() == ["a", 1.0, 3.0, 2.75, 3.5, "clip_id=u"]
    assert table["epoch"].tolist() == [1.0, 2.0, 5.0]
    assert table["series"].tolist() == ["a", "a", "b"]


def test_cells_are_named_by_row_and_column_also_as_plotly_packs_them() -> None:
    figure = go.Figure(go.Heatmap(z=np.arange(6).reshape(2, 3), x=list("abc"), y=["u", "v"], colorbar={"title": "clips"}))
    figure.update_xaxes(title="said").update_yaxes(title="true")
    for shown in (figure, without_markup(figure)):
        table = numbers_of(shown)
        assert list(table.columns) == ["said", "true", "clips"]
        assert table["clips"].tolist() == [0, 1, 2, 3, 4, 5]
        assert table.iloc[4].tolist() == ["b", "v", 4]


def test_panels_are_told_apart_and_what_is_drawn_to_be_clicked_is_left_out() -> None:
    figure = make_subplots(1, 2)
    figure.add_bar(x=["a"], y=[1], row=1, col=1)
    figure.add_bar(x=["a"], y=[2], row=1, col=2)
    figure.add_scatter(x=["a"], y=[1], hoverinfo="skip", customdata=["label_name=a"])
    table = numbers_of(figure)
    assert table.to_dict("list") == {"panel": [1, 2], "x": ["a", "a"], "y": [1, 2]}


def test_two_axes_of_one_name_keep_two_columns() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[2])).update_xaxes(title="frames").update_yaxes(title="frames")
    assert numbers_of(figure).to_dict("list") == {"x": [1], "y": [2]}


def test_a_film_strip_has_no_numbers_and_a_table_its_cells() -> None:
    assert numbers_of(go.Figure(go.Image(z=np.zeros((2, 2, 3))))).empty
    figure = go.Figure(go.Table(header={"values": ["<b>who</b>", "UAR"]}, cells={"values": [["a", "b"], ["1 &lt; 2", "3"]]}))
    assert numbers_of(figure).to_dict("list") == {"who": ["a", "b"], "UAR": ["1 < 2", "3"]}


def test_points_beside_a_named_tick_have_its_name() -> None:
    figure = go.Figure([go.Scatter(x=[50, 70], y=[-0.2, 0.8], name="a"), go.Scatter(x=[60, 80], y=[0.2, 1.2], name="b")])
    figure.update_yaxes(title="class", tickvals=[0, 1], ticktext=["<b>sad</b>", "happy"])
    assert numbers_of(figure)["class"].tolist() == ["sad", "happy"] * 2
    figure.update_yaxes(tickvals=[0, 0.5], ticktext=["0", ".5"])  # a scale of numbers
    assert numbers_of(figure)["class"].tolist() == [-0.2, 0.8, 0.2, 1.2]
