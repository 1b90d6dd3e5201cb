"""Counts against the official ones of a corpus, and label lists of two makers against each other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from typer.testing import CliRunner

from ifdd.cli import app
from ifdd.data.corpora import CORPORA, ORDERS, report_file
from ifdd.data.doctor import Finding, examine
from ifdd.data.doctor.case import Case, separate_parts
from ifdd.data.doctor.classes import classes, dealt_by_chance
from ifdd.data.doctor.counts import counts
from ifdd.data.doctor.scan import Seen
from ifdd.data.label_lists import compare_lists
from ifdd.errors import InputError
from ifdd.io import write_json
from ifdd.labels import EMOTIONS

DFEW, FERV39K = CORPORA["dfew"], CORPORA["ferv39k"]


def case_of(frame: pd.DataFrame, corpus: str = "dfew", report: dict[str, object] | None = None) -> Case:
    """Clips that nobody has looked at."""
    about = frame.assign(clip_id=[str(i) for i in range(len(frame))], subject="", n_frames=np.nan)
    seen = (Seen(),) * len(frame)
    return Case("list", about, ("",) * len(frame), separate_parts(about), seen, report=report, official=CORPORA[corpus])


@pytest.fixture(scope="module")
def dfew() -> pd.DataFrame:
    """A row for each of DFEW's clips: label and fold alone."""
    rows = [(fold, name) for fold, two in DFEW.counts.items() for name, n in two.test.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["fold", "label_name"])
    return frame.assign(label=frame["label_name"].map(EMOTIONS.index))


def of(found: list[Finding], severity: str) -> list[Finding]:
    return [one for one in found if one.severity == severity]


def test_official_counts_are_told(dfew: pd.DataFrame) -> None:
    (one,) = counts(case_of(dfew))
    assert one.severity == "note"
    assert "the official ones (5 parts of DFEW)" in one.what


def test_missing_clips_are_a_warning_with_their_class(dfew: pd.DataFrame) -> None:
    gone = dfew.drop(dfew.index[(dfew["fold"] == 3) & (dfew["label_name"] == "disgust")][:4])
    (one,) = counts(case_of(gone))
    assert one.severity == "warning"
    assert "1 of 5 parts" in one.what
    assert "11,693 of 11,697" in one.what
    assert one.examples == (f"fold 3, test: 2,336 of 2,340 (disgust 25 of {DFEW.counts[3].test['disgust']})",)
    (one,) = counts(case_of(gone.assign(fold=gone["fold"].where(gone["fold"] == 1, 0))))  # the lists of fold 1 alone
    assert one.examples == ("fold 1, training: 9,352 of 9,356 (disgust 112 of 116)",)


def test_a_list_read_in_another_order_is_an_error_that_names_it(dfew: pd.DataFrame) -> None:
    """Numbers of the alphabet taken for DFEW's: what is called happy are the angry clips."""
    order = ORDERS["alphabetical-7"]
    wrong = dfew.assign(label=dfew["label_name"].map(order.index))
    wrong["label_name"] = wrong["label"].map(dict(enumerate(EMOTIONS)))
    counted, order = counts(case_of(wrong))
    assert (counted.severity, order.severity, order.check, order.count) == ("error", "error", "order", 5)
    assert "fit the order alphabetical-7, not the one" in order.what
    test = DFEW.counts[1].test
    off = sum(abs(test[ORDERS["alphabetical-7"][i]] - test[name]) for i, name in enumerate(EMOTIONS)) / 2 / 2341
    assert order.examples[0] == f"fold 1, test: 0.0% of the clips off, as it is read {off:.1%}"
    assert "--order alphabetical-7" in order.way_out


def test_a_single_split_is_compared_by_its_names() -> None:
    two = FERV39K.counts[0]
    rows = [("train", name) for name, n in two.train.items() for _ in range(n)]
    rows += [("test", name) for name, n in two.test.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["split", "label_name"]).assign(fold=0)
    frame["label"] = frame["label_name"].map(EMOTIONS.index)
    (one,) = counts(case_of(frame, "ferv39k"))
    assert "2 parts of FERV39k" in one.what
    frame.loc[:9, "split"] = "val"  # held out of the training part
    assert "2 parts of FERV39k" in next(counts(case_of(frame, "ferv39k"))).what


def test_what_the_index_left_out_is_told(dfew: pd.DataFrame) -> None:
    clips = [{"clip_id": "00007", "reason": "no folder", "left_out": True}, {"clip_id": "00009", "left_out": False}]
    report = {"official": False, "rows": {"missing": {"clips": clips}, "surplus": {"clips": []}}}
    case = case_of(dfew, report=report)
    found = list(counts(case))
    assert [one.examples for one in of(found, "warning")] == [("00007: no folder",)]
    assert any("not the official ones" in one.what for one in of(found, "note"))
    mapped = list(counts(replace(case, report=report | {"labels": {"map": {"contempt": ""}}})))
    assert "not compared" in mapped[-1].what


def test_folds_of_ones_own_are_compared_as_a_whole(dfew: pd.DataFrame) -> None:
    own = dfew.assign(fold=1 + np.arange(len(dfew)) % 5)
    told = list(counts(case_of(own, report={"official": False, "rows": {}})))
    assert [one.severity for one in told] == ["note", "note"]
    assert "not the official ones" in told[0].what
    assert "(1 part of DFEW)" in told[1].what
    assert any(one.severity == "error" for one in counts(case_of(own)))  # called official


def test_a_label_outside_the_corpus_is_an_error(dfew: pd.DataFrame) -> None:
    strange = dfew.assign(
        label_name=dfew["label_name"].mask(dfew.index < 3, "bored"), label=dfew["label"].mask(dfew.index < 3, 7)
    )
    (one,) = of(list(classes(case_of(strange))), "error")
    assert one.count == 3
    assert "bored" in one.what
    assert one.examples == ("0", "1", "2")


def test_the_report_beside_a_list_says_which_corpus_it_is(tree: Path) -> None:
    write_json(report_file(tree / "clips.parquet"), {"corpus": "dfew", "official": False, "rows": {}, "labels": {"source": "us"}})
    found = examine([tree], quick=True, workers=1)
    assert found.corpus == "dfew"
    (one,) = [one for one in found.findings if one.check == "counts" and one.severity == "warning"]
    assert one.examples == ("all clips: 12 of 11,697 (neutral 4 of 2,669, happy 4 of 2,445, angry 0 of 2,173, …)",)
    assert any("by us" in one.what for one in found.findings)
    report_file(tree / "clips.parquet").write_text("[]")
    with pytest.raises(InputError, match="not the report of an index"):
        examine([tree], quick=True, workers=1)


def test_lists_of_two_makers_are_compared_whatever_their_layout(shared: Path) -> None:
    lists = shared / "data" / "lists"
    ours, theirs = lists / "dfer_clip" / "FERV39K_train.txt", lists / "s2d" / "data" / "FERV39K" / "Annotation" / "train.csv"
    printed = CliRunner().invoke(app, ["data", "compare-labels", str(ours), str(theirs)])
    assert printed.exit_code == 4
    assert "31088 of 31088 labels differ; one renaming explains 31088 of 31088" in printed.stdout
    assert "the first list is in the order dfew, the second in alphabetical-7" in printed.stdout
    mafw = lists / "s2d" / "data" / "MAFW" / "anno" / "single" / "no_caption" / "set_1"
    found = compare_lists(lists / "dfer_clip" / "MAFW_set_1_train.txt", mafw / "train.csv")
    assert (found.clips, found.explained) == (7333, 7333)
    assert [(pair.labels, pair.predictions) for pair in found.orders] == [("mafw-dfer-clip", "mafw-alphabetical")]
    by_name = compare_lists(mafw / "train.txt", lists / "dfer_clip" / "MAFW_set_1_train.txt")
    assert (by_name.order, by_name.numbered, by_name.differ) == ("mafw-dfer-clip", "second", 0)
    assert "the second list numbers the classes in the order mafw-dfer-clip (0 happy, 1 sad," in by_name.told()
    dfew = lists / "s2d" / "data" / "DFEW" / "EmoLabel_DataSplit" / "test(single-labeled)" / "test_set_1.csv"
    assert compare_lists(lists / "dfer_clip" / "DFEW_set_1_test.txt", dfew).differ == 0


def test_a_list_that_says_two_things_of_a_clip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x/1 0\nx/1 2\n")
    (tmp_path / "b.txt").write_text("x/1 0\n")
    with pytest.raises(InputError, match="clip x/1 has the labels 0 and 2"):
        compare_lists(tmp_path / "a.txt", tmp_path / "b.txt")


def test_the_test_of_shares_is_pearsons() -> None:
    table = np.random.default_rng(0).integers(3, 40, (4, 6))
    assert dealt_by_chance(table) == pytest.approx(chi2_contingency(table).pvalue)
    assert dealt_by_chance(np.array([[100, 10], [10, 100]])) < 1e-10
