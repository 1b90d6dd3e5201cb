import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ifdd
from ifdd.errors import InputError
from workbench.store.collection import open_collection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of three clips, written by hand as the docstring of `collection` says."""
    meta = {
        "schema_version": 2,
        "model": {
            "capabilities": [],
            "branches": {"X": "pyramid.X"},
            "activations": {"head.embedding": {"axes": "B C", "role": "embedding", "used": True}},
        },
        "checkpoint": {"name": "tiny", "sha256": "0" * 64},
        "labels": ["happy", "sad"],
        "data": {"manifest": "/data/clips.parquet", "hash": "1"},
        "code_version": "0",
        "pool": None,
        "clips": 3,
        "activations": {"head.embedding": {"shape": [2], "dtype": "float32"}},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(meta))
    table = {"clip_id": list("abc"), "fold": 0, "label": [0, 1, 0], "label_name": ["happy", "sad", "happy"]}
    pd.DataFrame(table | {"p_happy": [0.75, 0.5, 0.25], "p_sad": [0.25, 0.5, 0.75]}).to_parquet(tmp_path / "predictions.parquet")
    (tmp_path / "activations").mkdir()
    np.save(tmp_path / "activations" / "head.embedding.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    return tmp_path


def change(folder: Path, **values: object) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_contents(folder: Path) -> None:
    collection = open_collection(folder)
    assert collection.labels == ("happy", "sad")
    np.testing.assert_array_equal(collection.probs, np.float32([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]))
    assert list(collection.predictions["clip_id"]) == ["a", "b", "c"]
    values = collection.activation("head.embedding")
    assert isinstance(values, np.memmap)
    np.testing.assert_array_equal(values, [[0, 1], [2, 3], [4, 5]])
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1


def test_an_activation_that_was_not_kept_names_the_command(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no activation 'ladm.Y_D'.* --names head.embedding,ladm.Y_D"):
        open_collection(folder).activation("ladm.Y_D")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"schema_version": 0}, "schema version 0, this version reads 2; remove the folder and run workbench collect again"),
        ({"schema_version": None}, "schema version None"),
    ],
)
def test_another_schema_is_refused(folder: Path, values: dict[str, object], message: str) -> None:
    change(folder, **values)
    with pytest.raises(InputError, match=message):
        open_collection(folder)


def test_another_checkpoint_is_refused(folder: Path, tiny_bundle_dir: Path) -> None:
    bundle = ifdd.load_checkpoint(tiny_bundle_dir)
    with pytest.raises(InputError, match=r"collected with checkpoint tiny \(0{12}…\), not with tiny-ifdd"):
        open_collection(folder, bundle)
    change(folder, checkpoint={"name": "tiny", "sha256": bundle.card.sha256})
    with pytest.raises(InputError, match="has the classes happy, sad, tiny-ifdd has others"):
        open_collection(folder, bundle)
    change(folder, labels=list(bundle.labels))
    assert open_collection(folder, bundle).meta["clips"] == 3


def test_what_is_missing_or_damaged_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="is no collection"):
        open_collection(folder / "activations")
    np.save(folder / "activations" / "head.embedding.npy", np.zeros((2, 2), np.float32))
    with pytest.raises(InputError, match=r"shape \(2, 2\), manifest.json says \(3, 2\)"):
        open_collection(folder).activation("head.embedding")
    np.save(folder / "activations" / "head.embedding.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        open_collection(folder).activation("head.embedding")
    (folder / "predictions.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"predictions.parquet cannot be read .*collect again"):
        _ = open_collection(folder).predictions
    (folder / "manifest.json").write_text("{")
    with pytest.raises(InputError, match=r"manifest.json is not valid JSON.*collect again"):
        open_collection(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"labels": ["happy", "happy"]}, "'happy' is there twice"),
        ({"labels": "happy"}, "labels: "),
        ({"clips": "three"}, "clips: .*integer"),
        ({"clips": -1}, "clips: "),
        ({"checkpoint": {"name": "tiny"}}, "checkpoint.sha256: Field required"),
        ({"checkpoint": {"name": "../../x", "sha256": "0"}}, "checkpoint.name: .*plain file name"),
        ({"data": None}, "data: "),
        ({"activations": {"../x": {"shape": [2], "dtype": "float32"}}}, "plain file name"),
        ({"activations": {"x": {"shape": [2], "dtype": "object"}}}, "activations.x.dtype"),
        ({"activations": {"x": {"shape": 2, "dtype": "float32"}}}, "activations.x.shape"),
    ],
)
def test_wrong_values_in_the_manifest_are_named(folder: Path, values: dict[str, object], message: str) -> None:
    change(folder, **values)
    with pytest.raises(InputError, match=message) as caught:
        open_collection(folder)
    assert str(caught.value).endswith("; remove the folder and run workbench collect again")


NAN = float("nan")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"p_sad": [NAN, 0.5, 0.75]}, "probabilities of clip a are 0.75, nan, which is no distribution"),
        ({"p_sad": [0.5, 0.5, 0.75]}, "no distribution"),
        ({"p_happy": [1.25, 0.5, 0.25], "p_sad": [-0.25, 0.5, 0.75]}, "no distribution"),
        ({"p_sad": list("abc")}, "probabilities must be numbers"),
        ({"label": [0, 1, 2]}, "labels must be whole numbers from -1"),
        ({"label": [0.5, 1, 0]}, "labels must be whole numbers"),
        ({"label": [1, 1, 0]}, "label and label_name disagree"),
        ({"clip_id": [1, 2, 3]}, "clip_id must be text"),
        ({"clip_id": ["a", "b", None]}, "clip_id must be text"),
        ({"clip_id": ["a", "b", "b"]}, "clip 'b' is there twice"),
    ],
)
def test_damaged_predictions_are_named(folder: Path, columns: dict[str, object], message: str) -> None:
    file = folder / "predictions.parquet"
    pd.read_parquet(file).assign(**columns).to_parquet(file)
    with pytest.raises(InputError, match=message):
        _ = open_collection(folder).probs


def test_missing_rows_and_columns_are_named(folder: Path) -> None:
    file = folder / "predictions.parquet"
    whole = pd.read_parquet(file)
    whole.drop(columns="p_sad").to_parquet(file)
    with pytest.raises(InputError, match="lacks the column 'p_sad'"):
        _ = open_collection(folder).probs
    whole.iloc[:2].to_parquet(file)
    with pytest.raises(InputError, match=r"has 2 rows, manifest.json says 3 clips"):
        _ = open_collection(folder).probs
    np.save(folder / "activations" / "head.embedding.npy", np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"holds float64, manifest.json says float32"):
        open_collection(folder).activation("head.embedding")
    (folder / "activations" / "head.embedding.npy").write_bytes(b"")  # NumPy's EOFError would pass for Ctrl-C
    with pytest.raises(InputError, match="cannot be read"):
        open_collection(folder).activation("head.embedding")
