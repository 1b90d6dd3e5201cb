"""A pointer on a point is told its names whole, which axes and legends show in short."""

import re

import plotly.graph_objects as go
import pytest
from playwright.sync_api import Page, expect
from plotly.subplots import make_subplots

from workbench.plotting.base import with_short_names

pytestmark = pytest.mark.browser
CLASS = "a face that is " + "very " * 12 + "glad (20)"
MODEL = "a model that was trained " + "on and on " * 8 + "until it stopped"
BARS = {"orientation": "h", "hovertemplate": "%{y}: %{x}"}


@pytest.mark.parametrize(
    ("trace", "marks", "told"),
    [
        (go.Bar(x=[1], y=[CLASS], name=MODEL, **BARS), ".bars path", f"{MODEL}{CLASS}: 1"),
        (go.Scatter(x=[1], y=[CLASS], name=MODEL, mode="markers"), ".points path", f"{MODEL}1, {CLASS}"),
        (go.Scatter(x=[1], y=[0], hovertemplate="%{y}<extra></extra>", mode="markers"), ".points path", CLASS),
        (go.Heatmap(x=[CLASS], y=["sad"], z=[[3]], customdata=[["link"]], showscale=False), ".hm image", f"{CLASS}, sad: 3"),
        (go.Scatter(x=[1], y=[2], text=[CLASS], hovertemplate="%{text}<extra></extra>", mode="markers"), ".points path", CLASS),
    ],
)
def test_a_name_is_told_whole(page: Page, trace: go.Bar, marks: str, told: str) -> None:
    figure = make_subplots(1, 1).add_trace(trace)
    if trace.y[0] == 0:
        figure.update_yaxes(tickvals=[0], ticktext=[CLASS])
    page.set_content(with_short_names(figure).to_html(include_plotlyjs=True))
    page.locator(marks).first.hover(force=True)
    drawn = r"\s*".join(re.escape(sign) for sign in told if sign != " ")  # lines are elements: no space is between them
    expect(page.locator(".hoverlayer .hovertext")).to_have_text(re.compile(rf"^\s*{drawn}\s*$"))
