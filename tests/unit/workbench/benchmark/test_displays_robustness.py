"""Curves of many variants: each can be told from the others, and few seeds are marked."""

import numpy as np

from workbench.analysis.comparison.seeds import over_seeds
from workbench.benchmark.displays.robustness import RobustnessDisplay
from workbench.benchmark.displays.seeds import SeedsDisplay
from workbench.benchmark.results import RobustnessResult, SuiteResult
from workbench.results.provenance import record

VARIANTS = {f"v{i}": 3 if i else 1 for i in range(9)}
SUITES = ("noisy-00", "noisy-50", "subtle")


def display() -> RobustnessDisplay:
    rng = np.random.default_rng(0)
    truth = np.arange(14) % 7
    suites = tuple(
        SuiteResult(
            suite=suite,
            clips=14,
            hash="",
            position=0.5,
            readings={},
            scores={name: over_seeds([rng.integers(0, 7, 14) for _ in range(seeds)], truth) for name, seeds in VARIANTS.items()},
        )
        for suite in SUITES
    )
    members = {name: tuple(f"{name}-{seed}" for seed in range(seeds)) for name, seeds in VARIANTS.items()}
    return RobustnessDisplay.from_result(RobustnessResult(members, suites, record("robustness", {}, {})))


def test_lines_join_the_noisy_suites_alone_and_no_two_variants_look_alike() -> None:
    shown = display()
    figure = shown.to_plotly()
    named = [trace for trace in figure.data if trace.showlegend]
    assert [trace.name for trace in named] == list(VARIANTS)
    assert len({(trace.marker.color, trace.marker.symbol) for trace in named}) == len(VARIANTS)
    for trace in figure.data:
        joined = "lines" in trace.mode
        assert list(trace.x) == (["noisy-00", "noisy-50"] if joined else ["subtle"])
        expected = [100 * shown.result.suite(suite).scores[trace.name].uar.value for suite in trace.x]
        np.testing.assert_allclose(trace.y, expected)


def test_one_training_is_dashed_and_hollow() -> None:
    first, *_, last = display().to_plotly().data
    assert (first.line.dash, first.marker.symbol) == ("dash", "circle-open")
    assert last.line.dash == "solid"
    drawn = display().plot()
    lines = [bars.lines[0] for bars in drawn.ax_[0].containers]
    assert [line.get_linestyle() for line in lines] == ["--"] + ["-"] * 8
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == len(VARIANTS)


def test_every_seed_stands_beside_the_mean_of_its_variant() -> None:
    result = display().result
    shown = SeedsDisplay.from_result(result, "subtle")
    scores = result.suite("subtle").scores
    drawn = {trace.name: trace for trace in shown.to_plotly().data}
    for variant, score in scores.items():
        np.testing.assert_allclose(drawn[f"{variant}, mean"].x, [100 * score.uar.value])
        np.testing.assert_allclose(drawn[f"{variant}, by seed"].x, 100 * np.array(score.each))
    assert drawn["v0, mean"].marker.symbol == "circle-open"
    assert not drawn["v1, mean"].marker.symbol.endswith("open")
    axis = shown.plot().ax_
    assert [text.get_text() for text in axis.get_yticklabels()] == list(scores)
    assert sum(len(line.get_xdata()) for line in axis.lines if line.get_marker() == ".") == sum(VARIANTS.values())
