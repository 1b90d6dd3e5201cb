"""Colours of a map by any column of a table of clips."""

import numpy as np
import pandas as pd
import pytest

from ifdd.errors import InputError
from workbench.analysis.embedding.displays.colours import MOST, Groups, Ramp, colouring
from workbench.analysis.embedding.displays.scatter import EmbeddingDisplay
from workbench.analysis.embedding.displays.series import EmbeddingSeriesDisplay
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.series import embed_series
from workbench.plotting.style import class_colour


def test_classes_have_their_own_colours_however_many_they_are() -> None:
    names = ["happy", "sad", "neutral", "angry", "surprise", "disgust", "fear", "contempt", "anxiety", "helplessness"]
    found = colouring(pd.Series(names, name="said m"))
    assert isinstance(found, Groups)
    assert {group.name: group.colour for group in found.groups} == {name: class_colour(name) for name in names}


def test_many_values_are_few_groups_and_one_for_the_rest() -> None:
    column = pd.Series([f"p{i}" for i in range(20)] + ["p0", "p1"], name="subject")
    found = colouring(column)
    assert isinstance(found, Groups)
    assert len(found.groups) == MOST
    assert {found.groups[0].name, found.groups[1].name} == {"p0", "p1"}  # the most frequent ones
    assert found.groups[-1].name == f"{20 - MOST + 1} others"
    assert sorted(np.concatenate([group.rows for group in found.groups])) == list(range(22))
    assert len({(group.colour, group.marker) for group in found.groups}) == MOST


def test_missing_values_are_a_group_of_their_own() -> None:
    found = colouring(pd.Series(pd.array([True, None, False], "boolean"), name="right m"))
    assert isinstance(found, Groups)
    assert {group.name: group.rows.tolist() for group in found.groups} == {"right": [0], "wrong": [2], "not known": [1]}
    assert found.values.tolist() == ["right", "not known", "wrong"]
    with pytest.raises(InputError, match="the column scene is empty"):
        colouring(pd.Series(["", None], name="scene"))


def test_numbers_are_a_scale_but_few_of_them_are_groups() -> None:
    ramp = colouring(pd.Series([0.5, np.nan, *range(2, 12)], name="loss m"))
    assert isinstance(ramp, Ramp)
    assert np.isnan(ramp.values[1])
    folds = colouring(pd.Series([2, 1, 2], name="fold"))
    assert isinstance(folds, Groups)
    assert [group.name for group in folds.groups] == ["1", "2"]


@pytest.mark.parametrize("column", [list("ababababab"), [*range(9), np.nan]])
def test_figures_show_the_same_colours(column: list[object]) -> None:
    clips = np.random.default_rng(0).normal(size=(10, 4))
    colours = colouring(pd.Series(column, name="scene"))
    one = EmbeddingDisplay.from_result(embed(clips, None, "pca"), colours=colours).plot()
    several = EmbeddingSeriesDisplay.from_result(embed_series({"a": clips, "b": clips**2}, None, "pca"), colours).plot()
    for figure in (one.figure_, several.figure_):
        told = [axes.get_ylabel() for axes in figure.axes if axes.get_label() == "<colorbar>"]
        legends = [legend for axes in figure.axes if (legend := axes.get_legend())]
        assert told == ["scene"] if isinstance(colours, Ramp) else len(legends) == 1
        assert len(figure.axes[0].collections) == 2  # two groups, or the known and the unknown
