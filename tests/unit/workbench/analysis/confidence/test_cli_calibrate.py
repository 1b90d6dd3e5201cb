"""The command calibrate on collections of random checkpoints, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from changed_collections import changed, right_but_once

from ifdd.errors import InputError
from workbench.analysis.confidence.task import scale_collections, vote_ambiguity
from workbench.store.collection import open_collection

Command = Callable[..., tuple[int, str, str]]


def test_calibrate(run: Command, collections: dict[str, Path], tmp_path: Path) -> None:
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
        "calibration.json",
        "calibration.md",
        "reliability.png",
        "confidence.png",
        "ambiguity.png",
    }
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


def test_persons_in_both_collections_are_counted_whatever_their_type(collections: dict[str, Path], tmp_path: Path) -> None:
    test = changed(
        collections["ifdd"], tmp_path / "test", lambda t: right_but_once(t).assign(subject=[1001, 1002, 1003, 1004, 1005])
    )
    fit = changed(
        test.folder,
        tmp_path / "fit",
        lambda t: t.assign(subject=["1001.0", " 1002", "", "none", "x"], clip_sha256=list("abcde")),
    )
    assert scale_collections(fit, test)[1] == ("2 persons are in both collections: the gain may not carry over to new ones",)
    nobody = changed(fit.folder, tmp_path / "nobody", lambda t: t.assign(subject=""))
    also = changed(test.folder, tmp_path / "also", lambda t: t.assign(subject=""))
    assert scale_collections(nobody, also)[1] == ()
