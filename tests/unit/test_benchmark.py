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
from typer.testing import CliRunner

from ifdd import load_checkpoint
from ifdd.checkpoints import Bundle
from ifdd.data.scripted import SuiteConfig
from ifdd.errors import InputError
from ifdd.io import replace_between
from ifdd.training.clipsets import ClipSet, from_suite
from ifdd.training.evaluation import predict_set
from workbench import cli, cli_benchmark
from workbench.analysis.metrics import summary
from workbench.analysis.seeds import over_seeds
from workbench.displays.family import family_markdown
from workbench.family import Figure, measure_family
from workbench.family_file import read_benchmark
from workbench.reading import read_clips
from workbench.robustness import measure_robustness, variant_of

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
        assert found[bundle.name].activations["pyramid.X"].shape == (14, 64)
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
    assert read(as_recipe(bundles[0], "deep-0", seed=0, frames_shown="one"))[1] == 1
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
    one = as_recipe(bundles[2], "one-0", seed=0, frames_shown="one")
    still = dataclasses.replace(clips, pixels=np.repeat(np.asarray(clips.pixels)[:, 8:9], 16, 1))
    found = read_clips({"one-0": one, "plain-0": bundles[2]}, clips)
    np.testing.assert_allclose(found["one-0"].probs, predict_set(one.model, still), atol=1e-6)
    np.testing.assert_allclose(found["plain-0"].probs, predict_set(one.model, clips), atol=1e-6)


def test_one_seed_is_the_plain_bootstrap():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 300)
    guess = np.where(rng.random(300) < 0.6, truth, rng.integers(0, 4, 300))
    persons = rng.integers(0, 60, 300)
    one = over_seeds([guess], truth, groups=persons)
    plain = summary(guess, truth, groups=persons)
    assert one.uar.value == pytest.approx(plain.uar.value)
    assert one.war.value == pytest.approx(plain.war.value)
    assert [one.uar.low, one.uar.high] == pytest.approx([plain.uar.low, plain.uar.high], abs=0.015)
    assert not one.ranked


def test_seeds_that_differ_widen_the_interval():
    truth = np.tile(np.arange(4), 50)
    good, bad = truth.copy(), np.where(np.arange(200) % 8 < 4, truth, (truth + 1) % 4)
    mixed = over_seeds([good, bad, good], truth)
    assert mixed.each == (1.0, 0.5, 1.0)
    assert mixed.uar.value == pytest.approx(2.5 / 3)
    assert mixed.uar.low < 0.6  # a draw of the bad seed alone
    assert mixed.uar.high == 1.0
    assert mixed.ranked


@given(st.lists(st.integers(0, 2), min_size=6, max_size=20), st.integers(1, 3))
def test_scores_are_those_of_scikit_learn(guess: list[int], seeds: int):
    from sklearn.metrics import accuracy_score, recall_score

    truth = np.arange(len(guess)) % 3
    score = over_seeds([guess] * seeds, truth, resamples=20)
    assert score.war.value == pytest.approx(accuracy_score(truth, guess))
    assert score.uar.value == pytest.approx(recall_score(truth, guess, average="macro", zero_division=0))


def test_one_person_alone_has_no_interval():
    score = over_seeds([[0, 1, 1], [0, 0, 0]], [0, 1, 0], groups=["a"] * 3)
    assert score.each == (0.75, 0.5)
    assert score.uar.value == 0.625
    assert np.isnan([score.uar.low, score.uar.high, score.war.low, score.war.high]).all()


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
    with pytest.raises(InputError, match=r"groups\[1\] is missing"):
        over_seeds([[0, 1]], [0, 1], groups=["a", None])


def test_a_figure_prints_its_mean_and_its_extremes():
    assert str(Figure((0.25, 0.5, 0.75))) == "0.50 (0.25 – 0.75)"
    assert str(Figure((0.25,))) == "0.25"
    assert str(Figure((float("nan"),))) == "–"


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
    named = {b.name: b for b in bundles}
    monkeypatch.setattr(cli_benchmark, "load_checkpoint", lambda name: named[name])
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
    assert all(0 <= value <= 1 for value in deep["AUROC emotion"]["each"])
    suites = {suite["suite"]: suite for suite in found["robustness"]["suites"]}
    assert suites["noisy-50"]["clips"] == 28
    assert len(suites["occluded"]["scores"]["deep"]["each"]) == 2
    text = table.read_text()
    assert text.startswith("# Family\n")
    assert "| deep † | scratch | 2 |" in text
    for suffix in ("png", "svg"):
        assert (tmp_path / "out" / f"robustness.{suffix}").stat().st_size > 1000
    monkeypatch.setattr("workbench.family.measure_family", None)  # told before anything is measured
    wrong = CliRunner().invoke(cli.app, ["benchmark", *arguments, "--out", str(table)])
    assert isinstance(wrong.exception, InputError)
    assert "README.md is a file; give a folder as --out" in str(wrong.exception)
    monkeypatch.undo()
    monkeypatch.setattr(cli_benchmark, "load_checkpoint", lambda name: named[name])
    wrong = CliRunner().invoke(cli.app, ["benchmark", *arguments, "--scored", "subtle"])
    assert isinstance(wrong.exception, InputError)
    assert "to be scored but not among the suites" in str(wrong.exception)


def test_file_of_the_benchmark_reads_back(bundles: list[Bundle], cache: Path, tmp_path: Path):
    result = measure_family(bundles, ["noisy-50"], "noisy-50", clips=28, identities=7, cache=cache)
    file = tmp_path / "benchmark.json"
    file.write_text(json.dumps(result.to_dict()))
    again = read_benchmark(file)
    assert again.to_dict() == result.to_dict()
    assert family_markdown(again) == family_markdown(result)
    file.write_text('{"rows": [{}]}')
    with pytest.raises(InputError, match="no file of workbench benchmark"):
        read_benchmark(file)
    with pytest.raises(InputError, match="is not there"):
        read_benchmark(tmp_path / "none.json")
    with pytest.raises(InputError, match=r"is a folder, a file is needed; name the file itself"):
        read_benchmark(tmp_path)
