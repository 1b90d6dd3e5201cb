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
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.errors import InputError
from workbench import cli
from workbench.analysis.comparison.task import same_clips, scale_collections, slice_collections, vote_ambiguity
from workbench.store.collecting import collect
from workbench.store.collection import Collection, open_collection
from workbench.store.columns import factor_columns
from workbench.store.tables import labelled


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
    page, where = told.rstrip().rsplit("\n\n", 1)
    assert page == (tmp_path / "out" / "comparison.md").read_text().rstrip()
    assert where.startswith(f"{tmp_path / 'out'}: comparison.json, comparison.md, confusion_difference_1.png, differences.png")
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
        (lambda t: t.assign(clip_id="clip-0"), {}, "clip 'clip-0' is there twice"),
        (relabelled, {}, "clip-0 is angry in .*, happy in .*; collect both with one manifest"),
        (
            lambda t: t,
            {"labels": ["cross", "sad", "neutral", "angry", "surprise", "disgust", "fear"]},
            "has the classes cross, sad, .* compare models of the same classes, named alike",
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
    touched = changed(collections["baseline"], tmp_path / "touched", lambda t: t, data=data)
    assert same_clips([one, touched]).notes == ()  # the same content, written at another time
    cropped = changed(collections["baseline"], tmp_path / "cropped", lambda t: t.assign(crop="center"))
    assert "cropped otherwise" in same_clips([one, cropped]).notes[0]
    old = [
        changed(collections[name], tmp_path / name, lambda t: t.drop(columns="clip_sha256"), data=data | {"reading": name})
        for name in collections
    ]
    assert "read from other files" in same_clips(old).notes[0]


def test_other_clips_under_the_same_ids_are_refused(collections: dict[str, Path], tmp_path: Path) -> None:
    one = open_collection(collections["ifdd"])
    turned = changed(collections["baseline"], tmp_path / "turned", lambda t: t.assign(clip_sha256=np.roll(t["clip_sha256"], 1)))
    with pytest.raises(
        InputError, match=r"clip-0 is another clip in .*turned than in .*\(5 of 5 clips are\); collect both with one"
    ):
        same_clips([one, turned])


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
    renamed = changed(test.folder, tmp_path / "valid", lambda t: t.assign(clip_sha256="v" + t["clip_id"]))
    code, told, err = run("calibrate", test.folder, "--validation", renamed.folder, "--out", tmp_path / "out")
    assert code == 0, err
    assert "temperature" in told
    page, where = told.rstrip().rsplit("\n\n", 1)
    assert page == (tmp_path / "out" / "calibration.md").read_text().rstrip()
    assert where == f"{tmp_path / 'out'}: ambiguity.png, calibration.json, calibration.md, confidence.png, reliability.png"
    assert "- 5 persons are in both collections" in page
    assert page.startswith("# Calibration\n\nn = 5; expected calibration error ")
    rows = [line for line in page.splitlines() if line.startswith("| after, T = ")]
    assert len(rows) == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "calibration.json", "calibration.md", "reliability.png", "confidence.png", "ambiguity.png",
    }  # fmt: skip
    found = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert found["scaling"]["nll"][1] <= found["scaling"]["nll"][0]  # fitted on the same pixels
    assert found["ambiguity"]["soft_ece"] >= 0
    assert f"{found['scaling']['after']['ece']:.3f} [" in rows[0]
    assert sum(found["scaling"]["before"]["counts"]) == 5
    assert page.count(" | 5 | ") + page.count("| clips |") >= 2  # a table of bins for each curve
    code, told, _ = run("calibrate", collections["baseline"], "--out", tmp_path / "alone", "--json")
    assert code == 0
    assert "scaling" not in json.loads(told)


def test_calibrate_refuses(collections: dict[str, Path], tmp_path: Path) -> None:
    ifdd, baseline = (open_collection(collections[name]) for name in ("ifdd", "baseline"))
    with pytest.raises(InputError, match="use one checkpoint"):
        scale_collections(baseline, ifdd)
    with pytest.raises(InputError, match=r"5 clips are in both collections, e\.g\. clip-0"):
        scale_collections(ifdd, ifdd)
    renamed = changed(ifdd.folder, tmp_path / "renamed", lambda t: t.assign(clip_id="v" + t["clip_id"]))
    with pytest.raises(InputError, match="5 clips are in both collections"):
        scale_collections(renamed, ifdd)
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
    code, _, err = run("compare", collections["ifdd"], folder, "--out", tmp_path / "out", "--draws", 200)
    assert code == 0, err
    found = same_clips([open_collection(collections["ifdd"]), open_collection(folder)])
    mine = open_collection(folder).predictions
    np.testing.assert_array_equal(found.probs["other"], mine[[f"p_{label}" for label in found.labels]].to_numpy(np.float32))
    accuracy = json.loads((tmp_path / "out" / "comparison.json").read_text())["models"]["other"]["war"]["value"]
    guesses = mine[[f"p_{label}" for label in names]].to_numpy().argmax(1)
    assert accuracy == pytest.approx((np.array(names)[guesses] == mine["label_name"]).mean())


@pytest.mark.parametrize("command", ["compare", "calibrate", "counterfactual"])
def test_help_has_an_example(run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: workbench {command}" in " ".join(out.split())


def right_but_once(table: pd.DataFrame) -> pd.DataFrame:
    """Labels with which a temperature can be fitted."""
    ours = [name for name in table.columns if name.startswith("p_")]
    ranks = np.argsort(-table[ours].to_numpy(), axis=1)
    label = np.where(np.arange(5) == 0, ranks[:, 1], ranks[:, 0])
    return table.assign(label=label, label_name=np.array([name.removeprefix("p_") for name in ours])[label])


@pytest.mark.parametrize("lost", [[], ["clip_sha256"], ["clip_sha256", "path"]], ids=["contents", "places", "ids"])
def test_clips_of_two_data_sets_may_have_the_same_ids(collections: dict[str, Path], tmp_path: Path, lost: list[str]) -> None:
    """`val/happy/1` and `test/happy/1` are both `happy/1` in a manifest of their own."""
    test = changed(collections["ifdd"], tmp_path / "test", lambda t: right_but_once(t).drop(columns=lost))
    files = {} if lost else {"clip_sha256": list("abcde")}
    about = test.meta["data"] | {"manifest": "/elsewhere/clips.parquet"}
    other = changed(test.folder, tmp_path / "valid", lambda t: t.assign(**files), data=about)
    assert scale_collections(other, test)[0].temperature > 0
    with pytest.raises(InputError, match="5 clips are in both"):
        scale_collections(test, test)


ODD = {
    "bbox": [[1, 2], [3, 4], [1, 2], [5, 6], None], "about": [{"a": 1}] * 4 + [{"a": 2}], "array": [np.arange(2)] * 5,
    "when": pd.to_datetime(["2020-01-01"] * 3 + ["2021-01-01", None]), "blob": [b"\xff", b"x", b"x", b"x", None],
    "share": [0.5, np.inf, 1.0, 2.0, 3.0], "light": [0.1, 0.2, 0.3, 0.4, 0.5], "sure": [True, None, False, True, True],
    "size of it": pd.Categorical(["s", "m", "s", "m", "s"]), "note |x|<b>": ["a", "b", "a", "b", "![](http://x)"],
}  # fmt: skip


def test_columns_of_any_type_are_sliced_or_left_out_with_a_note(run, collections: dict[str, Path], tmp_path: Path) -> None:
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


MINE = {"confidence": [1, 2, 1, 2, 1], "correct": list("ababa"), "row": [5, 5, 6, 6, 6], "prediction": [7, 8, 7, 8, 7],
        "predicted": list("xyxyx"), "p_happy": [3, 3, 3, 3, 4], "p_value": [0.1, 0.2, 0.1, 0.2, 0.1], 
        "manifest_row": list("qrqrq"),
        "clip_sha256": list("mnmnm")}  # fmt: skip


@pytest.fixture(scope="module")
def taken(tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path_factory) -> dict[str, Collection]:
    """Collections of a manifest whose own columns have names of ours."""
    write_manifest(read_manifest(clips_manifest).assign(**MINE), clips_manifest.with_name("taken.parquet"))
    root = tmp_path_factory.mktemp("taken")
    folders = {"ifdd": tiny_bundle_dir, "baseline": baseline_bundle_dir}
    manifest = clips_manifest.with_name("taken.parquet")
    return {name: collect(load_checkpoint(f), manifest, root / name, ("head.logits",)) for name, f in folders.items()}


def test_a_manifests_columns_never_pass_for_what_a_model_says(run, taken, collections: dict[str, Path], tmp_path: Path) -> None:
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


def test_persons_in_both_collections_are_counted_whatever_their_type(collections: dict[str, Path], tmp_path: Path) -> None:
    test = changed(
        collections["ifdd"], tmp_path / "test", lambda t: right_but_once(t).assign(subject=[1001, 1002, 1003, 1004, 1005])
    )
    fit = changed(
        test.folder, tmp_path / "fit",
        lambda t: t.assign(subject=["1001.0", " 1002", "", "none", "x"], clip_sha256=list("abcde")),
    )  # fmt: skip
    assert scale_collections(fit, test)[1] == ("2 persons are in both collections: the gain may not carry over to new ones",)
    nobody = changed(fit.folder, tmp_path / "nobody", lambda t: t.assign(subject=""))
    also = changed(test.folder, tmp_path / "also", lambda t: t.assign(subject=""))
    assert scale_collections(nobody, also)[1] == ()
