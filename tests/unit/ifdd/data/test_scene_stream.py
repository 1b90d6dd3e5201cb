"""Scenes around clips, read beside them: the same frames by every loader, and one clear error where there is none."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from media import gray_images, write_video
from PIL import Image

from ifdd.data.clips import lead_of, load_inputs
from ifdd.data.clipset import ClipSet
from ifdd.data.decoded import from_inputs
from ifdd.data.faces.hiding import MASK, hide
from ifdd.data.manifest import data_hash, files_hash, index_list, read_manifest, scene_path, write_manifest
from ifdd.data.preprocessing import Preprocessing, as_written
from ifdd.data.row_clips import load_row_inputs
from ifdd.data.sampling import Rule, Take
from ifdd.data.streamed import streamed
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.training.datamodule import ordered_batches
from ifdd.training.loading import Batches, ClipDataset, Request

FACE = Preprocessing(8, (8, 8), "none")
SCENE = Preprocessing(8, (8, 12), "none", stream="scene")
INPUTS = {"face": FACE, "scene": SCENE}
LENGTHS = (40, 5, 23, 8)


def numbered(folder: Path, count: int, at: int = 0, size: tuple[int, int] = (16, 16)) -> Path:
    """Frames whose grey tells their index."""
    folder.mkdir(parents=True)
    for t in range(count):
        Image.new("L", size, 3 * t + at).save(folder / f"{t:03d}.png")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four clips with scenes of other sizes, frame by frame 100 levels brighter."""
    rows = []
    for i, count in enumerate(LENGTHS):
        numbered(tmp_path / f"faces/{i}", count)
        numbered(tmp_path / f"scenes/{i}", count, 100, (32, 20))
        rows.append({"path": f"faces/{i}", "scene_path": f"scenes/{i}", "label": EMOTIONS[i % 2], "crop": "none"})
    write_manifest(pd.DataFrame(rows), tmp_path)
    return tmp_path / "clips.parquet"


def levels(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, 0, 0, 0].astype(int)


def same_frames(clips: ClipSet, take: Take | None = None) -> None:
    found = clips.read(range(len(clips))) if take is None else clips.read(range(len(clips)), take)
    assert isinstance(found, dict)
    assert found["scene"].shape[2:4] == (8, 12)
    np.testing.assert_array_equal(levels(found["scene"]), levels(found["face"]) + 100)


def test_all_loaders_show_the_same_moments(corpus: Path, tmp_path: Path) -> None:
    frame = read_manifest(corpus)
    decoded = from_inputs(corpus, INPUTS, EMOTIONS, tmp_path / "cache", False)
    same_frames(decoded)
    found = streamed(corpus, frame, INPUTS, EMOTIONS)
    for name, pixels in decoded.read([2, 0]).items():  # type: ignore[union-attr]
        np.testing.assert_array_equal(pixels, found.read([2, 0])[name])  # type: ignore[index]
    for sampling in ("segments", "window", "reference"):
        clips = streamed(corpus, frame, INPUTS, EMOTIONS, rule=Rule(sampling, 2, seed=3))
        for take in (Take(epoch=0), Take(epoch=1, turn=1), Take(view=1, views=3)):
            same_frames(clips, take)
        same_frames(clips.chosen(np.array([2, 1])), Take(epoch=2))
    for row in frame.to_dict("records"):
        one = load_row_inputs(frame, row, INPUTS)
        np.testing.assert_array_equal(levels(one["scene"].pixels[None]), levels(one["face"].pixels[None]) + 100)


def test_workers_read_both(corpus: Path) -> None:
    clips = streamed(corpus, read_manifest(corpus), INPUTS, EMOTIONS, rule=Rule("segments"))
    requests = [Request(list(index), [Take(epoch=0)] * len(index), step) for step, index in enumerate(ordered_batches(4, 2))]
    alone, several = (list(Batches(ClipDataset(clips), lambda: requests, 2, workers)) for workers in (0, 2))
    for one, other in zip(alone, several, strict=True):
        np.testing.assert_array_equal(levels(one.pixels["scene"].numpy()), levels(one.pixels["face"].numpy()) + 100)
        for name in INPUTS:
            np.testing.assert_array_equal(one.pixels[name].numpy(), other.pixels[name].numpy())


def test_videos_are_read_alike_also_from_a_cache_of_crops(tmp_path: Path) -> None:
    write_video(tmp_path / "face.mp4", gray_images([10 * t for t in range(20)]))
    write_video(
        tmp_path / "scene.mp4", gray_images([250 - 10 * t for t in range(20)], 64, 80), milliseconds=[70 * t for t in range(20)]
    )
    numbered(tmp_path / "frames", 20)
    table = pd.DataFrame({"path": ["face.mp4"] * 2, "scene_path": ["scene.mp4", "frames"], "clip_id": ["a", "b"], "label": "sad"})
    table.to_csv(tmp_path / "clips.csv", index=False)
    frame = read_manifest(tmp_path / "clips.csv")
    decoded = from_inputs(tmp_path / "clips.csv", INPUTS, EMOTIONS, tmp_path / "cache", False)
    for cache in (None, tmp_path / "crops", tmp_path / "crops"):
        clips = streamed(tmp_path / "clips.csv", frame, INPUTS, EMOTIONS, rule=Rule("window", 2), cache=cache)
        found = clips.read([0, 1], Take(epoch=4))
        assert isinstance(found, dict)
        at = np.round(levels(found["face"]) / 10)
        assert np.abs(levels(found["scene"])[0] - (250 - 10 * at[0])).max() <= 4
        np.testing.assert_array_equal(levels(found["scene"])[1], 3 * at[1])
        for name, pixels in clips.read([0, 1]).items():  # type: ignore[union-attr]
            np.testing.assert_array_equal(pixels, decoded.read([0, 1])[name])  # type: ignore[index]


def test_hashes_know_the_scenes(corpus: Path) -> None:
    frame = read_manifest(corpus)
    bare = frame.drop(columns="scene_path")
    bare.attrs = frame.attrs
    assert data_hash(bare) != data_hash(frame)
    assert data_hash(frame.assign(scene_face="masked")) != data_hash(frame)
    before = files_hash(frame)
    assert files_hash(bare) != before
    numbered(corpus.parent / "other", 2)
    shutil.copy(corpus.parent / "other/001.png", corpus.parent / "scenes/1/004.png")
    assert files_hash(frame) != before
    assert scene_path(frame, frame.iloc[0]) == corpus.parent / "scenes/0"
    assert scene_path(bare, bare.iloc[0]) is None
    assert scene_path(frame.assign(scene_path=None), {"path": "x", "scene_path": None}) is None


def loaders(manifest: Path, cache: Path) -> list[Callable[[], object]]:
    return [
        lambda: from_inputs(manifest, INPUTS, EMOTIONS, cache, False),
        lambda: streamed(manifest, read_manifest(manifest), INPUTS, EMOTIONS).read(range(4)),
    ]


def test_a_scene_of_another_length_is_named_with_both_lengths(corpus: Path, tmp_path: Path) -> None:
    (corpus.parent / "scenes/2/022.png").unlink()
    for load in loaders(corpus, tmp_path / "cache"):
        with pytest.raises(InputError, match=r"scenes/2: the scene has 22 frames, its clip .*faces/2 has 23"):
            load()


def test_a_list_that_is_indexed_has_its_scenes_counted(corpus: Path, tmp_path: Path) -> None:
    frame = read_manifest(corpus)[["path", "scene_path", "label_name"]].rename(columns={"label_name": "label"})
    frame.to_csv(corpus.parent / "list.csv", index=False)
    indexed = index_list(corpus.parent / "list.csv")
    assert indexed["scene_path"].tolist() == [f"scenes/{i}" for i in range(4)]
    (corpus.parent / "scenes/0/039.png").unlink()
    with pytest.raises(InputError, match=r"scenes/0: the scene has 39 frames, its clip .*faces/0 has 40"):
        index_list(corpus.parent / "list.csv")


def test_a_scene_that_is_not_there_is_named(corpus: Path, tmp_path: Path) -> None:
    shutil.rmtree(corpus.parent / "scenes/1")
    for load in loaders(corpus, tmp_path / "cache"):
        with pytest.raises(InputError, match=r"1 of 4 clips cannot be read.*scenes/1"):
            load()
    kept = streamed(corpus, read_manifest(corpus).iloc[[0, 2, 3]], INPUTS, EMOTIONS)
    assert len(kept) == 3


def test_a_list_without_scenes_is_refused_with_the_ways_out(corpus: Path, tmp_path: Path) -> None:
    frame = read_manifest(corpus)
    none, some = corpus.parent / "none.parquet", corpus.parent / "some.parquet"
    write_manifest(frame.drop(columns="scene_path"), none)
    for load in loaders(none, tmp_path / "cache"):
        with pytest.raises(InputError, match=r"none.parquet: none of its 4 clips has a scene, which scene reads.*stream=clip"):
            load()
    write_manifest(frame.assign(scene_path=["scenes/0", None, "scenes/2", "scenes/3"]), some)
    for load in loaders(some, tmp_path / "cache"):
        with pytest.raises(InputError, match=r"1 of 4 clips cannot be read: faces/1: .*no scene is named"):
            load()
    alone = {"face": FACE, "scene": Preprocessing(8, (8, 12), "none")}
    assert len(from_inputs(none, alone, EMOTIONS, tmp_path / "cache", False)) == 4  # faces alone, where it is asked for
    with pytest.raises(InputError, match="no scene is named"):
        load_inputs(corpus.parent / "faces/0", INPUTS)
    with pytest.raises(InputError, match="as long as its clip; leave out --start and --end"):
        load_inputs(corpus.parent / "faces/0", INPUTS, scene=corpus.parent / "scenes/0", start=0.5)


def test_faces_in_scenes_are_as_the_list_says(corpus: Path, tmp_path: Path) -> None:
    frame = read_manifest(corpus)
    done = corpus.parent / "done.parquet"
    write_manifest(frame.assign(scene_face="masked"), done)
    for load in loaders(done, tmp_path / "cache"):
        with pytest.raises(InputError, match=r"faces are masked in the scene of faces/0 \(scene_face\), scene reads them kept"):
            load()
    masked = INPUTS | {"scene": Preprocessing(8, (8, 12), "none", stream="scene", face="masked")}
    same_frames(from_inputs(done, masked, EMOTIONS, tmp_path / "cache", False))
    same_frames(streamed(done, read_manifest(done), masked, EMOTIONS))
    with pytest.raises(InputError, match=r"no face found .*could be masked in the scene; read scenes with face=kept"):
        streamed(corpus, frame, masked, EMOTIONS).read([0])
    with pytest.raises(InputError, match="scene_face 'hidden' is unknown; use kept, blurred or masked"):
        write_manifest(frame.assign(scene_face="hidden"), corpus.parent / "no.parquet")


def test_a_model_of_scenes_alone_reads_them(corpus: Path, tmp_path: Path) -> None:
    decoded = from_inputs(corpus, {"scene": SCENE}, EMOTIONS, tmp_path / "cache", False)
    found = streamed(corpus, read_manifest(corpus), {"scene": SCENE}, EMOTIONS)
    np.testing.assert_array_equal(decoded.read([0, 3]), found.read([0, 3]))
    assert levels(found.read([0]))[0, 0] >= 100  # type: ignore[arg-type]


def test_impossible_scenes_are_refused() -> None:
    for change, message in (
        ({"stream": "sound"}, "stream 'sound' is unknown"),
        ({"face": "hidden"}, "face 'hidden' is unknown"),
        ({"face": "masked"}, "goes with stream scene"),
        ({"stream": "scene", "crop": "face"}, "leaves nothing around the face"),
    ):
        with pytest.raises(InputError, match=message):
            Preprocessing(**change)  # type: ignore[arg-type]
    assert set(Preprocessing().to_dict()) == {"frames", "size", "crop", "margin", "sampling", "padding"}  # as cards have it
    masked = Preprocessing(8, (8, 12), "none", stream="scene", face="masked")
    assert Preprocessing.from_dict(masked.to_dict()) == masked
    assert Preprocessing.by_input(as_written({"face": FACE, "scene": masked}), ("face", "scene"))["scene"] == masked
    assert lead_of({"scene": SCENE, "face": FACE}) == FACE


def test_hiding_covers_the_box_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 60, 3), np.uint8)
    boxes = [np.array([10.2, 5, 30, 20.5]), np.array([50, 30, 90, 70]), np.array([70, 0, 80, 9])]
    inside = np.zeros((40, 60), bool)
    inside[5:21, 10:30] = inside[30:, 50:] = True
    masked = hide(image, boxes, "masked")
    assert (masked[inside] == MASK).all()
    blurred = hide(image, boxes, "blurred")
    assert blurred[inside].std() < 0.2 * image[inside].std()
    for changed in (masked, blurred):
        np.testing.assert_array_equal(changed[~inside], image[~inside])
    assert hide(image, boxes, "kept") is image
