"""Splits of checkpoints compared: summaries of every variant, their displays, and the command."""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from ifdd.checkpoints import load_checkpoint, save_checkpoint
from ifdd.errors import InputError
from ifdd.models.families import create_model
from workbench import cli
from workbench.analysis.splits.displays.schematic import SplitSchematicDisplay
from workbench.analysis.splits.displays.summary import (
    OccupancyDisplay,
    SplitScoresDisplay,
    SplitStepsDisplay,
    markdown,
    score_rows,
)
from workbench.analysis.splits.inspection import COPIES, SAME_MOMENTS, inspect_split, join, motion_energy, places_of_copies
from workbench.analysis.splits.results import SplitClips, SplitResult, SplitSummary
from workbench.analysis.splits.summary import NOT_KNOWN, summarise_split
from workbench.analysis.splits.task import measure_split, split_of_clip

KINDS = ("index", "constant", "weight", "topk", "even-odd", "offset")


@pytest.fixture(scope="module")
def variants(tiny_bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One untrained checkpoint of each kind of split; the learned offsets are not zero."""
    root = tmp_path_factory.mktemp("variants")
    bundle = load_checkpoint(tiny_bundle_dir)
    folders = {}
    for seed, kind in enumerate(KINDS):
        torch.manual_seed(seed)
        config = bundle.model.config.model_copy(update={"split": kind})
        model = create_model(config).eval()
        with torch.no_grad():
            for name, value in model.issm.named_parameters():
                if "offsets_" in name or "free_" in name:
                    value.normal_(std=2)
        card = bundle.card.model_copy(update={"name": kind, "model": config})
        folders[kind] = save_checkpoint(root / kind, model, card)
    return folders


@pytest.fixture(scope="module")
def summaries(variants: dict[str, Path], clips_manifest: Path) -> dict[str, SplitSummary]:
    return {kind: measure_split(load_checkpoint(variants[kind]), clips_manifest) for kind in KINDS}


def test_every_variant_is_measured(summaries: dict[str, SplitSummary]) -> None:
    for kind, found in summaries.items():
        assert (found.kind, found.clips, len(found.steps)) == (kind, 5, 8)
        assert [step.group for step in found.steps] == ["D"] * 4 + ["S"] * 4
        assert list(found.stability) == list(COPIES)
        assert found.awareness.copies == 1 + len(SAME_MOMENTS)
        assert found.occupancy.dynamic.shape == (7, 8)
        np.testing.assert_allclose(found.occupancy.dynamic[:2].sum(1), 4)  # every step has one whole weight
        json.dumps(found.to_dict())


def test_what_never_moves_is_undefined_and_said_so(summaries: dict[str, SplitSummary]) -> None:
    for kind in ("constant", "weight", "even-odd"):
        assert np.isnan(summaries[kind].awareness.icc.value)
        assert np.isnan(summaries[kind].score("class").r2.value)
        assert "all clips are read at the same places" in summaries[kind].notes[0]
        assert all(moved.value == 0 for moved in summaries[kind].stability.values())
    assert any("weighs the frames" in note for note in summaries["weight"].notes)
    for kind in ("index", "offset"):
        assert summaries[kind].awareness.icc.value > 0
        assert summaries[kind].notes == ()
    assert np.isnan(summaries["topk"].saturated)
    with pytest.raises(InputError, match="no content 'weather'; there are X per frame"):
        summaries["index"].score("weather")


def test_steps_are_those_of_the_model(
    variants: dict[str, Path], summaries: dict[str, SplitSummary], clips_manifest: Path
) -> None:
    one = split_of_clip(load_checkpoint(variants["constant"]), clips_manifest)
    for k in range(4):
        assert summaries["constant"].steps[k].offset == pytest.approx(one.split.offset_D[0, k], abs=1e-6)
        assert summaries["constant"].steps[4 + k].sample == pytest.approx(one.split.sample_S[0, k], abs=1e-6)
        assert summaries["constant"].steps[k].sample_clip == pytest.approx(2 * one.split.sample_D[0, k], abs=1e-5)
    assert one.clip_id == "clip-0"
    assert one.frames.shape == (16, 64, 64, 3)
    with pytest.raises(InputError, match="has no clip 'x'; its first is 'clip-0'"):
        split_of_clip(load_checkpoint(variants["index"]), clips_manifest, "x")


def test_a_clip_that_has_gone_is_not_the_example(variants: dict[str, Path], clips_manifest: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clips_manifest.parent, tmp_path / "clips")
    shutil.rmtree(folder / "clip-0")
    bundle = load_checkpoint(variants["index"])
    assert split_of_clip(bundle, folder).clip_id == "clip-1"
    with pytest.raises(InputError, match="clip-0: no such file or folder"):
        split_of_clip(bundle, folder, "clip-0")
    for i in range(1, 5):
        shutil.rmtree(folder / f"clip-{i}")
    with pytest.raises(InputError, match="clip-0: no such file or folder"):
        split_of_clip(bundle, folder)


def test_batches_are_joined_in_order(variants: dict[str, Path], clips_manifest: Path) -> None:
    bundle = load_checkpoint(variants["index"])
    together, apart = (measure_split(bundle, clips_manifest, batch=size) for size in (8, 2))
    np.testing.assert_allclose(apart.awareness.between_steps, together.awareness.between_steps, rtol=1e-4)
    clips = torch.rand(3, 3, 16, 64, 64)
    whole = inspect_split(bundle.model, clips)
    parts = join([inspect_split(bundle.model, clips[:2]), inspect_split(bundle.model, clips[2:])])
    np.testing.assert_allclose(parts.both("sample"), whole.both("sample"), atol=1e-5)
    np.testing.assert_allclose(parts.correlation, whole.correlation, atol=1e-5)
    assert parts.frames == 16
    assert parts.frame_weight is None


def test_weight_split_tells_its_weights(variants: dict[str, Path]) -> None:
    found = inspect_split(load_checkpoint(variants["weight"]).model, torch.rand(2, 3, 16, 64, 64))
    assert found.frame_weight is not None
    np.testing.assert_allclose(found.frame_weight.sum(1), 1, rtol=1e-5)


def test_copies_change_what_they_say() -> None:
    clips = torch.arange(8.0).expand(1, 3, 4, 2, 8).clone() / 8 + torch.arange(4)[:, None, None] / 100
    assert COPIES["mirrored"](clips)[0, 0, 0, 0, 0] == clips[0, 0, 0, 0, -1]
    np.testing.assert_allclose(COPIES["darker"](clips), 0.85 * clips)
    assert COPIES["brighter"](clips).max() == 1
    shifted = COPIES["shifted"](clips)
    np.testing.assert_array_equal(shifted[..., 1:], clips[..., :-1])
    np.testing.assert_array_equal(shifted[..., 0], clips[..., 0])
    half = COPIES["half the frame rate"](clips)
    np.testing.assert_array_equal(half[:, :, 3], clips[:, :, 2])
    assert "half the frame rate" not in SAME_MOMENTS


def test_places_of_unchanged_clips_are_those_read(variants: dict[str, Path]) -> None:
    bundle = load_checkpoint(variants["index"])
    clips = torch.full((1, 3, 16, 64, 64), 0.3)  # one grey: mirrored and shifted it is itself
    places = places_of_copies(bundle.model, clips)
    own = inspect_split(bundle.model, clips).both("sample")
    for name in ("mirrored", "shifted", "half the frame rate"):
        np.testing.assert_allclose(places[name], own, atol=1e-5)


def test_motion_energy_by_hand() -> None:
    clips = torch.zeros(1, 3, 8, 2, 2)
    clips[0, :, 3:] = 0.5  # one step, between frames 2 and 3
    np.testing.assert_allclose(motion_energy(clips, 4), [[0, 0.25, 0, 0]])
    np.testing.assert_allclose(motion_energy(clips, 8)[0, 3], 0.5)
    moving = torch.linspace(0, 1, 8)[None, None, :, None, None].expand(1, 3, 8, 2, 2)
    np.testing.assert_allclose(motion_energy(moving, 4), np.full((1, 4), 1 / 7), rtol=1e-5)


def planted(n: int = 40) -> tuple[SplitResult, np.ndarray]:
    """A split whose dynamic group reads where `peak` is, T = T' = 8."""
    rng = np.random.default_rng(0)
    peak = rng.integers(2, 6, n)
    initial = {"S": np.tile([0.0, 2, 4, 6], (n, 1)), "D": np.tile([1.0, 3, 5, 7], (n, 1))}
    sample = {"S": initial["S"], "D": np.repeat(peak[:, None], 4, 1).astype(float)}
    position = {"S": sample["S"], "D": sample["D"] + [0, 0, 0, 3]}
    fields = {
        f"{name}_{g}": values[g]
        for name, values in (("initial", initial), ("sample", sample), ("position", position))
        for g in "SD"
    }
    fields |= {f"offset_{g}": position[g] - initial[g] for g in "SD"}
    fields |= {f"weights_{g}": np.eye(8)[sample[g].astype(int)] for g in "SD"}
    return SplitResult(**fields, correlation=None, frames=8), peak


def test_a_planted_split_is_found_out() -> None:
    split, peak = planted()
    energy = 0.1 + np.eye(8)[peak]
    labels = (peak > 3).astype(int)
    same = {name: split.both("sample") for name in SAME_MOMENTS}
    contents = {"peak": np.eye(8)[peak], "noise": np.random.default_rng(1).normal(size=(40, 3))}
    clips = SplitClips(split, same, labels, ("early", "late"), energy, contents)
    found = summarise_split(clips, kind="index", offset_range=2, groups=np.arange(40) % 8)
    assert found.awareness.icc.value == pytest.approx(1)
    assert found.score("peak").r2.value > 0.95
    assert found.score("noise").r2.value < 0.2
    assert found.motion.energy_D.value > 3
    assert found.motion.correlation.value > found.motion.null + 0.3
    assert found.elsewhere == 1 / 8  # the last D step asks for three frames later
    assert found.saturated == pytest.approx((np.abs(split.both("offset")) > 1.9).mean())
    assert found.occupancy.class_share.value > 0.3
    alone = summarise_split(replace(clips, contents={}), kind="index", offset_range=None)
    assert "persons are not known" in alone.notes[0]
    assert np.isnan(alone.person_share.value)
    assert found.apart > 0.5
    assert np.isnan(alone.saturated)


def test_baselines_and_strange_classes_are_refused(
    baseline_bundle_dir: Path, variants: dict[str, Path], clips_manifest: Path
) -> None:
    with pytest.raises(InputError, match="has no split"):
        measure_split(load_checkpoint(baseline_bundle_dir), clips_manifest)
    bundle = load_checkpoint(variants["index"])
    with pytest.raises(InputError, match="between and within need two of each; give two clips or more"):
        measure_split(bundle, clips_manifest, clips=1)
    others = replace(bundle, card=bundle.card.model_copy(update={"labels": ("happy", *bundle.labels[2:], "calm")}))
    with pytest.raises(InputError, match="has the class sad, which index does not know: happy, neutral"):
        measure_split(others, clips_manifest)


@pytest.fixture(params=[SplitStepsDisplay, OccupancyDisplay, SplitScoresDisplay])
def display(request: pytest.FixtureRequest, summaries: dict[str, SplitSummary]) -> Iterator[object]:
    return request.param.from_result(summaries)


def test_displays_draw_and_save(display: SplitStepsDisplay, tmp_path: Path) -> None:
    assert isinstance(display.plot().figure_, Figure)
    file = display.save(tmp_path / "a.svg")
    assert "constant" in file.read_text()
    words = [item.get_text() for item in display.figure_.findobj(Text)]
    assert not [word for word in words if "nan" in word]
    assert len(display.to_plotly().data) >= 6


def test_steps_are_drawn_where_they_are(summaries: dict[str, SplitSummary]) -> None:
    panel = SplitStepsDisplay.from_result({"constant": summaries["constant"]}).plot().ax_[0, 0]
    read = [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "^"]
    assert read == pytest.approx([step.sample_clip for step in summaries["constant"].steps])


def test_table_has_every_model_and_score(summaries: dict[str, SplitSummary]) -> None:
    text = markdown(summaries)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert lines[0].split(" | ")[1:] == [*KINDS[:-1], f"{KINDS[-1]} |"]
    icc = next(line for line in lines if "awareness" in line).split(" | ")
    assert f"{summaries['index'].awareness.icc.value:.2f}" in icc[1]
    assert icc[2] == "–"
    assert "nan" not in text
    assert len(score_rows(summaries)) == 2 + 2 * 3 + 3
    moved = next(line for line in lines if line.startswith("| places move, clip mirrored")).split(" | ")
    assert moved[1].endswith(f"({summaries['index'].apart:.2f})")
    assert "Round brackets: what nothing would give" in text


def test_scores_have_a_row_for_what_is_known_and_name_the_grey_bar(summaries: dict[str, SplitSummary]) -> None:
    """Where persons are not known, nothing lies beyond identity: rows without a point say nothing."""
    alone = replace(
        summaries["index"],
        person_share=NOT_KNOWN,
        content=tuple(replace(s, within=NOT_KNOWN, within_null=np.nan) for s in summaries["index"].content),
    )
    display = SplitScoresDisplay.from_result({"index": alone}).plot()
    titles = [label.get_text().strip() for label in display.ax_.get_yticklabels()]
    assert titles == [
        "awareness, ICC",
        "awareness, ICC, told the clip",
        "content R²",
        "motion energy R²",
        "class R²",
        "r with motion energy",
        "r with motion energy, told it",
    ]
    assert list(display.to_plotly().layout.yaxis.ticktext) == titles == display.numbers()["measure"].tolist()
    assert "what nothing would give" in [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_schematic_draws_real_weights(variants: dict[str, Path], clips_manifest: Path, tmp_path: Path) -> None:
    found = {kind: split_of_clip(load_checkpoint(folder), clips_manifest) for kind, folder in variants.items()}
    display = SplitSchematicDisplay.from_result(
        {k: f.split for k, f in found.items()},
        {k: f.kind for k, f in found.items()},
        {k: f.grid for k, f in found.items()},
        {k: f.frames for k, f in found.items()},
    )
    assert {panel.name for panel in display.panels} == set(KINDS)
    even = next(panel for panel in display.panels if panel.name == "even-odd")
    np.testing.assert_array_equal(even.places["D"], [2, 6, 10, 14])
    np.testing.assert_array_equal(even.blend("D"), found["even-odd"].frames[[2, 6, 10, 14]])
    index = next(panel for panel in display.panels if panel.name == "index")
    mixed = np.einsum("t,thwc->hwc", index.weights["S"][1], index.pictures.astype(float))
    assert np.abs(index.blend("S")[1] - mixed).max() <= 0.5
    axes = display.plot().ax_.flat[KINDS.index("index")]
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert len(drawn) == sum(int((index.weights[group] > 0.02).sum()) for group in "SD")
    texts = [text.get_text() for text in axes.texts]
    assert {f"{place:.1f}" for group in "SD" for place in index.places[group]} <= set(texts)
    assert display.save(tmp_path / "schematic.svg").stat().st_size > 10_000
    assert len(display.to_plotly().layout.images) == 6 * 16
    with pytest.raises(InputError, match="8 frames for a model of 16"):
        SplitSchematicDisplay.from_result(
            {"a": found["index"].split}, {"a": found["index"].kind}, {"a": (2, 2)}, {"a": found["index"].frames[:8]}
        )
    with pytest.raises(InputError, match="no split to draw"):
        SplitSchematicDisplay(())


def test_every_split_tells_its_rule(variants: dict[str, Path]) -> None:
    told = {kind: load_checkpoint(folder).model.split for kind, folder in variants.items()}
    assert all(split.rule for split in told.values())
    assert len({split.rule for split in told.values()}) == len(told)
    assert {kind for kind, split in told.items() if split.operator == "I"} == {"constant", "index", "offset"}


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def test_command(
    variants: dict[str, Path],
    baseline_bundle_dir: Path,
    clips_manifest: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    words = ("splits", variants["index"], variants["constant"], "--data", clips_manifest, "--out", out)
    assert call(monkeypatch, *words, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["index", "constant"]
    assert json.loads((out / "splits.json").read_text()) == told
    pictures = {f"{name}.{suffix}" for name in ("schematic", "steps", "occupancy", "scores") for suffix in ("png", "svg")}
    assert {file.name for file in out.iterdir()} == pictures | {"splits.json", "splits.md"}
    assert '"clip": "clip-0"' in (out / "schematic.svg").read_text().replace("&quot;", '"')
    for bad, message in (
        ((variants["index"], baseline_bundle_dir), "has no split"),
        ((variants["index"], variants["index"]), "a checkpoint is named twice"),
        ((variants["index"],), "has no clip 'x'"),
    ):
        assert call(monkeypatch, "splits", *bad, "--data", clips_manifest, "--out", tmp_path / "bad", "--clip", "x") == 1
        error = capsys.readouterr().err.strip().splitlines()
        assert len(error) == 1
        assert message in error[0]
    assert not (tmp_path / "bad").exists()
