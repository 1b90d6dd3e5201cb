"""The commands compare, calibrate and counterfactual on collections of random checkpoints."""

import dataclasses
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles import save_random

from ifdd.checkpoints import load_checkpoint
from ifdd.errors import InputError
from workbench import cli
from workbench.collect import collect
from workbench.collection import Collection, open_collection
from workbench.comparing import factor_columns, same_clips, scale_collections, slice_collections, vote_ambiguity


@pytest.fixture(scope="module")
def collections(
    tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("collections")
    folders = {"ifdd": tiny_bundle_dir, "baseline": baseline_bundle_dir}
    return {
        name: collect(load_checkpoint(f), clips_manifest, root / name, ("head.logits",)).folder for name, f in folders.items()
    }


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def changed(folder: Path, out: Path, edit: Callable[[pd.DataFrame], pd.DataFrame], **meta: object) -> Collection:
    """A copy of a collection with other predictions."""
    shutil.copytree(folder, out)
    table = edit(pd.read_parquet(out / "predictions.parquet"))
    table.to_parquet(out / "predictions.parquet", index=False)
    written = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(written | {"clips": len(table)} | meta))
    return open_collection(out)


def test_compare_writes_everything(run, collections: dict[str, Path], tmp_path: Path) -> None:
    command = ["compare", collections["baseline"], collections["ifdd"], "--out", tmp_path / "out", "--draws", 200]
    code, told, _ = run(*command)
    assert code == 0
    assert "| tiny-ifdd − tiny-baseline |" in told
    assert told == (tmp_path / "out" / "comparison.md").read_text()
    assert "- search for bad slices: it needs 40 clips or more, there are 5" in told
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {
        "comparison.json", "comparison.md", "differences.png", "recalls.png", "flips_1.png", "flips_1.csv",
        "confusion_difference_1.png", "slices.png", "slices.csv",
    }  # fmt: skip
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    probs = {name: open_collection(folder).probs for name, folder in collections.items()}
    labels = open_collection(collections["ifdd"]).predictions["label"].to_numpy()
    right = {name: (p.argmax(1) == labels).mean() for name, p in probs.items()}
    assert found["pairs"][0]["war"]["value"] == pytest.approx(right["ifdd"] - right["baseline"])
    assert set(found["provenance"]["source"]) == {"tiny-baseline", "tiny-ifdd"}
    code, _, err = run(*command)
    assert code == 1
    assert "exists; choose another folder" in err


def test_compare_as_json_with_a_search(run, collections: dict[str, Path], tmp_path: Path) -> None:
    options = ["--out", tmp_path / "out", "--draws", 200, "--slices", "light", "--bins", 2, "--min-n", 2, "--json"]
    code, told, _ = run("compare", collections["baseline"], collections["ifdd"], *options)
    assert code == 0
    found = json.loads(told)
    assert found["searches"]["tiny-ifdd"]["looked_at"] == 2
    assert [s["terms"][0][0] for s in found["slices"]["models"]["tiny-ifdd"]] == ["light", "light"]
    assert (tmp_path / "out" / "bad_slices_2.csv").is_file()


def test_clips_in_another_order_are_matched_by_id(collections: dict[str, Path], tmp_path: Path) -> None:
    plain = same_clips([open_collection(collections["ifdd"]), open_collection(collections["baseline"])])
    turned = changed(collections["baseline"], tmp_path / "turned", lambda table: table.iloc[::-1])
    found = same_clips([open_collection(collections["ifdd"]), turned])
    np.testing.assert_array_equal(found.probs["tiny-baseline"], plain.probs["tiny-baseline"])
    assert list(found.table["clip_id"]) == list(plain.table["clip_id"])


def relabelled(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(label=[3, *table["label"][1:]], label_name=["angry", *table["label_name"][1:]])


@pytest.mark.parametrize(
    ("edit", "meta", "message"),
    [
        (lambda t: t.iloc[1:], {}, "lacks 1 of the 5 clips of .*, e.g. clip-0; collect all models over one manifest"),
        (lambda t: t.assign(clip_id=[f"other-{i}" for i in range(5)]), {}, "lacks 5 of the 5 clips"),
        (lambda t: t.assign(clip_id="clip-0"), {}, "holds clip-0 twice"),
        (relabelled, {}, "clip-0 is angry in .*, happy in .*; collect both with one manifest"),
        (
            lambda t: t,
            {"labels": ["sad", "happy", "neutral", "angry", "surprise", "disgust", "fear"]},
            "has the classes sad, happy, .* compare models of one label list, in one order",
        ),
    ],
)
def test_collections_that_cannot_be_compared(
    collections: dict[str, Path], tmp_path: Path, edit, meta: dict[str, object], message: str
) -> None:
    other = changed(collections["baseline"], tmp_path / "other", edit, **meta)
    with pytest.raises(InputError, match=message):
        same_clips([open_collection(collections["ifdd"]), other])


def test_one_collection_or_one_twice(collections: dict[str, Path], tmp_path: Path) -> None:
    one = open_collection(collections["ifdd"])
    with pytest.raises(InputError, match="1 collection given"):
        same_clips([one])
    with pytest.raises(InputError, match="named twice"):
        same_clips([one, one])
    copy = changed(collections["ifdd"], tmp_path / "copy", lambda t: t)
    assert set(same_clips([one, copy]).probs) == {str(one.folder), str(copy.folder)}  # one checkpoint: named by folder


def test_other_pixels_are_noted(collections: dict[str, Path], tmp_path: Path) -> None:
    one = open_collection(collections["ifdd"])
    data = one.meta["data"] | {"reading": "another"}
    other = changed(collections["baseline"], tmp_path / "other", lambda t: t, data=data)
    assert "cropped otherwise" in same_clips([one, other]).notes[0]


def test_factors(collections: dict[str, Path]) -> None:
    clips = same_clips([open_collection(folder) for folder in collections.values()])
    assert factor_columns(clips.table) == ["light"]
    assert factor_columns(clips.table.assign(site=["a", "b", "a", "b", "a"], votes_sad=range(5))) == ["light", "site"]
    with pytest.raises(InputError, match="unknown column 'age'; the factors are light"):
        slice_collections(clips, ["age"])


def test_slices_that_are_all_small_are_noted_unless_they_were_asked_for(collections: dict[str, Path]) -> None:
    clips = same_clips([open_collection(folder) for folder in collections.values()])
    small = dataclasses.replace(clips, table=clips.table.assign(light=list("aaaab")))
    found, searches, notes = slice_collections(small, min_n=2)
    assert found is not None
    assert searches == {}
    assert notes == ("search for bad slices: no slice has 2 clips of 5 inside and outside; lower min_n, or name other factors",)
    with pytest.raises(InputError, match="no slice has 2 clips of 5"):
        slice_collections(small, ["light"], min_n=2)


def test_calibrate(run, collections: dict[str, Path], tmp_path: Path) -> None:
    one = open_collection(collections["ifdd"])
    ranks = np.argsort(-one.probs, axis=1)
    label = np.where(np.arange(5) == 0, ranks[:, 1], ranks[:, 0])  # right but once: a temperature can be fitted
    columns = {"label": label, "label_name": np.array(one.labels)[label]} | {f"votes_{c}": [c == "happy"] * 5 for c in one.labels}
    test = changed(one.folder, tmp_path / "test", lambda t: t.assign(**columns))
    renamed = changed(test.folder, tmp_path / "valid", lambda t: t.assign(clip_id="v" + t["clip_id"]))
    code, told, err = run("calibrate", test.folder, "--validation", renamed.folder, "--out", tmp_path / "out")
    assert code == 0, err
    assert "temperature" in told
    assert "note: 5 persons are in both collections" in told
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "calibration.json", "reliability.png", "confidence.png", "ambiguity.png",
    }  # fmt: skip
    found = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert found["scaling"]["nll"][1] <= found["scaling"]["nll"][0]  # fitted on the same pixels
    assert found["ambiguity"]["soft_ece"] >= 0
    code, told, _ = run("calibrate", collections["baseline"], "--out", tmp_path / "alone", "--json")
    assert code == 0
    assert "scaling" not in json.loads(told)


def test_calibrate_refuses(collections: dict[str, Path], tmp_path: Path) -> None:
    ifdd, baseline = (open_collection(collections[name]) for name in ("ifdd", "baseline"))
    with pytest.raises(InputError, match="use one checkpoint"):
        scale_collections(baseline, ifdd)
    with pytest.raises(InputError, match=r"5 clips are in both collections, e\.g\. clip-0"):
        scale_collections(ifdd, ifdd)
    some = changed(collections["ifdd"], tmp_path / "some", lambda t: t.assign(votes_sad=1))
    with pytest.raises(InputError, match="has votes but no column votes_happy, votes_neutral"):
        vote_ambiguity(some)
    assert vote_ambiguity(ifdd) is None


def test_counterfactual(run, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    command = ["counterfactual", tiny_bundle_dir, clips_manifest, "--clips", 3, "--shuffles", 1]
    code, told, err = run(*command, "--out", tmp_path / "out")
    assert code == 0, err
    for name in ("freeze", "reverse", "shuffle", "drop", "replace", "zero offsets", "swap Y_D", "swap Y_S"):
        assert f"{name}: change " in told
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"counterfactual.json", "clips.csv", "clips.png", "clip.png"}
    found = json.loads((tmp_path / "out" / "counterfactual.json").read_text())
    assert found["frames"] == list(range(4, 12))
    assert sorted(found["donors"]) == sorted(found["clip_ids"])
    swapped = next(edit for edit in found["edits"] if edit["name"] == "swap Y_D")
    donors = [found["clip_ids"].index(name) for name in found["donors"]]
    np.testing.assert_allclose(swapped["after"], np.array(found["before"])[donors], atol=1e-4)
    assert len(pd.read_csv(tmp_path / "out" / "clips.csv")) == 8 * 3
    chosen = ["--clip", "clip-3", "--edits", "drop", "--frames", "0-2,5", "--json", "--out", tmp_path / "one"]
    code, told, _ = run(*command, *chosen)
    assert code == 0
    assert (json.loads(told)["clip_ids"], json.loads(told)["frames"]) == (["clip-3"], [0, 1, 2, 5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--edits", "jump"], "unknown edit 'jump'; tiny-baseline takes freeze, reverse, shuffle, drop, replace"),
        (["--edits", "swap-D"], "a baseline has no branches to swap"),
        (["--edits", "zero-offsets"], "has no offsets to set to zero"),
        (["--edits", "replace", "--clip", "clip-1"], "replace takes from another clip, and there is one"),
        (["--frames", "9-4"], "frames '9-4' is neither a number nor a range"),
        (["--frames", "99", "--edits", "drop"], "are not all among 0 to 15"),
        (["--clip", "nobody"], "unknown clip 'nobody'; the manifest has 5 clips"),
        (["--edits", ","], "',' names nothing"),
    ],
)
def test_counterfactual_refuses(
    run, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    code, out, err = run("counterfactual", baseline_bundle_dir, clips_manifest, "--out", tmp_path / "out", *options)
    assert code == 1
    assert out == ""
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "out").exists()


def test_labels_in_another_order_by_the_command(run, clips_manifest: Path, collections: dict[str, Path], tmp_path: Path) -> None:
    names = ("sad", "happy", "neutral", "angry", "surprise", "disgust", "fear")
    other = load_checkpoint(save_random(tmp_path / "other", "mvit-tiny-baseline", 2, names))
    folder = collect(other, clips_manifest, tmp_path / "collection", ("head.logits",)).folder
    code, _, err = run("compare", collections["ifdd"], folder, "--out", tmp_path / "out")
    assert code == 1
    assert "in one order" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["compare", "calibrate", "counterfactual"])
def test_help_has_an_example(run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: workbench {command}" in " ".join(out.split())
