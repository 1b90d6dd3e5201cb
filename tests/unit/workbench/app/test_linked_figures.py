"""Every figure leads to the clips behind it: what a link selects is as many clips as the figure says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ifdd.errors import InputError
from workbench.analysis.agreement.kappa import agree
from workbench.analysis.comparison import bad_slices, compare, slice_metrics
from workbench.analysis.comparison.displays.pairs import ConfusionDifferenceDisplay, FlipsDisplay, ForestDisplay
from workbench.analysis.comparison.results import SearchOptions
from workbench.analysis.confidence import calibration, density
from workbench.analysis.performance import summary
from workbench.analysis.performance.displays.scores import RecallDisplay
from workbench.app import agreeing, comparing, links, overview, sureness
from workbench.app.measured import filter_of, measured, scopes
from workbench.app.selection import KeptClips, Selection, where
from workbench.store.side_by_side import SameClips

LABELS = ("happy", "sad & blue", "fear|anger")
N = 240
KEPT = KeptClips(Path("nowhere"))


def said_of(seed: int, true: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scores = rng.gumbel(size=(N, 3)) + 1.2 * np.eye(3)[true]
    return (np.exp(scores) / np.exp(scores).sum(1, keepdims=True)).astype(np.float32)


TRUE = np.random.default_rng(0).integers(0, 3, N)
PROBS = {name: said_of(seed, TRUE) for seed, name in enumerate(("a", "b c", "d"), start=1)}
CLIPS = pd.DataFrame(
    {
        "clip_id": [f"clip {i}" for i in range(N)],
        "label": TRUE,
        "subject": [f"p{i % 12}" for i in range(N)],
        "scene": np.array(["dark", "bright", None], object)[np.arange(N) % 3],
        "yaw": np.random.default_rng(5).normal(size=N).round(3),
        "fold": np.arange(N) % 4,
    }
)


def table() -> pd.DataFrame:
    """As `clip_table` makes it."""
    found = CLIPS.set_index("clip_id", drop=False).assign(label_name=np.array(LABELS)[TRUE])
    for name, probs in PROBS.items():
        found[f"said {name}"] = np.array(LABELS)[probs.argmax(1)]
        found[f"right {name}"] = pd.array(probs.argmax(1) == TRUE, "boolean")
        found[f"confidence {name}"] = probs.max(1)
    return found


TABLE = table()
SAME = SameClips(PROBS, CLIPS, LABELS, {}, ())
DARK = Selection((where("scene", "dark"),))


def count(text: str) -> int:
    """How many clips a link selects; 0 for none."""
    return int(Selection.parse([text]).mask(TABLE, KEPT).sum()) if text else 0


def test_confusion_and_recalls() -> None:
    found = summary(PROBS["b c"], TRUE, LABELS)
    counts = [[count(text) for text in row] for row in links.confusion(found, "b c")]
    np.testing.assert_array_equal(counts, found.confusion)
    wrong, _, *classes = [count(text) for text in links.recalls(found, "b c")]
    assert wrong == N - np.trace(found.confusion)
    assert classes == found.confusion.sum(1).tolist()
    figure = links.attach(RecallDisplay.from_result({"b c": found}).to_plotly(), [links.recalls(found, "b c")])
    assert len(figure.data[0].customdata) == len(figure.data[0].x)


def test_within_a_selection() -> None:
    dark = DARK.mask(TABLE, KEPT)
    found = summary(PROBS["a"][dark], TRUE[dark], LABELS)
    counts = [[count(text) for text in row] for row in links.confusion(found, "a", DARK)]
    np.testing.assert_array_equal(counts, found.confusion)


def test_scores_and_what_models_say() -> None:
    found = {name: summary(probs, TRUE, LABELS) for name, probs in PROBS.items()}
    rows, cells = overview.score_rows(found, links.EVERYONE)
    assert [count(text) for text in cells["wrong"]] == rows["wrong"].tolist()
    assert [str(count(text)) for text in cells["most often"]] == [text.rpartition(" ")[2] for text in rows["most often"]]
    rows, cells = overview.said_counts(TABLE, dict.fromkeys(PROBS, LABELS), links.EVERYONE)
    for name in PROBS:
        assert [count(text) for text in cells[name]] == rows[name].tolist()
        assert rows[name].sum() == N


def test_clips_by_class_and_part() -> None:
    found = overview.class_counts(TABLE)
    assert (found.column, found.parts) == ("fold", (0, 1, 2, 3))
    assert found.counts.sum() == N
    assert [[count(text) for text in row] for row in overview.class_links(found)] == found.counts.tolist()
    figure = overview.ClassCountsDisplay.from_result(found).to_plotly()
    assert [list(trace.x) for trace in figure.data] == found.counts.tolist()
    assert overview.facts(TABLE, N) == f"{N} clips, 3 classes, 12 persons, 4 folds"
    assert overview.facts(TABLE[TABLE["fold"] == 1].drop(columns="subject"), N) == f"{N // 4} of {N} clips, 3 classes"


def test_flips_and_differences() -> None:
    found = compare(PROBS, TRUE, label_names=LABELS, reference="b c", n_boot=100)
    rows, cells = comparing.pair_rows(found, links.EVERYONE)
    for name in ("gained", "lost", "other flips"):
        assert [count(text) for text in cells[name]] == rows[name].tolist()
        assert rows[name].sum() > 0
    for number, pair in enumerate(found.pairs):
        by_class = FlipsDisplay.from_result(found, number).counts()
        for kind, texts in links.flips(pair, LABELS).items():
            assert [count(text) for text in texts[:-1]] == by_class[kind].tolist()
        shares = ConfusionDifferenceDisplay.from_result(found, number).shares
        cells_of = links.confusion_difference(pair, shares, LABELS)
        assert [[bool(text) for text in row] for row in cells_of] == (shares != 0).tolist()
        assert all(count(text) > 0 for row in cells_of for text in row if text)
    assert len(links.differences(found)) == len(ForestDisplay.from_result(found).to_plotly().data[0].x) == 4
    one = compare({name: PROBS[name] for name in ("a", "d")}, TRUE, label_names=LABELS, n_boot=100)
    texts = links.differences(one)
    assert len(texts) == len(ForestDisplay.from_result(one).to_plotly().data[0].x) == 5
    assert count(texts[0]) == one.pairs[0].only_first + one.pairs[0].only_second


def test_agreement() -> None:
    found = agree({name: probs.argmax(1) for name, probs in PROBS.items()}, label_names=LABELS)
    rows, cells = agreeing.pair_rows(found, links.EVERYONE)
    assert [count(text) for text in cells["differ"]] == rows["differ"].tolist()
    pair = found.pairs[1]
    counts = [[count(text) for text in row] for row in links.agreement(pair.first, pair.second, LABELS, pair.counts)]
    np.testing.assert_array_equal(counts, pair.counts)
    figure, names, matrix = agreeing.kappas(found, links.EVERYONE)
    assert names == list(PROBS)
    assert np.isnan(figure.data[0].z).sum() == 3  # a model with itself
    assert count(matrix[0][2]) == len(pair.differ) if pair.name == "a, d" else True
    assert matrix[1][1] == ""


def test_slices_by_columns_and_by_saved_ones() -> None:
    saved = {"sure": Selection.parse(["confidence a>=0.8"])}
    inside = {"sure": TABLE.index[saved["sure"].mask(TABLE, KEPT)].tolist()}
    by = comparing.factors(SAME, ["scene", "yaw", "fold"], 4, saved, inside)
    found, levels = comparing.sliced(SAME, by), by.levels
    assert {item.terms[0][0] for item in found.models["a"]} == {"scene", "yaw", "fold", "sure"}
    for item in found.models["a"]:
        text = levels.of(item)
        assert count(text) == (0 if item.terms == (("sure", links.OUT),) else item.n), item.name
    search = comparing.searched(SAME, by, "a", 20)
    assert len(search.slices) > 5
    for item in search.slices:
        outside = ("sure", links.OUT) in item.terms
        assert count(levels.of(item)) == (0 if outside else item.n), item.name
    assert by.key != comparing.factors(SAME, ["scene", "yaw", "fold"], 4).key
    with pytest.raises(InputError, match="choose a column"):
        comparing.factors(SAME, [], 4)
    with pytest.raises(InputError, match="no column light"):
        comparing.factors(SAME, ["light"], 4)


def test_slices_are_those_of_the_analysis() -> None:
    by = comparing.factors(SAME, ["scene"], 4)
    groups = CLIPS["subject"].to_numpy()
    same = slice_metrics(PROBS, TRUE, {"scene": CLIPS["scene"]}, groups=groups, label_names=LABELS)
    assert comparing.sliced(SAME, by).to_dict()["models"] == same.to_dict()["models"]
    worst = bad_slices(PROBS["d"], TRUE, {"scene": CLIPS["scene"]}, SearchOptions(min_n=30), groups=groups, label_names=LABELS)
    assert comparing.searched(SAME, by, "d", 30).to_dict()["slices"] == worst.to_dict()["slices"]


@pytest.mark.parametrize("binning", ["mass", "width"])
def test_bins_of_confidence(binning: str) -> None:
    found = calibration(PROBS["a"], TRUE, binning=binning, label_names=LABELS)
    rows, cells = sureness.bin_rows(found, "a", links.EVERYONE)
    assert [count(text) for text in cells["clips"]] == rows["clips"].tolist() == found.counts[found.counts > 0].tolist()
    rows, cells = sureness.model_rows({"a": found}, TABLE, links.EVERYONE)
    (name,) = cells
    assert count(cells[name][0]) == rows[name][0] > 0


def test_classes_told_apart_and_surest_mistakes() -> None:
    rows, cells = sureness.apart_rows({"a": density(PROBS["a"], TRUE, LABELS)}, links.EVERYONE)
    assert [count(text) for text in cells["clips"]] == rows["clips"].tolist() == np.bincount(TRUE).tolist()
    wrong = sureness.mistakes(TABLE, "a")
    assert len(wrong) == (PROBS["a"].argmax(1) != TRUE).sum()
    assert wrong["confidence a"].is_monotonic_decreasing


def test_what_models_say_does_not_narrow_figures_unless_asked() -> None:
    columns = list(CLIPS.columns)
    assert list(scopes(Selection(), columns)) == ["all"]
    assert list(scopes(DARK, columns)) == ["filter", "all"]
    clicked = Selection.parse(["label_name=happy", "said a=sad & blue".replace("&", "%26")])
    assert list(scopes(clicked, columns)) == ["all", "selected"]
    both = DARK.and_(*clicked.conditions)
    offered = scopes(both, columns)
    assert list(offered) == ["filter", "all", "selected"]
    assert offered["filter"] == DARK == filter_of(both, columns)
    assert len(measured("filter", DARK, TABLE, KEPT).clips or ()) == N // 3
    assert measured("all", Selection(), TABLE, KEPT).clips is None
    with pytest.raises(InputError, match="no clip passes scene is foggy"):
        measured("selected", Selection((where("scene", "foggy"),)), TABLE, KEPT)
