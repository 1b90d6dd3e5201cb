"""The scorecard of untrained models on a few rendered clips, through the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ifdd import create_model, load_checkpoint
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.errors import InputError
from ifdd.scripted import SuiteConfig, render_suite
from tests.tiny_ous import train_ous
from workbench import cli
from workbench.analysis.disentanglement.displays.tables import row_groups, summary_rows
from workbench.analysis.disentanglement.results import Scorecard
from workbench.analysis.disentanglement.task import make_scorecard, probed_in
from workbench.report.scores import scorecard_rows
from workbench.store.truth import true_intensity, true_masks

SCENE = {"streams": ["scene"]}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """28 clips of 4 people, 16 frames of 48 × 48."""
    config = SuiteConfig("score", seed=3, clips=28, identities=4, split="test")
    out = tmp_path_factory.mktemp("suite") / "clips"
    return render_suite(config, out, frames=16, size=48, workers=1, progress=False).parent


def test_truth_lies_on_the_models_clocks(suite: Path) -> None:
    clips = read_manifest(suite)
    intensity = true_intensity(clips, 8)
    assert intensity.shape == (28, 32)
    neutral = (clips["label_name"] == "neutral").to_numpy()
    assert (intensity.max(1) > 0).tolist() == (~neutral).tolist()
    masks = true_masks(clips, 16, (64, 64))
    assert masks.shape == (28, 16, 64, 64)
    assert not masks[neutral].any()
    moved = masks.mean((2, 3))
    assert np.corrcoef(moved[~neutral].ravel(), intensity.reshape(28, 16, 2).mean(2)[~neutral].ravel())[0, 1] > 0.5


def test_two_models_side_by_side(
    suite: Path, tiny_bundle_dir: Path, baseline_bundle_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.analysis.disentanglement.task.FEWEST", 4)
    monkeypatch.setattr("workbench.analysis.disentanglement.task.MIXED", 2)
    arguments = [
        "scorecard",
        str(tiny_bundle_dir),
        str(baseline_bundle_dir),
        "--data",
        str(suite),
        "--out",
        str(tmp_path / "out"),
    ]
    arguments += ["--maps", "7", "--device", "cpu", "--factors", "skin"]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    cards = json.loads((tmp_path / "out" / "scorecard.json").read_text(encoding="utf-8"))
    ifdd, baseline = cards["tiny-ifdd"], cards["tiny-baseline"]
    readers = {(row["reader"], row["target"]) for row in ifdd["split"]["scores"]}
    assert {
        ("model", "intensity"),
        ("other clips", "intensity"),
        ("told", "motion"),
        ("oracle", "motion"),
        ("largest difference", "intensity"),
    } <= readers
    assert ifdd["split"]["without"] == 4  # the neutral clips
    factors = {probe["factor"] for probe in ifdd["probes"]["probes"]}
    assert {"emotion", "identity", "intensity", "pose", "light", "scene", "skin"} <= factors
    maps = {"D", "S", "D, other clips", "S, other clips", "told", "random", "centre", "frame difference"}
    assert {score["name"] for score in ifdd["maps"]["scores"]} == maps
    assert {effect["name"] for effect in ifdd["patches"]} == {"issm.X_S", "issm.X_D", "ladm.Y_S", "everything"}
    assert ifdd["gap_told"] > ifdd["gap_null"] + 0.5
    assert baseline["gap_null"] is None
    assert baseline["leakage_told"] == ifdd["leakage_told"] > 0.5
    assert set(ifdd["probes"]["told"]) == factors
    assert set(ifdd["stability"]["moved"]) == {"mirrored", "brighter", "half the frame rate"}
    assert ifdd["levels"]
    read = [Scorecard.from_dict(card) for card in (ifdd, baseline)]
    groups = row_groups(read)
    assert sorted(row for group in groups for row in group.rows) == sorted(summary_rows(read))  # each row answers one question
    assert all(1 <= group.headline <= len(group.rows) for group in groups)
    assert (baseline["split"], baseline["gap"], baseline["dependence"]) == (None, None, None)
    assert any("the model has no split" in reason for reason in baseline["skipped"])
    page = (tmp_path / "out" / "scorecard.md").read_text(encoding="utf-8")
    gap = next(line for line in page.splitlines() if line.startswith("| gap (1: each branch holds its own alone) |"))
    assert gap.endswith(f"({round(ifdd['gap_null'], 2) + 0.0:.2f}) | – |")
    assert page.count("| told the factor |") == 2
    assert page.count("Note: standard: irrelevant stretches tell the class a little") == 1
    assert "standard-v2 shows the same clips" in page
    read = {name: Scorecard.from_dict(card) for name, card in cards.items()}
    shown = {row[0]: row[1] for row in scorecard_rows(read)}
    assert shown["gap (1: each branch holds its own alone)"] == gap.split(" | ")[1]
    assert shown["gap of branches that are told their own alone"] == f"{ifdd['gap_told']:.2f}"
    assert (tmp_path / "out" / "probes.png").stat().st_size > 5000
    # a second call uses what was collected; of one model, as both do the same
    monkeypatch.setattr("workbench.analysis.disentanglement.task.collect", None)
    again = CliRunner().invoke(cli.app, [word for word in arguments if word != str(baseline_bundle_dir)])
    assert again.exit_code == 0, again.output
    assert json.loads((tmp_path / "out" / "scorecard.json").read_text(encoding="utf-8")) == {"tiny-ifdd": ifdd}


def test_vectors_of_a_clip_are_probed_and_the_polarity_with_them() -> None:
    found = {"face.map", "face.V_ft", "scene.map", "scene.V_st", "polarity", "head.embedding"}
    assert set(probed_in(create_model("ous-vit-tiny"))) == found
    assert "backbone.stage3" not in probed_in(create_model("ifdd-mvit-tiny"))  # its places are no vector


def test_the_face_of_a_model_that_reads_the_scene_too_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.analysis.disentanglement.task.FEWEST", 4)
    config = SuiteConfig("both", seed=3, clips=14, identities=4, split="test", rho=0.5)
    clips = render_suite(config, tmp_path / "clips", frames=8, size=48, workers=1, progress=False)
    both, scene = (load_checkpoint(train_ous(tmp_path, name, **model)) for name, model in (("ous", {}), ("scene", SCENE)))
    card = make_scorecard(both, clips, tmp_path / "kept", maps=7)
    assert card.maps is not None
    assert {score.name for score in card.maps.scores} >= {"face", "face, other clips", "told", "random"}
    assert "scene" not in {score.name for score in card.maps.scores}
    alone = make_scorecard(scene, clips, tmp_path / "kept scene", maps=7)
    assert alone.maps is None
    assert "localisation: the model reads no face, which the emotion moves" in alone.skipped


def test_a_corpus_without_truth(suite: Path, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    clips = read_manifest(suite)
    kept = clips.drop(columns=["truth", "peak", "background"])
    kept["path"] = [str((suite / path).resolve()) for path in kept["path"]]
    write_manifest(pd.DataFrame(kept), tmp_path)
    card = make_scorecard(load_checkpoint(tiny_bundle_dir), tmp_path, tmp_path / "kept", maps=4)
    assert card.split is None
    assert card.maps is None
    assert any("names no truth" in reason for reason in card.skipped)
    assert card.probes is not None
    assert "scene" not in card.probes.factors
    with pytest.raises(InputError, match="has no column 'mood'"):
        make_scorecard(load_checkpoint(tiny_bundle_dir), tmp_path, tmp_path / "kept", factors=["mood"])


@pytest.mark.parametrize("count", [2, 3])
def test_a_few_clips_have_what_can_be_measured(suite: Path, tiny_bundle_dir: Path, tmp_path: Path, count: int) -> None:
    clips = read_manifest(suite).drop_duplicates("label").head(count).drop(columns=["truth"])
    clips["path"] = [str((suite / path).resolve()) for path in clips["path"]]
    clips["subject"] = ["ann", "bob", "ann"][:count]
    write_manifest(pd.DataFrame(clips), tmp_path)
    bundle = load_checkpoint(tiny_bundle_dir)
    with pytest.raises(InputError, match="is of one person alone, who cannot be held out; the scorecard needs two emotions"):
        make_scorecard(bundle, tmp_path, tmp_path / "kept", maps=count)
    clips["subject"] = ""
    write_manifest(pd.DataFrame(clips), tmp_path)
    card = make_scorecard(bundle, tmp_path, tmp_path / "again", maps=count)
    assert card.dependence is None
    assert f"dependence: it needs 4 clips or more, there are {count}" in card.skipped
    assert card.metrics.n == count


def test_a_corpus_without_persons_and_with_gaps(suite: Path, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    clips = read_manifest(suite)
    clips["path"] = [str((suite / path).resolve()) for path in clips["path"]]
    clips["truth"] = [str((suite / name).resolve()) for name in clips["truth"]]
    clips["subject"] = ""
    clips.loc[0, "irrelevant_share"] = np.nan
    clips.loc[1, "background"] = None
    write_manifest(pd.DataFrame(clips), tmp_path)
    bundle = load_checkpoint(tiny_bundle_dir)
    card = make_scorecard(bundle, tmp_path, tmp_path / "kept", maps=4)
    assert card.probes is None
    assert any("no two subjects" in reason for reason in card.skipped)
    assert any("background is empty for 1 clips" in reason for reason in card.skipped)
    assert card.split is not None
    assert {row.level for row in card.split.scores} >= {"all", "unknown"}
    # other pixels under the same names are noticed
    clips["crop"] = "center"
    write_manifest(pd.DataFrame(clips), tmp_path)
    with pytest.raises(InputError, match="was collected from other clips"):
        make_scorecard(bundle, tmp_path, tmp_path / "kept", maps=4)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive"])
def test_a_damaged_truth_is_named(suite: Path, tmp_path: Path, damage: bytes) -> None:
    clips = read_manifest(suite).iloc[:1].copy()
    (tmp_path / "bad.npz").write_bytes(damage)
    clips["truth"] = str(tmp_path / "bad.npz")
    clips.attrs["root"] = str(tmp_path)
    with pytest.raises(InputError, match=r"bad\.npz cannot be read .*render the suite again"):
        true_intensity(clips, 8)
