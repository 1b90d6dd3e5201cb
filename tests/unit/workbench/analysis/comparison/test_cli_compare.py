"""The command compare on collections of random checkpoints."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles import save_random
from changed_collections import changed

from ifdd.checkpoints import load_checkpoint
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.errors import InputError
from workbench.analysis.comparison.task import slice_clips
from workbench.store.collecting import collect
from workbench.store.collection import Collection, open_collection
from workbench.store.columns import factor_columns
from workbench.store.side_by_side import same_clips
from workbench.store.tables import labelled

Command = Callable[..., tuple[int, str, str]]


def test_compare_writes_everything(run: Command, collections: dict[str, Path], tmp_path: Path) -> None:
    command = ["compare", collections["baseline"], collections["ifdd"], "--out", tmp_path / "out", "--draws", 200]
    code, told, _ = run(*command)
    assert code == 0
    assert "| tiny-ifdd − tiny-baseline |" in told
    page, where = told.rstrip().rsplit("\n\n", 1)
    assert page == (tmp_path / "out" / "comparison.md").read_text().rstrip()
    assert where.startswith(f"{tmp_path / 'out'}: comparison.json, comparison.md, confusion_difference_1.png, differences.png")
    assert "- search for bad slices: it needs 40 clips or more, there are 5" in told
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {
        "comparison.json",
        "comparison.md",
        "differences.png",
        "recalls.png",
        "flips_1.png",
        "flips_1.csv",
        "confusion_difference_1.png",
        "slices.png",
        "slices.csv",
    }
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    probs = {name: open_collection(folder).probs for name, folder in collections.items()}
    labels = open_collection(collections["ifdd"]).predictions["label"].to_numpy()
    right = {name: (p.argmax(1) == labels).mean() for name, p in probs.items()}
    assert found["pairs"][0]["war"]["value"] == pytest.approx(right["ifdd"] - right["baseline"])
    assert set(found["provenance"]["source"]) == {"tiny-baseline", "tiny-ifdd"}
    code, _, err = run(*command)
    assert code == 1
    assert "exists; choose another folder" in err


def test_compare_as_json_with_a_search(run: Command, collections: dict[str, Path], tmp_path: Path) -> None:
    options = ["--out", tmp_path / "out", "--draws", 200, "--slices", "light", "--bins", 2, "--min-n", 2, "--json"]
    code, told, _ = run("compare", collections["baseline"], collections["ifdd"], *options)
    assert code == 0
    found = json.loads(told)
    assert found["searches"]["tiny-ifdd"]["looked_at"] == 2
    assert [s["terms"][0][0] for s in found["slices"]["models"]["tiny-ifdd"]] == ["light", "light"]
    assert (tmp_path / "out" / "bad_slices_2.csv").is_file()


def test_published_rows_stand_beside_and_in_no_test(run: Command, collections: dict[str, Path], tmp_path: Path) -> None:
    folders = [collections["baseline"], collections["ifdd"], "--draws", 200, "--json"]
    alone = json.loads(run("compare", *folders, "--out", tmp_path / "alone")[1])
    code, told, _ = run("compare", *folders, "--out", tmp_path / "out", "--published", "mae dfer,ferv39k:M3DFEL")
    assert code == 0
    found = json.loads(told)
    mae, m3dfel = found.pop("published")
    assert alone.pop("published") == []
    assert {k: found[k] for k in ("pairs", "models", "slices", "notes")} == {
        k: alone[k] for k in ("pairs", "models", "slices", "notes")
    }
    assert (mae["corpus"], mae["n"], mae["recalls"]) == ("DFEW", 11_697, [])
    assert (mae["war"]["value"], mae["uar"]) == pytest.approx((0.7443, 0.6341))
    assert (m3dfel["corpus"], m3dfel["n"], len(m3dfel["recalls"])) == ("FERV39k", 7847, 0)
    page = (tmp_path / "out" / "comparison.md").read_text()
    assert "| MAE-DFER (published) | 74.4 % [73.6, 75.2] * | 63.4 % |" in page
    assert "of another protocol and not of these clips" in page
    assert "in no test" in page
    code, _, err = run("compare", *folders, "--out", tmp_path / "third", "--published", "mafw:MAE-DFER")
    assert code == 1
    assert "leave --published out" in err
    assert not (tmp_path / "third").exists()


def test_factors(collections: dict[str, Path]) -> None:
    clips = same_clips([open_collection(folder) for folder in collections.values()])
    assert factor_columns(clips.table) == ["light"]
    assert factor_columns(clips.table.assign(site=["a", "b", "a", "b", "a"], votes_sad=range(5))) == ["light", "site"]
    with pytest.raises(InputError, match="unknown column 'age'; the factors are light"):
        slice_clips(clips, ["age"])


def test_slices_that_are_all_small_are_noted_unless_they_were_asked_for(collections: dict[str, Path]) -> None:
    clips = same_clips([open_collection(folder) for folder in collections.values()])
    small = dataclasses.replace(clips, table=clips.table.assign(light=list("aaaab")))
    found, searches, notes = slice_clips(small, min_n=2)
    assert found is not None
    assert searches == {}
    assert notes == ("search for bad slices: no slice has 2 clips of 5 inside and outside; lower min_n, or name other factors",)
    with pytest.raises(InputError, match="no slice has 2 clips of 5"):
        slice_clips(small, ["light"], min_n=2)


def test_labels_in_another_order_by_the_command(
    run: Command, clips_manifest: Path, collections: dict[str, Path], tmp_path: Path
) -> None:
    names = ("sad", "happy", "neutral", "angry", "surprise", "disgust", "fear")
    other = load_checkpoint(save_random(tmp_path / "other", "mvit-tiny-baseline", 2, names))
    folder = collect(other, clips_manifest, tmp_path / "collection", ("head.logits",)).folder
    code, _, err = run("compare", collections["ifdd"], folder, "--out", tmp_path / "out", "--draws", 200)
    assert code == 0, err
    found = same_clips([open_collection(collections["ifdd"]), open_collection(folder)])
    mine = open_collection(folder).predictions
    np.testing.assert_array_equal(found.probs["other"], mine[[f"p_{label}" for label in found.labels]].to_numpy(np.float32))
    accuracy = json.loads((tmp_path / "out" / "comparison.json").read_text())["models"]["other"]["war"]["value"]
    guesses = mine[[f"p_{label}" for label in names]].to_numpy().argmax(1)
    assert accuracy == pytest.approx((np.array(names)[guesses] == mine["label_name"]).mean())


@pytest.mark.parametrize("command", ["compare", "calibrate", "counterfactual"])
def test_help_has_an_example(run: Command, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: workbench {command}" in " ".join(out.split())


ODD = {
    "bbox": [[1, 2], [3, 4], [1, 2], [5, 6], None],
    "about": [{"a": 1}] * 4 + [{"a": 2}],
    "array": [np.arange(2)] * 5,
    "when": pd.to_datetime(["2020-01-01"] * 3 + ["2021-01-01", None]),
    "blob": [b"\xff", b"x", b"x", b"x", None],
    "share": [0.5, np.inf, 1.0, 2.0, 3.0],
    "light": [0.1, 0.2, 0.3, 0.4, 0.5],
    "sure": [True, None, False, True, True],
    "size of it": pd.Categorical(["s", "m", "s", "m", "s"]),
    "note |x|<b>": ["a", "b", "a", "b", "![](http://x)"],
}


def test_columns_of_any_type_are_sliced_or_left_out_with_a_note(
    run: Command, collections: dict[str, Path], tmp_path: Path
) -> None:
    """In collections of an earlier version, too, which kept them as they came."""
    ours = [
        changed(f, tmp_path / name, lambda t: t.drop(columns="light").assign(**ODD)).folder for name, f in collections.items()
    ]
    code, told, err = run("compare", *ours, "--out", tmp_path / "out", "--draws", 200)
    assert code == 0, err
    assert "slices by share: factor share holds infinity" in told
    sliced = set(pd.read_csv(tmp_path / "out" / "slices.csv")["slice"].str.partition(" = ")[0])
    assert {"bbox", "about", "when", "light", "sure", "size of it"} <= sliced
    assert not {"array", "share"} & sliced
    code, _, err = run("compare", *ours, "--out", tmp_path / "two", "--draws", 200, "--slices", "bbox,about", "--min-n", 2)
    assert code == 0, err
    code, _, err = run("compare", *ours, "--out", tmp_path / "three", "--slices", "share")
    assert code == 1
    assert err.startswith("error: factor share holds infinity")


MINE = {
    "confidence": [1, 2, 1, 2, 1],
    "correct": list("ababa"),
    "row": [5, 5, 6, 6, 6],
    "prediction": [7, 8, 7, 8, 7],
    "predicted": list("xyxyx"),
    "p_happy": [3, 3, 3, 3, 4],
    "p_value": [0.1, 0.2, 0.1, 0.2, 0.1],
    "manifest_row": list("qrqrq"),
    "clip_sha256": list("mnmnm"),
}


@pytest.fixture(scope="module")
def taken(tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path_factory) -> dict[str, Collection]:
    """Collections of a manifest whose own columns have names of ours."""
    write_manifest(read_manifest(clips_manifest).assign(**MINE), clips_manifest.with_name("taken.parquet"))
    root = tmp_path_factory.mktemp("taken")
    folders = {"ifdd": tiny_bundle_dir, "baseline": baseline_bundle_dir}
    manifest = clips_manifest.with_name("taken.parquet")
    return {name: collect(load_checkpoint(f), manifest, root / name, ("head.logits",)) for name, f in folders.items()}


def test_a_manifests_columns_never_pass_for_what_a_model_says(
    run: Command, taken, collections: dict[str, Path], tmp_path: Path
) -> None:
    plain, table = open_collection(collections["ifdd"]), labelled(taken["ifdd"])
    for name in ("row", "prediction", "predicted", "confidence", "correct", "p_happy", "clip_sha256"):
        assert table[name].tolist() == labelled(plain)[name].tolist(), name
        assert table[f"manifest_{name}"].tolist() == MINE[name], name
    assert table["p_value"].tolist() == MINE["p_value"]
    assert table["manifest_manifest_row"].tolist() == MINE["manifest_row"]
    assert any("column confidence is called manifest_confidence here" in note for note in taken["ifdd"].notes)
    folders = [c.folder for c in taken.values()]
    code, told, err = run("compare", *folders, "--out", tmp_path / "out", "--draws", 200)
    assert code == 0, err
    assert "the manifest's column confidence is called manifest_confidence here: confidence is what a model says" in told
    sliced = set(pd.read_csv(tmp_path / "out" / "slices.csv")["slice"].str.partition(" = ")[0])
    assert sliced == {"light", "p_value", "manifest_manifest_row"} | {f"manifest_{name}" for name in MINE} - {"manifest_p_value"}
    code, _, err = run("compare", *folders, "--out", tmp_path / "two", "--draws", 200, "--slices", "confidence")
    assert code == 0, err
    assert {*pd.read_csv(tmp_path / "two" / "slices.csv")["slice"]} == {"manifest_confidence = 1", "manifest_confidence = 2"}
    code, _, err = run("compare", *collections.values(), "--out", tmp_path / "three", "--slices", "confidence")
    assert code == 1
    assert "unknown column 'confidence'; the factors are light" in err


def test_an_earlier_collection_gives_a_manifests_columns_back(collections: dict[str, Path], tmp_path: Path) -> None:
    old = changed(
        collections["ifdd"], tmp_path / "old", lambda t: t.assign(confidence=MINE["confidence"], predicted=MINE["predicted"])
    )
    table, plain = labelled(old), labelled(open_collection(collections["ifdd"]))
    assert table["confidence"].tolist() == plain["confidence"].tolist()
    assert table["predicted"].tolist() == plain["predicted"].tolist()
    assert (table["manifest_confidence"].tolist(), table["manifest_predicted"].tolist()) == (
        MINE["confidence"],
        MINE["predicted"],
    )
