import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ifdd
from ifdd.errors import InputError
from workbench.collection import open_collection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of three clips, written by hand as the docstring of `collection` says."""
    meta = {
        "schema_version": 1,
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
    [({"schema_version": 0}, "schema version 0, this version reads 1"), ({"schema_version": None}, "schema version None")],
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
    with pytest.raises(InputError, match=r"manifest.json cannot be read"):
        open_collection(folder)
