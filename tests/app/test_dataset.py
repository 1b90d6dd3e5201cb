import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ifdd import InputError, load_checkpoint
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.data.preprocessing import Preprocessing
from tests.tiny_demo import CLIPS, MODELS, TinyDemo
from workbench.analysis.performance.task import measure
from workbench.app.clip_table import clip_table
from workbench.app.clipview import thumbnail
from workbench.store.collection import Collection
from workbench.store.dataset import Dataset
from workbench.store.layout import demo_folder
from workbench.store.tables import features, labelled, vector_activations
from workbench.store.workspace import Workspace, open_workspace, upload_name


@pytest.fixture
def dataset(tiny_demo: TinyDemo, use: Callable[[TinyDemo], None]) -> Dataset:
    use(tiny_demo)
    return open_workspace(demo_folder()).dataset("demo")


@pytest.fixture
def collections(dataset: Dataset) -> dict[str, Collection]:
    return {name: dataset.collection(load_checkpoint(folder)) for name, folder in Workspace(demo_folder()).checkpoints().items()}


def test_only_the_checkpoints_that_are_asked_for(dataset: Dataset) -> None:
    assert set(Workspace(demo_folder()).checkpoints()) == set(MODELS)
    assert set(dataset.collected()) == set(MODELS)


def test_clips_lead_to_files(dataset: Dataset) -> None:
    for clip in dataset.clips.index:
        assert dataset.path(clip).is_dir()
        truth = dataset.truth_file(clip)
        assert truth is not None
        assert truth.is_file()
    assert dataset.reading("tiny-test-00000", {"clip": Preprocessing()}) == {"crop": "none", "fps": 8.0}


def test_apex_is_where_the_script_says(dataset: Dataset) -> None:
    for clip, row in dataset.clips.iterrows():
        expected = 0.5 if np.isnan(row["apex_s"]) else row["apex_s"] / 2  # the clips last two seconds
        assert dataset.apex(str(clip)) == pytest.approx(min(expected, 1.0))


def test_the_clip_table_says_who_is_right(dataset: Dataset, collections: dict[str, Collection]) -> None:
    table = clip_table(dataset.clips, collections)
    for name in MODELS:
        assert (table[f"right {name}"] == (table[f"said {name}"].astype(str) == table["label_name"])).all()
        assert table[f"right {name}"].sum() == labelled(collections[name])["correct"].sum()
        true = np.array(
            [collections[name].probs[row, collections[name].labels.index(label)] for row, label in enumerate(table["label_name"])]
        )
        np.testing.assert_allclose(table[f"loss {name}"], -np.log(true), rtol=1e-5)
        assert ((table[f"margin {name}"] > 0) == table[f"right {name}"]).all()
    differ = table["said tiny-ifdd"].astype(str) != table["said tiny-baseline"].astype(str)
    assert table["disagreement"].tolist() == differ.astype(float).tolist()
    assert "disagreement" not in clip_table(dataset.clips, {})


def test_measure_counts_as_the_table_does(collections: dict[str, Collection]) -> None:
    for collection in collections.values():
        assert measure(collection).war.value == pytest.approx(labelled(collection)["correct"].mean())


def test_features_are_one_row_a_clip(collections: dict[str, Collection]) -> None:
    collection = collections["tiny-ifdd"]
    shapes = vector_activations(collection)
    assert shapes["issm.correlation"] == (8, 8)
    np.testing.assert_array_equal(
        features(collection, "issm.correlation")[3], collection.activation("issm.correlation")[3].ravel()
    )
    assert features(collection, "head.embedding").shape[0] == CLIPS


def test_thumbnail_is_the_frame_at_the_share(dataset: Dataset) -> None:
    path = dataset.path("tiny-test-00000")
    first, last = thumbnail(path, 0.0, 16), thumbnail(path, 1.0, 16)
    assert first.shape == (96, 96, 3)
    assert (first != last).any()
    with pytest.raises(InputError, match="make the manifest again"):
        thumbnail(path, 1.0, 99)


def test_a_collection_is_opened_once_until_it_is_written_anew(
    dataset: Dataset, tiny_demo: TinyDemo, tmp_path: Path, use: Callable[[TinyDemo], None]
) -> None:
    here = tiny_demo.copy_to(tmp_path)
    use(here)
    dataset, bundle = open_workspace(here.demo).dataset("demo"), load_checkpoint(here.checkpoints / "tiny-ifdd")
    first = dataset.collection(bundle)
    assert dataset.collection(bundle) is first
    assert dataset.collection(bundle.card, "tiny-ifdd") is first
    reversed_order = first.labels[::-1]
    assert first.in_order(reversed_order) is first.in_order(reversed_order)
    with pytest.raises(InputError, match="was collected with checkpoint tiny-ifdd"):
        dataset.collection(load_checkpoint(here.checkpoints / "tiny-baseline"), "tiny-ifdd")
    file = first.folder / "predictions.parquet"
    table = pd.read_parquet(file)
    table.assign(clip_id=table["clip_id"].to_numpy()[::-1]).to_parquet(file)
    assert dataset.collection(bundle) is not first
    file.write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read as a table"):
        dataset.collection(bundle)


def test_clips_that_a_collection_lacks(dataset: Dataset, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    file = tiny.demo / "collections" / "demo" / "tiny-ifdd" / "predictions.parquet"
    pd.read_parquet(file).iloc[1:].to_parquet(file)
    about = file.parent / "manifest.json"
    about.write_text(about.read_text().replace('"clips": 14', '"clips": 13'))
    with pytest.raises(InputError, match="lacks 1 of 14 clips"):
        Workspace(tiny.demo).dataset("demo").collection(load_checkpoint(tiny.checkpoints / "tiny-ifdd"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("clip.mp4", "clip.mp4"),
        ("a\0b.mp4", "ab.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.avi", "y.avi"),
        ("", "upload"),
        ("..", "upload"),
        ("a\nb.gif", "ab.gif"),
        ("é" * 300 + ".mp4", "é" * 60 + ".mp4"),
        ("/", "upload"),
        (".mp4", "mp4"),
    ],
)
def test_names_of_uploads_are_plain_file_names(given: str, kept: str) -> None:
    assert upload_name(given) == kept


def test_clips_are_those_of_a_collection_by_content(tiny_demo: TinyDemo, tmp_path: Path) -> None:
    """Renamed clips are found, files with other dates are the same, another clip of the same id is refused."""
    bundle = load_checkpoint(tiny_demo.checkpoints / "tiny-ifdd")
    shutil.copytree(tiny_demo.demo, tmp_path / "demo")
    next((tmp_path / "demo/datasets/demo").rglob("*.png")).touch()
    copied = Workspace(tmp_path / "demo").dataset("demo")
    plain = copied.collection(bundle)
    assert "contents" in vars(copied)  # other dates: contents were compared
    there = Workspace(tiny_demo.demo).dataset("demo")
    there.collection(bundle)
    assert "contents" not in vars(there)  # the same files: nothing had to be read
    before = plain.predictions.set_index("clip_id")
    table = read_manifest(tmp_path / "demo/datasets/demo")
    first, second, *_ = table["clip_id"]
    exchanged = {first: second, second: first, table["clip_id"].iloc[2]: "a new name"}
    write_manifest(table.assign(clip_id=table["clip_id"].replace(exchanged)), tmp_path / "demo/datasets/demo")
    found = Workspace(tmp_path / "demo").dataset("demo").collection(bundle)
    after = found.predictions.set_index("clip_id")
    assert set(after.index) == set(Workspace(tmp_path / "demo").dataset("demo").clips.index)
    for old, new in exchanged.items():
        assert after.loc[new, "p_happy"] == before.loc[old, "p_happy"]
        assert after.loc[new, "clip_sha256"] == before.loc[old, "clip_sha256"]
    write_manifest(table, tmp_path / "demo/datasets/demo")
    folder = Workspace(tmp_path / "demo").dataset("demo").path(first)
    frames = sorted(folder.glob("*.png")) or sorted(file for file in folder.iterdir() if file.is_file())
    shutil.copyfile(frames[1], frames[0])
    with pytest.raises(InputError, match=rf"1 of {CLIPS} clips of .* are others, by their content.*e\.g\. {first}; remove"):
        Workspace(tmp_path / "demo").dataset("demo").collection(bundle)
