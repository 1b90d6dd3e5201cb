"""Predictions of others: what a file says is what the collection says, whatever its form; what it does not say is asked for."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from ifdd.data.corpora.orders import ORDERS
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from workbench.analysis.comparison import task as comparing
from workbench.analysis.confidence import task as calibrating
from workbench.analysis.performance.task import measure
from workbench.store.collection import Collection, open_collection
from workbench.store.foreign.scores import Reading, parse_order
from workbench.store.foreign.task import DEFAULT, Options, import_predictions

CLIPS = 60
CLASSES = ("happy", "sad", "neutral", "angry")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of clips, of which no file is there, and logits of them."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "clip_id": [f"clip-{i:03d}" for i in range(CLIPS)],
            "path": [f"{'ab'[i % 2]}/{i // 2:05d}.mp4" for i in range(CLIPS)],
            "label": [CLASSES[i % 4] for i in range(CLIPS)],
            "subject": [str(i // 5) for i in range(CLIPS)],
        }
    )
    rows.to_csv(folder / "clips.csv", index=False)
    truth = np.array([CLASSES.index(label) for label in rows["label"]])
    np.save(folder / "logits.npy", rng.normal(size=(CLIPS, 4)) + 1.5 * np.eye(4)[truth])
    return folder


@pytest.fixture
def clips(world: Path) -> pd.DataFrame:
    return pd.read_csv(world / "clips.csv")


@pytest.fixture
def logits(world: Path) -> np.ndarray:
    found: np.ndarray = np.load(world / "logits.npy")
    return found


def frame(clips: pd.DataFrame, values: np.ndarray, prefix: str = "p_", names: Sequence[str] = CLASSES) -> pd.DataFrame:
    return pd.DataFrame({"clip_id": clips["clip_id"]} | {f"{prefix}{name}": values[:, i] for i, name in enumerate(names)})


def imported(
    world: Path, table: pd.DataFrame | str, tmp_path: Path, options: Options = DEFAULT, suffix: str = ".csv"
) -> Collection:
    file = tmp_path / f"theirs{suffix}"
    if isinstance(table, str):
        file.write_text(table)
    elif suffix == ".parquet":
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False, sep={".csv": ",", ".tsv": "\t", ".txt": " "}[suffix])
    return import_predictions(file, world / "clips.csv", "theirs", tmp_path / "out", options)


def test_figures_are_those_of_the_file(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    """scikit-learn on the file alone, against what the workbench says of the collection."""
    table = frame(clips, softmax(logits, 1), names=("Happiness", "Sadness", "Neutral", "Anger")).sample(frac=1, random_state=1)
    found = imported(world, table[["p_Anger", "clip_id", "p_Sadness", "p_Neutral", "p_Happiness"]], tmp_path)
    read = pd.read_csv(tmp_path / "theirs.csv").merge(clips, on="clip_id")
    said = read[["p_Happiness", "p_Sadness", "p_Neutral", "p_Anger"]].to_numpy().argmax(1)
    true = [CLASSES.index(label) for label in read["label"]]
    result = measure(found)
    assert found.labels == CLASSES
    assert result.war.value == accuracy_score(true, said)
    assert result.uar.value == recall_score(true, said, average="macro")
    np.testing.assert_array_equal(result.confusion, confusion_matrix(true, said))
    assert list(found.predictions["clip_id"]) == list(clips["clip_id"])
    assert found.predictions["subject"].tolist() == [str(i // 5) for i in range(CLIPS)]
    assert (found.origin, found.capabilities, found.branches) == ("predictions imported from theirs.csv", frozenset(), {})
    assert "Anger is read as angry" in found.notes[0]
    assert len(found.meta["imported"]["sha256"]) == 64


@settings(max_examples=10)
@given(seed=st.integers(0, 2**16), suffix=st.sampled_from([".csv", ".tsv", ".txt", ".parquet"]), bare=st.booleans())
def test_order_and_form_of_a_file_change_nothing(
    world: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, suffix: str, bare: bool
) -> None:
    clips, logits = pd.read_csv(world / "clips.csv"), np.load(world / "logits.npy")
    rng = np.random.default_rng(seed)
    table = frame(clips, softmax(logits, 1), "" if bare else "p_").iloc[rng.permutation(CLIPS)]
    table = table[[table.columns[i] for i in rng.permutation(table.shape[1])]]
    found = imported(world, table, tmp_path_factory.mktemp("any"), suffix=suffix)
    assert found.labels == CLASSES
    np.testing.assert_allclose(found.probs, softmax(logits, 1), rtol=1e-6)
    assert measure(found).war.value == (logits.argmax(1) == [CLASSES.index(label) for label in clips["label"]]).mean()


def test_logits_are_kept_and_their_softmax_counts(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    found = imported(world, frame(clips, logits, "logit_"), tmp_path)
    np.testing.assert_allclose(found.probs, softmax(logits, 1), rtol=1e-6)
    np.testing.assert_allclose(found.activation("logits"), logits, rtol=1e-6)
    assert found.with_roles("logits") == ("logits",)
    assert found.meta["imported"]["holds"] == "logits"


@pytest.mark.parametrize("name", ["logits", "scores", "probs"])
def test_arrays_with_features(name: str, world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    values = softmax(logits, 1) if name == "probs" else logits
    features = np.random.default_rng(2).normal(size=(CLIPS, 6)).astype(np.float32)
    paths = [f"/data/{path}" for path in clips["path"]]
    turned = np.random.default_rng(3).permutation(CLIPS)
    arrays: dict[str, Any] = {name: values[turned][:, ::-1], "path": np.array(paths)[turned], "features": features[turned]}
    np.savez(tmp_path / "theirs.npz", **arrays)
    reading = Reading(labels=CLASSES[::-1], kind="logits" if name == "scores" else None)
    found = import_predictions(tmp_path / "theirs.npz", world / "clips.csv", "theirs", tmp_path / "out", Options(reading))
    np.testing.assert_allclose(found.probs, softmax(logits, 1), rtol=1e-5)
    np.testing.assert_array_equal(found.activation("features"), features)
    assert found.with_roles("embedding") == ("features",)
    assert found.meta["imported"]["matched"].endswith("60 by the last 2 parts of their path")
    np.savez(tmp_path / "named.npz", classes=np.array(CLASSES), clip_id=clips["clip_id"].to_numpy(str), **{name: values})
    again = import_predictions(
        tmp_path / "named.npz", world / "clips.csv", "n", tmp_path / "n", Options(Reading(kind=reading.kind))
    )
    np.testing.assert_allclose(again.probs, found.probs, rtol=1e-5)


def test_other_ways_to_call_things(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    """Classes before what is said of them, lists in cells, plural names, labels that name the classes."""
    probs, ids = softmax(logits, 1), clips["clip_id"]

    def same(file: Path, name: str, **reading: Any) -> None:
        found = import_predictions(file, world / "clips.csv", name, tmp_path / name, Options(Reading(**reading)))
        np.testing.assert_allclose(found.probs, probs, rtol=1e-5)

    behind = pd.DataFrame({f"{name.title()}_prob": probs[:, i] for i, name in enumerate(CLASSES)} | {"filename": clips["path"]})
    behind.assign(pred="happy", quality_score=3).to_csv(tmp_path / "behind.csv", index=False)
    same(tmp_path / "behind.csv", "behind")
    lists = pd.DataFrame({"id": ids, "scores": [row.tolist() for row in logits], "label": clips["label"]})
    lists.to_csv(tmp_path / "lists.csv", index=False)
    same(tmp_path / "lists.csv", "lists", labels=CLASSES, kind="logits")
    lists.to_parquet(tmp_path / "lists.parquet")
    same(tmp_path / "lists.parquet", "lists2", labels=CLASSES, kind="logits")
    np.savez(
        tmp_path / "a.npz", ids=ids.to_numpy(str), y_prob=probs, labels=np.array(CLASSES), targets=clips["label"].to_numpy(str)
    )
    same(tmp_path / "a.npz", "arrays")
    lists.loc[3, "scores"] = "[0.1, 0.2]"
    lists.to_csv(tmp_path / "lists.csv", index=False)
    with pytest.raises(InputError, match="scores of row 3 is no list of numbers as long as the others"):
        same(tmp_path / "lists.csv", "x", labels=CLASSES)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_features_in_a_file_of_their_own(
    suffix: str, world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path
) -> None:
    features = np.random.default_rng(2).normal(size=(CLIPS, 6)).astype(np.float32)
    table = frame(clips, softmax(logits, 1)).iloc[::-1]
    file = tmp_path / f"features{suffix}"
    if suffix == ".npy":
        np.save(file, features[::-1])
    elif suffix == ".npz":
        np.savez(file, id=clips["clip_id"].to_numpy(str), features=features)
    else:
        pd.DataFrame(features).assign(clip_id=clips["clip_id"]).to_csv(file, index=False)
    found = imported(world, table, tmp_path, Options(features=file))
    np.testing.assert_array_equal(found.activation("features"), features)


VIEWS = """12.5, 50.0
/data/a/00000.mp4 [2.0, 0.0, 0.0, 0.0] 0 0 0
/data/a/00000.mp4 [0.0, 2.0, 0.0, 0.0] 0 0 1
/data/a/00000.mp4 [9.0, 0.0, 0.0, 0.0] 0 0 1
/data/b/00000.mp4 [0.0, 3.0, 0.0, 0.0] 1 0 0
"""


def test_lines_of_views_are_merged_as_videomae_does(world: Path, tmp_path: Path) -> None:
    found = imported(world, VIEWS, tmp_path, Options(Reading(labels=CLASSES), partial=True), ".txt")
    expected = [softmax([[2.0, 0, 0, 0], [0, 2.0, 0, 0]], 1).mean(0), softmax([0, 3.0, 0, 0])]  # a view counts once
    np.testing.assert_allclose(found.probs, expected, rtol=1e-6)
    assert len(found.left_out) == CLIPS - 2
    wrong = VIEWS.replace("] 1 0 0", "] 5 0 0")
    with pytest.raises(InputError, match=r"column label holds the label 5, its 4 classes are numbered from 0"):
        import_predictions(
            _write(tmp_path / "w.txt", wrong),
            world / "clips.csv",
            "w",
            tmp_path / "w",
            Options(Reading(labels=CLASSES), partial=True),
        )


def test_a_folder_of_the_files_of_all_processes(tmp_path: Path) -> None:
    """As MAE-DFER leaves it: paths of another machine, MAFW's order by number, views of a clip in several files."""
    order, rng = ORDERS["mafw-paper"], np.random.default_rng(0)
    clips = pd.DataFrame({"path": [f"frames/{i:05d}" for i in range(44)], "label": [order[i % 11] for i in range(44)]})
    clips.to_csv(tmp_path / "clips.csv", index=False)
    logits = rng.normal(size=(44, 2, 11))
    (tmp_path / "theirs").mkdir()
    for rank in (0, 1):
        lines = [f"/mnt/data1/MAFW/faces/{i:05d} {logits[i, rank].tolist()} {i % 11} 0 {rank}" for i in range(44)]
        (tmp_path / "theirs" / f"{rank}.txt").write_text("\n".join(["45.3, 90.1", *lines]))
    reading = Reading(labels=parse_order("@mafw-paper"))
    found = import_predictions(tmp_path / "theirs", tmp_path / "clips.csv", "MAE-DFER", tmp_path / "out", Options(reading))
    expected = softmax(logits, -1).mean(1)[:, [order.index(name) for name in found.labels]]
    np.testing.assert_allclose(found.probs, expected, rtol=1e-5)
    assert found.labels == ORDERS["mafw-dfer-clip"]
    assert found.meta["imported"]["file"] == "theirs"
    wrong = Reading(labels=parse_order("@mafw-dfer-clip"))
    with pytest.raises(InputError, match=r"numbered as mafw-paper .*: give --labels angry,disgust,fear"):
        import_predictions(tmp_path / "theirs", tmp_path / "clips.csv", "x", tmp_path / "x", Options(wrong))
    (tmp_path / "theirs" / "1.txt").rename(tmp_path / "theirs" / "2.txt")
    with pytest.raises(InputError, match=r"is a folder with 0.txt, 2.txt; it needs the files of all processes"):
        import_predictions(tmp_path / "theirs", tmp_path / "clips.csv", "x", tmp_path / "x", Options(reading))
    with pytest.raises(InputError, match=r"--labels @mafw: is no known order; known are @dfew, @alphabetical-7"):
        parse_order("@mafw")


def _write(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_rounded_rows_are_renormalised_and_it_is_told(
    digits: int, world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path
) -> None:
    found = imported(world, frame(clips, softmax(logits, 1).round(digits)), tmp_path)
    np.testing.assert_allclose(found.probs.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(found.probs, softmax(logits, 1), atol=2 * 10.0**-digits)
    assert any(note.startswith(f"probabilities have {digits} digits: rows sum to") for note in found.notes)


def test_ties_of_rounding_are_told(world: Path, clips: pd.DataFrame, tmp_path: Path) -> None:
    found = imported(world, frame(clips, np.tile([0.4, 0.4, 0.1, 0.1], (CLIPS, 1))), tmp_path)
    assert "two classes are equally probable in 60 of 60 clips; the first in the order of the classes counts" in found.notes


def test_ids_that_lost_their_zeros_are_found(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    table = frame(clips, softmax(logits, 1)).assign(clip_id=[f"{'ab'[i % 2]}\\{i // 2}.AVI" for i in range(CLIPS)])
    np.testing.assert_allclose(imported(world, table, tmp_path).probs, softmax(logits, 1), rtol=1e-6)


def test_numbers_with_a_fraction_of_zeros_are_whole(tmp_path: Path) -> None:
    """As a table writes ids and labels of which one is empty."""
    (tmp_path / "clips.csv").write_text("clip_id,path,label\n00001,x/00001,happy\n00010,x/00010,sad\n")
    table = "video_name,label,p_happy,p_sad\n10.0,1.0,0.25,0.75\n1.0,0.0,0.75,0.25\n"
    (tmp_path / "theirs.csv").write_text(table)
    made = import_predictions(tmp_path / "theirs.csv", tmp_path / "clips.csv", "theirs", tmp_path / "out")
    assert made.probs.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    (tmp_path / "theirs.csv").write_text(table.replace("10.0,1.0", "10.0,0.0"))
    with pytest.raises(InputError, match="disagree"):
        import_predictions(tmp_path / "theirs.csv", tmp_path / "clips.csv", "theirs", tmp_path / "other")


def test_names_of_another_number_of_classes_are_no_names(
    world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path
) -> None:
    names = np.array([*CLASSES, "fear"])
    np.savez(tmp_path / "p.npz", clip_id=clips["clip_id"].to_numpy(str), logits=logits, classes=names)
    said = Options(Reading(labels=CLASSES))
    with pytest.raises(InputError, match="5 classes are named, columns there are: logits 4"):
        import_predictions(tmp_path / "p.npz", world / "clips.csv", "theirs", tmp_path / "out", said)


def test_part_of_the_clips(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    table = frame(clips, softmax(logits, 1))
    with pytest.raises(
        InputError, match=r"no prediction of 20 of the 60 clips of .*: clip-040, .* \(20\); add them, or say with --p"
    ):
        imported(world, table.head(40), tmp_path)
    found = imported(world, table.head(40), tmp_path, Options(partial=True))
    whole = import_predictions(tmp_path / "theirs.csv", world / "clips.csv", "b", tmp_path / "b", Options(partial=True))
    assert len(found.predictions) == len(whole.predictions) == 40
    assert found.left_out == set(clips["clip_id"].iloc[40:])
    (tmp_path / "all").mkdir()
    every = imported(world, table, tmp_path / "all")
    report = comparing.run([every, found], comparing.Options(draws=100))
    assert report.comparison.n == 40  # of the clips that both have
    assert any("20 of 60 clips have no prediction in theirs.csv" in note for note in report.notes)


def test_clips_that_the_dataset_lacks(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    table = frame(clips, softmax(logits, 1))
    more = pd.concat([table, table.tail(2).assign(clip_id=["x/9", "x/8"])])
    with pytest.raises(InputError, match=r"has 2 predictions of clips that .* lacks: x/9, x/8; mend their names, or leave"):
        imported(world, more, tmp_path)
    found = imported(world, more, tmp_path, Options(skip=True))
    assert found.meta["imported"]["strange"] == ["x/9", "x/8"]
    assert "2 rows of theirs.csv are no clips of the dataset and left out: x/9, x/8" in found.notes
    table.assign(clip_id=[f"y{i}" for i in range(CLIPS)]).to_csv(tmp_path / "theirs.csv", index=False)
    with pytest.raises(InputError, match=r"no row of .*theirs.csv is a clip of .*, e.g. y0; name the column"):
        import_predictions(tmp_path / "theirs.csv", world / "clips.csv", "y", tmp_path / "y")


Change = Callable[[pd.DataFrame], pd.DataFrame]


def one(row: int, column: str, value: object) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype({column: object})
        table.loc[row, column] = value
        return table

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (one(3, "clip_id", "clip-001"), "clip-001 is there 2 times (1 clips are there more than once)"),
        (one(3, "clip_id", "a/0.mp4"), "clip-000 and a/0.mp4 are both the clip clip-000"),
        (one(3, "clip_id", "00001"), "00001 may be 2 clips, clip-002, clip-003"),
        (one(3, "clip_id", ""), "row 4 names no clip"),
        (one(3, "p_sad", "nan"), "a value of clip-003 is NaN or infinite (1 of 60 clips)"),
        (one(3, "p_sad", "inf"), "a value of clip-003 is NaN or infinite"),
        (one(3, "p_sad", "much"), "p_sad is 'much' in row 4; write a number"),
        (one(3, "p_sad", 0.9999), "clip-003 has "),
        (one(3, "p_sad", -0.2), "no distribution, as 1 of 60 rows; the others are"),
        (lambda table: table.rename(columns={"p_sad": "p_bored"}), "bored is no class"),
        (lambda table: table.rename(columns={"p_sad": "p_fear"}), "has no column of sad, of which the dataset has clips"),
        (lambda table: table.rename(columns={"p_sad": "p_Happiness"}), "may both be happy"),
        (lambda table: table.drop(columns="p_sad"), "no column of sad"),
        (lambda table: table[["clip_id"]].assign(prediction="happy"), "has no columns of probabilities or logits"),
        (lambda table: table.drop(columns="clip_id"), "no column that names the clip"),
        (
            lambda table: table.rename(columns=dict(zip([f"p_{c}" for c in CLASSES], "0123", strict=True))),
            "nothing says which class each of its 4",
        ),
        (lambda table: table.assign(**{f"logit_{c}": 0.5 for c in CLASSES}), "holds p_… and logit_…; say which is meant"),
        (lambda table: table.assign(**{f"p_{c}": 25.0 for c in CLASSES}), "these are percents; divide them by 100"),
        (
            lambda table: table.assign(**{f"p_{c}": 2.5 for c in CLASSES}),
            "where these are logits, call the columns logit_<class>",
        ),
        (lambda table: table.assign(label="happy"), "clip-001 is happy in its column label, sad in the dataset (45 of 60"),
        (lambda table: table.assign(label="bored"), "column label: bored is no class"),
        (lambda table: table.head(0), "holds no prediction"),
    ],
)
def test_what_is_wrong_is_one_line(
    change: Change, told: str, world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as raised:
        imported(world, change(frame(clips, softmax(logits, 1))), tmp_path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "theirs.csv" in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        (Reading(), "where these are logits, say so with --logits"),
        (Reading(kind="probabilities"), "which is no distribution"),
        (Reading(labels=("happy", "sad")), "has columns of happy, sad, neutral, angry, --labels names happy, sad"),
        (Reading(map={"happy": ""}, kind="logits"), "--map leaves out happy"),
        (Reading(id="nowhere", kind="logits"), "has no column 'nowhere'; it has clip_id, happy, sad, neutral, angry"),
    ],
)
def test_what_a_person_says_is_checked(
    reading: Reading, told: str, world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as raised:
        imported(world, frame(clips, logits, ""), tmp_path, Options(reading))
    assert told in str(raised.value)


def test_probabilities_are_no_logits(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="so these are probabilities and no logits"):
        imported(world, frame(clips, softmax(logits, 1), ""), tmp_path, Options(Reading(kind="logits")))
    with pytest.raises(InputError, match="calls its columns probabilities, --logits says otherwise"):
        imported(world, frame(clips, softmax(logits, 1)), tmp_path, Options(Reading(kind="logits")))
    (tmp_path / "log").mkdir()
    found = imported(world, frame(clips, np.log(softmax(logits, 1)), ""), tmp_path / "log", Options(Reading(kind="logits")))
    np.testing.assert_allclose(found.probs, softmax(logits, 1), rtol=1e-5)  # log-probabilities are logits


def seven(tmp_path: Path) -> tuple[Path, pd.DataFrame]:
    clips = pd.DataFrame({"path": [f"{i}.mp4" for i in range(28)], "label": [EMOTIONS[i % 7] for i in range(28)]})
    clips.to_csv(tmp_path / "clips.csv", index=False)
    return tmp_path / "clips.csv", clips


def test_a_wrong_order_of_classes_is_named(tmp_path: Path) -> None:
    """Columns of the FERV39k lists of S2D, read as if they were in DFEW's order."""
    manifest, clips = seven(tmp_path)
    order = ORDERS["alphabetical-7"]
    probs = np.full((28, 7), 0.05) + 0.65 * np.eye(7)[[order.index(label) for label in clips["label"]]]
    table = pd.DataFrame(probs).assign(id=clips["path"], label=[order.index(label) for label in clips["label"]])
    table.to_csv(tmp_path / "theirs.csv", index=False)
    with pytest.raises(
        InputError, match=r"numbered as alphabetical-7 .* not as --labels says .*: give --labels angry,disgust,fear"
    ):
        import_predictions(tmp_path / "theirs.csv", manifest, "x", tmp_path / "x", Options(Reading(labels=EMOTIONS)))
    found = import_predictions(tmp_path / "theirs.csv", manifest, "x", tmp_path / "x", Options(Reading(labels=order)))
    assert measure(found).war.value == 1
    assert found.labels == EMOTIONS
    table.assign(label=table["label"] + 1).to_csv(tmp_path / "theirs.csv", index=False)
    again = import_predictions(tmp_path / "theirs.csv", manifest, "x", tmp_path / "y", Options(Reading(labels=order)))
    assert "numbers of its column label count from 1" in again.notes


def test_a_wrong_order_is_seen_in_the_predictions_alone(tmp_path: Path) -> None:
    """The same without a column of labels: a model that is good in another order is refused, one that is bad is not."""
    rng, order = np.random.default_rng(0), ORDERS["alphabetical-7"]
    labels = [EMOTIONS[i % 7] for i in range(210)]
    clips = pd.DataFrame({"path": [f"{i}.mp4" for i in range(210)], "label": labels})
    clips.to_csv(tmp_path / "clips.csv", index=False)
    logits = rng.normal(size=(210, 7)) + 2 * np.eye(7)[[order.index(label) for label in labels]]
    np.savez(tmp_path / "theirs.npz", path=clips["path"].to_numpy(str), logits=logits)

    def read(name: str, labels: Sequence[str], **options: bool) -> Collection:
        reading = Reading(labels=tuple(labels))
        return import_predictions(
            tmp_path / "theirs.npz", tmp_path / "clips.csv", name, tmp_path / name, Options(reading, **options)
        )

    with pytest.raises(
        InputError, match=r"predictions in alphabetical-7.*; the columns are likely --labels angry,disgust,fear,happy,"
    ):
        read("wrong", EMOTIONS)
    right, kept = read("right", order), read("kept", EMOTIONS, keep_order=True)
    assert measure(right).war.value > 0.6 > 0.2 > measure(kept).war.value
    assert right.notes == ("probabilities are the softmax of its logits",)
    assert any("its order was kept, though labels and predictions are in different orders" in note for note in kept.notes)
    np.savez(tmp_path / "theirs.npz", path=clips["path"].to_numpy(str), logits=rng.normal(size=(210, 7)))
    assert measure(read("weak", EMOTIONS)).war.value < 0.3


def test_labels_by_name_that_are_permuted_are_told_so(tmp_path: Path) -> None:
    manifest, clips = seven(tmp_path)
    turn = dict(zip(EMOTIONS, (*EMOTIONS[1:], EMOTIONS[0]), strict=True))
    table = pd.DataFrame(np.full((28, 7), 1 / 7), columns=[f"p_{name}" for name in EMOTIONS])
    table.assign(id=clips["path"], label=clips["label"].map(turn)).to_csv(tmp_path / "theirs.csv", index=False)
    with pytest.raises(InputError, match=r"28 of 28 clips disagree\); all of it is one permutation: angry stands for neutral"):
        import_predictions(tmp_path / "theirs.csv", manifest, "x", tmp_path / "x")


def test_a_map_is_of_columns_and_of_labels(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    table = frame(clips, softmax(logits, 1), names=("HAP", "SAD", "NEU", "ANG"))
    table["label"] = clips["label"].map({"happy": "HAP", "sad": "S", "neutral": "NEU", "angry": "ANG"})
    means = {"HAP": "happy", "S": "sad", "NEU": "neutral", "ANG": "angry"}
    found = imported(world, table, tmp_path, Options(Reading(map=means)))
    np.testing.assert_allclose(found.probs, softmax(logits, 1), rtol=1e-6)
    with pytest.raises(InputError, match="ANG, HAP, NEU are no classes"):
        import_predictions(tmp_path / "theirs.csv", world / "clips.csv", "x", tmp_path / "x")
    with pytest.raises(InputError, match="there is no 'JOY' to map"):
        import_predictions(
            tmp_path / "theirs.csv", world / "clips.csv", "x", tmp_path / "x", Options(Reading(map=means | {"JOY": "happy"}))
        )


def test_a_class_that_occurs_nowhere_is_told(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    values = softmax(np.hstack([logits, np.zeros((CLIPS, 1))]), 1)
    found = imported(world, frame(clips, values, names=(*CLASSES, "Surprised")), tmp_path)
    assert found.labels == ("happy", "sad", "neutral", "angry", "surprise")
    assert "the dataset has no clip of surprise, which the model knows" in found.notes


def test_folds_of_pooled_predictions(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    table = frame(clips, softmax(logits, 1)).assign(fold=[i % 3 + 1 for i in range(CLIPS)])
    found = imported(world, table, tmp_path)
    assert found.predictions["fold"].tolist() == table["fold"].tolist()
    clips.assign(fold=[i % 3 + 1 for i in range(CLIPS)]).to_csv(tmp_path / "folds.csv", index=False)
    table.assign(fold=table["fold"] % 3 + 1).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(
        InputError, match=r"clip-000 is predicted as of fold 2, the dataset has it in the test part of fold 1 \(60 of"
    ):
        import_predictions(tmp_path / "other.csv", tmp_path / "folds.csv", "x", tmp_path / "x")
    import_predictions(tmp_path / "theirs.csv", tmp_path / "folds.csv", "x", tmp_path / "x")


def test_of_a_run_the_test_part_is_taken(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    """As `ifdd train` writes them: label numbers in the order of the columns, validation and test below each other."""
    ours = np.array([CLASSES[::-1].index(label) for label in clips["label"]])
    table = frame(clips, softmax(logits, 1)[:, ::-1], names=CLASSES[::-1]).assign(fold=0, subject=clips["subject"], label=ours)
    both = pd.concat([table.head(20).assign(split="val"), table.tail(40).assign(split="test")])
    found = imported(world, both, tmp_path, Options(partial=True), ".parquet")
    assert len(found.predictions) == 40
    assert "40 of 60 rows are of the part test, and taken" in found.notes
    np.testing.assert_allclose(found.probs, softmax(logits, 1)[20:], rtol=1e-6)
    file = tmp_path / "theirs.parquet"
    val = import_predictions(file, world / "clips.csv", "v", tmp_path / "v", Options(Reading(split="val"), partial=True))
    assert list(val.predictions["clip_id"]) == list(clips["clip_id"].head(20))
    with pytest.raises(InputError, match="has clips of the parts test, val; say with --split"):
        import_predictions(file, world / "clips.csv", "x", tmp_path / "x", Options(Reading(split="train"), partial=True))


def test_validation_clips_of_the_same_name_fit_a_temperature(
    world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path
) -> None:
    first, second = clips.iloc[:40], clips.iloc[40:]
    made = []
    for part, name in ((first, "fit"), (second, "judge")):
        (tmp_path / name).mkdir()
        made.append(imported(world, frame(part, 3 * logits[part.index], "logit_"), tmp_path / name, Options(partial=True)))
    report = calibrating.run(made[1], made[0])
    assert report.scaling is not None
    assert report.scaling.temperature > 1.5


@pytest.mark.parametrize(
    ("name", "told"), [("a/b", "--name: the name 'a/b' must be a plain file name"), ("", "--name"), (".x", "--name")]
)
def test_names_become_folders(name: str, told: str, world: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        import_predictions(tmp_path / "x.csv", world / "clips.csv", name, tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "told"),
    [("no.csv", "no.csv is no file"), ("bad.xlsx", "of a kind that is not read; give .csv"), ("bad.npz", "cannot be read")],
)
def test_files_that_are_none(file: str, told: str, world: Path, tmp_path: Path) -> None:
    if file.startswith("bad"):
        (tmp_path / file).write_bytes(b"PK nothing")
    with pytest.raises(InputError, match=told):
        import_predictions(tmp_path / file, world / "clips.csv", "x", tmp_path / "out")


def test_objects_are_not_unpickled(world: Path, clips: pd.DataFrame, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", clip_id=clips["clip_id"].to_numpy(object), probs=np.full((CLIPS, 4), 0.25))
    with pytest.raises(InputError, match=r"cannot be read .*; write it again with numpy.savez"):
        import_predictions(tmp_path / "x.npz", world / "clips.csv", "x", tmp_path / "out")


def test_what_is_kept_can_be_opened_again(world: Path, clips: pd.DataFrame, logits: np.ndarray, tmp_path: Path) -> None:
    found = open_collection(imported(world, frame(clips, softmax(logits, 1)), tmp_path).folder)
    about = json.loads((found.folder / "manifest.json").read_text())["imported"]
    assert about["file"] == "theirs.csv"
    assert about["matched"] == "60 of 60 rows are clips of the dataset: 60 by id"
