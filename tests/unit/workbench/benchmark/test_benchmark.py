"""Variants over the benchmark's suites: seeds put together, backbones shared, the table, the command."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from bundles import save_random
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_1samp
from typer.testing import CliRunner

from benchmarks.interval_coverage import seeds_hold
from ifdd import load_checkpoint
from ifdd.checkpoints import Bundle
from ifdd.data.clipset import ClipSet
from ifdd.errors import InputError
from ifdd.io import replace_between
from ifdd.scripted import SuiteConfig
from ifdd.training.clipsets import from_suite
from ifdd.training.evaluation import predict_set
from workbench import cli
from workbench.analysis.comparison.seeds import difference_over_seeds, mean_over_seeds, over_seeds
from workbench.analysis.performance.scores import summary
from workbench.benchmark import task
from workbench.benchmark.displays.table import family_markdown
from workbench.benchmark.results import SCHEMA, Figure
from workbench.benchmark.robustness import measure_robustness, variant_of
from workbench.benchmark.stored import read_benchmark, with_earlier
from workbench.store.reading import read_clips

SMALL = SuiteConfig("benchmark", 11, 14, 7, "test", "noisy-50")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def clips(cache: Path) -> ClipSet:
    return from_suite(SMALL, 16, (64, 64), cache, progress=False)


def as_recipe(bundle: Bundle, name: str, **recipe: object) -> Bundle:
    """The bundle under another name, as trained by a recipe."""
    return dataclasses.replace(bundle, card=bundle.card.model_copy(update={"name": name, "training": {"recipe": recipe}}))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Two seeds of one variant, and a baseline on the first one's backbone."""
    folder = tmp_path_factory.mktemp("checkpoints")
    first, second = (load_checkpoint(save_random(folder / f"deep-{i}", "ifdd-mvit-tiny", i)) for i in (0, 1))
    baseline = load_checkpoint(save_random(folder / "plain-0", "mvit-tiny-baseline", 0))
    baseline.model.backbone.load_state_dict(first.model.backbone.state_dict())
    return [as_recipe(b, b.name, seed=int(b.name[-1])) for b in (first, second, baseline)]


def test_shared_backbones_change_nothing(bundles: list[Bundle], clips: ClipSet, monkeypatch: pytest.MonkeyPatch):
    runs = []
    for bundle in bundles:
        encode = bundle.model.encode
        monkeypatch.setattr(bundle.model, "encode", lambda c, encode=encode, n=bundle.name: (runs.append(n), encode(c))[1])
    found = read_clips({b.name: b for b in bundles}, clips, names=("pyramid.X", "issm.sample_D"), batch=14)
    assert sorted(runs) == ["deep-0", "deep-1"]
    for bundle in bundles:
        np.testing.assert_allclose(found[bundle.name].probs, predict_set(bundle.model, clips), atol=1e-6)
        assert found[bundle.name].activations["pyramid.X"].shape == (14, 64, 8)  # time is kept
    assert set(found["plain-0"].activations) == {"pyramid.X"}


def test_readings_are_kept_until_something_changes(
    bundles: list[Bundle], clips: ClipSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runs = []
    encode = bundles[0].model.encode
    monkeypatch.setattr(bundles[0].model, "encode", lambda c: (runs.append(1), encode(c))[1])

    def read(bundle: Bundle, clips: ClipSet = clips, names: tuple[str, ...] = ("pyramid.X", "issm.sample_D")):
        before = len(runs)
        found = read_clips({bundle.name: bundle}, clips, names=names, batch=14, cache=tmp_path)[bundle.name]
        return found, len(runs) - before

    first, made = read(bundles[0])
    again, kept = read(bundles[0])
    assert (made, kept) == (1, 0)
    np.testing.assert_array_equal(again.probs, first.probs)
    assert set(again.activations) == {"pyramid.X", "issm.sample_D"}
    np.testing.assert_array_equal(again.activations["pyramid.X"], first.activations["pyramid.X"])
    assert read(bundles[0], names=("pyramid.X",))[1] == 1
    assert read(as_recipe(bundles[0], "deep-0", seed=0, control={"frames": "one"}))[1] == 1
    assert read(bundles[0], dataclasses.replace(clips, pixels=np.asarray(clips.pixels)[::-1]))[1] == 1
    bias = bundles[0].model.head.classify.bias
    before = bias.detach().clone()
    with torch.no_grad():
        bias += 1.0
        changed, made = read(bundles[0])
        bias.copy_(before)
    assert made == 1
    assert not np.array_equal(changed.probs, first.probs)


def test_controls_are_shown_what_they_were_trained_on(bundles: list[Bundle], clips: ClipSet):
    one = as_recipe(bundles[2], "one-0", seed=0, control={"frames": "one"})
    still = dataclasses.replace(clips, pixels=np.repeat(np.asarray(clips.pixels)[:, 8:9], 16, 1))
    found = read_clips({"one-0": one, "plain-0": bundles[2]}, clips)
    np.testing.assert_allclose(found["one-0"].probs, predict_set(one.model, still), atol=1e-6)
    np.testing.assert_allclose(found["plain-0"].probs, predict_set(one.model, clips), atol=1e-6)


def test_one_seed_has_the_interval_of_its_metrics():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 300)
    guess = np.where(rng.random(300) < 0.6, truth, rng.integers(0, 4, 300))
    persons = rng.integers(0, 60, 300)
    one = over_seeds([guess], truth, groups=persons)
    plain = summary(guess, truth, groups=persons)
    assert one.uar.value == pytest.approx(plain.uar.value)
    assert one.war.value == pytest.approx(plain.war.value)
    assert (one.uar, one.war) == (plain.uar, plain.war)
    assert not one.ranked


def test_seeds_that_differ_widen_the_interval():
    truth = np.tile(np.arange(4), 50)
    good, bad = truth.copy(), np.where(np.arange(200) % 8 < 4, truth, (truth + 1) % 4)
    mixed = over_seeds([good, bad, good], truth)
    assert mixed.each == (1.0, 0.5, 1.0)
    assert mixed.uar.value == pytest.approx(2.5 / 3)
    assert mixed.uar.low < 0.35  # t of two degrees of freedom: three such seeds say little
    assert mixed.uar.high > 0.97
    assert mixed.ranked
    assert over_seeds([good, good, good], truth).uar.low > 0.95  # the negative control: seeds that agree add nothing


def test_seeds_on_endless_clips_give_the_interval_of_a_t_test():
    """With clips enough only the seeds are uncertain: the mean ± t₂ · s/√3, by scipy."""
    rng = np.random.default_rng(0)
    truth = np.tile(np.arange(2), 100_000)
    shares = (0.60, 0.63, 0.61)
    seeds = [np.where(rng.random(len(truth)) < share, truth, 1 - truth) for share in shares]
    score = over_seeds(seeds, truth)
    low, high = ttest_1samp(score.each, 0).confidence_interval(0.95)
    assert (score.uar.low, score.uar.high) == pytest.approx((low, high), abs=1.5e-3)
    found = mean_over_seeds(score.each)
    assert (found.value, found.low, found.high) == pytest.approx((np.mean(score.each), low, high))
    assert np.isnan([mean_over_seeds([0.5]).low, mean_over_seeds([0.5]).high]).all()


def test_above_in_every_seed_is_no_finding():
    """IFDD minus control in the shipped family: −1.1, −2.1 and −4.8 points, all below zero, and the interval holds zero."""
    found = mean_over_seeds([-0.011, -0.021, -0.048])
    assert found.value == pytest.approx(-0.0267, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((-0.0744, 0.0210), abs=2e-4)


def test_differences_over_seeds():
    rng = np.random.default_rng(1)
    truth, persons = np.tile(np.arange(4), 100), np.repeat(np.arange(20), 20)
    first, second = ([np.where(rng.random(400) < share, truth, (truth + 1) % 4) for _ in range(3)] for share in (0.6, 0.8))
    paired = difference_over_seeds(first, second, truth, groups=persons)
    apart = difference_over_seeds(first, second, truth, groups=persons, paired=False)
    apart_by = over_seeds(second, truth).uar.value - over_seeds(first, truth).uar.value
    assert [paired.uar.value, apart.uar.value] == pytest.approx([apart_by, apart_by])
    assert paired.uar.low > 0.05  # the positive control
    assert apart.uar.low > 0.05
    assert len(paired.each) == 3
    assert apart.each == ()
    same = difference_over_seeds(first, first, truth, groups=persons)
    assert same.uar.value == 0
    assert same.uar.low < 0 < same.uar.high  # equal on these clips is not equal on all
    with pytest.raises(InputError, match="3 and 2 seeds make no pairs"):
        difference_over_seeds(first, second[:2], truth)


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("by_seed", [0.0, 0.03])
def test_the_variance_over_seeds_is_that_of_a_two_way_anova(seeds: int, by_seed: float):
    """By statsmodels, persons × seeds, both random: (MS persons + MS seeds − MS rest)/(persons · seeds); t between two others."""
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    rng, people, each = np.random.default_rng(seeds), 12, 10
    truth, persons = np.zeros(people * each, int), np.repeat(np.arange(people), each)
    levels = rng.uniform(0.1, 0.9, people)[persons] + by_seed * np.linspace(-1, 1, seeds)[:, None]
    hits = rng.random((seeds, len(truth))) < levels
    rows = [(p, s, hits[s, persons == p].mean()) for p in range(people) for s in range(seeds)]
    squares = anova_lm(ols("hits ~ C(p) + C(s)", pd.DataFrame(rows, columns=["p", "s", "hits"])).fit())["mean_sq"]
    noise = squares["Residual"] / (people * seeds)
    own, of_seeds = squares["C(p)"] / (people * seeds) - noise, squares["C(s)"] / (people * seeds)
    assert own > 0
    wrong = [np.ones(len(truth), int)] * seeds  # a variant that is never right: the difference is the other's score
    found = difference_over_seeds(wrong, [np.where(row, 0, 1) for row in hits], truth, groups=persons).war
    half = (found.high - found.low) / 2

    def t(freedom: float) -> float:
        return float(student.ppf(0.975, freedom))

    of_people = 1 / (1 / people - 1 / len(truth)) - 1
    banerjee = np.sqrt(t(of_people) ** 2 * own + t(seeds - 1) ** 2 * of_seeds)
    share = of_seeds / (own + of_seeds)
    hillis = t(1 / (share**2 / (seeds - 1) + (1 - share) ** 2 / of_people)) * np.sqrt(own + of_seeds)
    between = t(1 / (share / (seeds - 1) + (1 - share) ** 2 / of_people)) * np.sqrt(own + of_seeds)
    assert found.value == pytest.approx(hits.mean())
    assert half == pytest.approx(banerjee if seeds == 2 else between)
    assert hillis <= half <= banerjee * (1 + 1e-9)


@pytest.mark.parametrize(("persons", "by_seed"), [(10, 0.0), (20, 0.2)])
def test_intervals_over_three_seeds_hold_the_truth(persons: int, by_seed: float):
    """150 families of three seeds; three standard errors about 93 to 97 %. Seeds drawn again held .83 to .86."""
    held = np.mean([seeds_hold(persons, 1, by_seed, seed) for seed in range(150)], axis=0)
    assert (held >= 0.89).all()


@pytest.mark.slow
@pytest.mark.parametrize("by_seed", [0.0, 0.05, 0.2])
@pytest.mark.parametrize(("persons", "each"), [(10, 2), (20, 1), (140, 1)])
def test_coverage_over_three_seeds(persons: int, each: int, by_seed: float):
    """1,000 families: 93 to 97 %, three standard errors of 0.7 % about it."""
    held = np.mean([seeds_hold(persons, each, by_seed, seed) for seed in range(1000)], axis=0)
    assert ((held >= 0.93 - 0.021) & (held <= 0.97 + 0.021)).all(), held


@given(st.lists(st.integers(0, 2), min_size=6, max_size=20), st.integers(1, 3))
def test_scores_are_those_of_scikit_learn(guess: list[int], seeds: int):
    from sklearn.metrics import accuracy_score, recall_score

    truth = np.arange(len(guess)) % 3
    score = over_seeds([guess] * seeds, truth)
    assert score.war.value == pytest.approx(accuracy_score(truth, guess))
    assert score.uar.value == pytest.approx(recall_score(truth, guess, average="macro", zero_division=0))


def test_one_person_alone_counts_by_clips():
    score = over_seeds([[0, 1, 1], [0, 0, 0]], [0, 1, 0], groups=["a"] * 3)
    assert score.each == (0.75, 0.5)
    assert score.uar.value == 0.625
    assert score == over_seeds([[0, 1, 1], [0, 0, 0]], [0, 1, 0])


def test_variant_is_the_name_without_its_seed(bundles: list[Bundle]):
    assert [variant_of(b.card) for b in bundles] == ["deep", "deep", "plain"]
    assert variant_of(as_recipe(bundles[0], "noisy-50", seed=0).card) == "noisy-50"


def test_what_the_benchmark_refuses(bundles: list[Bundle], cache: Path):
    with pytest.raises(InputError, match="suite 'nosy' is unknown; known: standard"):
        measure_robustness(bundles, ["nosy"], cache=cache)
    with pytest.raises(InputError, match="two checkpoints are called 'deep-0'"):
        measure_robustness([bundles[0], bundles[0]], ["noisy-50"], cache=cache)
    other = dataclasses.replace(bundles[0], card=bundles[0].card.model_copy(update={"labels": ("a", "b")}))
    with pytest.raises(InputError, match="its labels are a, b"):
        measure_robustness([other], ["noisy-50"], cache=cache)
    with pytest.raises(InputError, match="no checkpoint"):
        measure_robustness([], ["noisy-50"], cache=cache)
    with pytest.raises(InputError, match="no predictions"):
        over_seeds([], [0, 1])
    with pytest.raises(InputError, match="predictions of seed 1 has shape"):
        over_seeds([[0, 1], [0]], [0, 1])
    with pytest.raises(InputError, match="no clip to score"):
        over_seeds([[]], [])
    with pytest.raises(InputError, match="persons has 1 names for 2 clips"):
        over_seeds([[0, 1]], [0, 1], groups=["a"])


def test_a_figure_prints_its_mean_its_interval_and_its_null():
    half = 4.302652729911275 * 0.25 / 3**0.5  # Student's t with two degrees of freedom
    assert Figure((0.25, 0.5, 0.75)).interval.low == pytest.approx(0.5 - half)
    assert str(Figure((0.25, 0.5, 0.75))) == f"0.50 [−{half - 0.5:.2f}, {0.5 + half:.2f}]"
    assert str(Figure((0.25,), ((0.2, 0.3),), (0.01,))) == "0.25 [0.20, 0.30] (0.01)"
    nan = float("nan")
    assert str(Figure((0.25, nan), ((0.2, 0.3), (nan, nan)))) == "0.25 [0.20, 0.30]"  # one seed was measured
    wider = Figure((0.25, 0.5, 0.75), ((0.15, 0.35), (0.4, 0.6), (0.65, 0.85))).interval
    of_seeds, of_persons = 0.25**2 / 3, (0.1 / 1.959963984540054) ** 2
    freedom = 2 * (of_seeds + of_persons) / of_seeds  # Satterthwaite, persons known as of a normal distribution
    assert wider.high - 0.5 == pytest.approx(student.ppf(0.975, freedom) * np.sqrt(of_seeds + of_persons))
    two = Figure((0.25, 0.75), ((0.15, 0.35), (0.65, 0.85))).interval  # too few to tell a spread: squares of half widths add
    assert two.high - 0.5 == pytest.approx(np.hypot(student.ppf(0.975, 1) * 0.25, 0.1))
    alike = Figure((0.5, 0.5, 0.5), ((0.4, 0.6),) * 3).interval
    assert (alike.low, alike.high) == pytest.approx((0.4, 0.6))
    assert str(Figure((-0.001,))) == "0.00"
    assert str(Figure((nan,))) == "–"


def test_text_between_marks_is_replaced(tmp_path: Path):
    file = tmp_path / "README.md"
    file.write_text("above\n<!-- benchmark -->\nold\n<!-- /benchmark -->\nbelow\n")
    for _ in range(2):
        replace_between(file, "benchmark", "new\n")
        assert file.read_text() == "above\n<!-- benchmark -->\nnew\n<!-- /benchmark -->\nbelow\n"
    with pytest.raises(InputError, match="must stand there once each"):
        replace_between(file, "other", "new\n")
    with pytest.raises(InputError, match="is not there"):
        replace_between(tmp_path / "none.md", "benchmark", "new\n")


def test_command_writes_table_curves_and_numbers(
    bundles: list[Bundle], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    named = {str(b.path): b for b in bundles}
    monkeypatch.setattr("ifdd.checkpoints.load_checkpoint", lambda path: named[path])
    table = tmp_path / "README.md"
    table.write_text("# Family\n<!-- benchmark -->\n<!-- /benchmark -->\n")
    arguments = [*named, "--out", str(tmp_path / "out"), "--suites", "noisy-50,occluded", "--table", str(table)]
    arguments += ["--clips", "28", "--identities", "7", "--cache", str(cache)]
    done = CliRunner().invoke(cli.app, ["benchmark", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    found = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert [row["variant"] for row in found["rows"]] == ["deep", "plain"]
    deep, plain = (row["measures"] for row in found["rows"])
    assert plain["gap"]["each"] == [None]
    for group in ("D", "S", "D − S"):
        assert all(0 <= value <= 1 for value in deep[f"AUROC {group}"]["each"] + deep[f"AUROC {group}"]["null"])
    told, every = (found["controls"][name] for name in ("told the truth", "every frame alike"))
    assert told["AUROC D"]["each"][0] > 0.7 > 0.3 > told["AUROC S"]["each"][0]
    assert (every["AUROC D"]["each"], every["AUROC S"]["each"]) == ([0.5], [0.5])
    assert told["intensity D"]["each"][0] > every["intensity D"]["each"][0] > told["intensity S"]["each"][0]
    assert told["emotion D"]["each"][0] > 0.5  # of 28 clips
    assert abs(found["controls"]["told of other people's clips"]["emotion D"]["each"][0]) < 0.5
    swaps = {(swap["group"], swap["places"]) for swap in found["rows"][0]["places"]["swaps"]}
    assert {("D", "told"), ("S", "half-way"), ("D and S", "other clips'")} <= swaps
    assert found["rows"][1]["places"]["swaps"] == []
    assert found["schema_version"] == SCHEMA
    suites = {suite["suite"]: suite for suite in found["robustness"]["suites"]}
    assert suites["noisy-50"]["clips"] == 28
    assert len(suites["occluded"]["scores"]["deep"]["each"]) == 2
    text = table.read_text()
    assert text.startswith("# Family\n")
    assert "| deep † | scratch | 2 |" in text
    for suffix in ("png", "svg"):
        assert (tmp_path / "out" / f"robustness.{suffix}").stat().st_size > 1000
    monkeypatch.setattr("workbench.benchmark.task.run", None)  # told before anything is measured
    wrong = CliRunner().invoke(cli.app, ["benchmark", *arguments, "--out", str(table)])
    assert isinstance(wrong.exception, InputError)
    assert "README.md is a file; give a folder as --out" in str(wrong.exception)
    monkeypatch.undo()
    monkeypatch.setattr("ifdd.checkpoints.load_checkpoint", lambda name: named[name])
    wrong = CliRunner().invoke(cli.app, ["benchmark", *arguments, "--scored", "subtle"])
    assert isinstance(wrong.exception, InputError)
    assert "to be scored but not among the suites" in str(wrong.exception)


def test_file_of_the_benchmark_reads_back(bundles: list[Bundle], cache: Path, tmp_path: Path):
    result = task.run(bundles, ["noisy-50"], "noisy-50", clips=28, identities=7, cache=cache)
    file = tmp_path / "benchmark.json"
    file.write_text(json.dumps(result.to_dict()))
    again = read_benchmark(file)
    assert again.to_dict() == result.to_dict()
    assert family_markdown(again) == family_markdown(result)
    older = result.to_dict() | {"schema_version": 1}
    file.write_text(json.dumps(older))
    with pytest.raises(InputError, match=r"schema version 1; this version reads 2.*write it anew with workbench benchmark"):
        read_benchmark(file)
    del older["schema_version"]  # as the first version was written
    file.write_text(json.dumps(older))
    with pytest.raises(InputError, match="schema version 1"):
        read_benchmark(file)
    file.write_text('{"rows": [{}]}')
    with pytest.raises(InputError, match="no file of workbench benchmark"):
        read_benchmark(file)
    with pytest.raises(InputError, match="is not there"):
        read_benchmark(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"is a folder, a file is needed; name the file itself"):
        read_benchmark(tmp_path)


def test_scores_of_an_earlier_file_stay_and_its_measures_do_not(bundles: list[Bundle], cache: Path, tmp_path: Path):
    """What cannot be measured again keeps its scores; a blank stands for measures that meant something else."""
    sizes = {"clips": 28, "identities": 7, "cache": cache}
    file = tmp_path / "earlier.json"
    whole = task.run(bundles, ["noisy-50", "subtle"], "noisy-50", **sizes)
    values = whole.to_dict()
    del values["schema_version"], values["controls"]
    for row in values["rows"]:
        del row["test"], row["places"]
    file.write_text(json.dumps(values))
    now = task.run(bundles[:1], ["noisy-50"], "noisy-50", **sizes)  # one seed of two, one suite of two
    found = with_earlier(now, file)
    assert [row.checkpoints for row in found.rows] == [("deep-0", "deep-1"), ("plain-0",)]
    deep, plain = found.rows
    assert deep.measures["AUROC D"].each[0] == now.rows[0].measures["AUROC D"].each[0]
    assert np.isnan(deep.measures["AUROC D"].each[1])
    assert (plain.measures, plain.places.swaps) == ({}, ())
    text = family_markdown(found)
    assert "| deep †, 1 of 2 seeds | scratch |" in text
    for suite in ("noisy-50", "subtle"):
        for variant in ("deep", "plain"):
            kept, first = (result.robustness.suite(suite).scores[variant].uar for result in (found, whole))
            assert kept.value == first.value
            assert kept.high - kept.low >= first.high - first.low - 1e-12  # two seeds drawn again were too narrow
    assert found.robustness.suite("subtle").position == whole.robustness.suite("subtle").position
    again = tmp_path / "again.json"
    again.write_text(json.dumps(found.to_dict()))
    assert read_benchmark(again).to_dict() == found.to_dict()
    values["robustness"]["suites"][0]["hash"] = "0" * 64
    file.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"earlier\.json: its noisy-50 has other clips than now"):
        with_earlier(now, file)
    with pytest.raises(InputError, match="is not there"):
        with_earlier(now, tmp_path / "none.json")
