"""Videos of the reader's own: limits, faces, the nearest clips."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifdd.checkpoints import load_checkpoint
from ifdd.data.clips import analyse, find_faces
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video.extent import extent_of
from ifdd.errors import InputError, NoFaceError
from tests.tiny_demo import TinyDemo, tiny_demo_in
from tests.unit.media import gray_images, write_sound, write_video
from workbench.analysis.embedding.task import embedding_of
from workbench.app.limits import LIMITS, Limits, clock
from workbench.app.uploads import check_source, found_faces, nearest, typical_distance, vector_of
from workbench.store.tables import usable
from workbench.store.workspace import open_workspace


def lie_about_length(path: Path, seconds: float) -> None:
    """Write another length into the header of a Matroska file (Duration, 0x4489, in milliseconds)."""
    data = bytearray(path.read_bytes())
    place = data.index(b"\x44\x89\x88") + 3
    data[place : place + 8] = struct.pack(">d", 1000 * seconds)
    path.write_bytes(data)


def test_extent_of_what_ffmpeg_reads(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", gray_images(range(0, 250, 10)))
    found = extent_of(path)
    assert (found.frames, found.width, found.height) == (25, 64, 48)
    assert found.seconds == pytest.approx(1.0, abs=0.05)
    bare = write_video(tmp_path / "a.h264", gray_images(range(0, 250, 10)))  # has no time stamps
    assert extent_of(bare).frames == 25


def test_extent_of_pictures(tmp_path: Path) -> None:
    images = [Image.fromarray(image) for image in gray_images((0, 90, 180))]
    images[0].save(tmp_path / "a.webp", save_all=True, append_images=images[1:], duration=2000, lossless=True)
    found = extent_of(tmp_path / "a.webp")
    assert (found.seconds, found.frames, found.width, found.height) == (6.0, 3, 64, 48)
    (tmp_path / "frames").mkdir()
    for number, image in enumerate(images):
        image.save(tmp_path / "frames" / f"{number}.png")
    assert extent_of(tmp_path / "frames", fps=2.0).seconds == 1.5


def test_a_header_that_says_hours_is_believed_and_one_that_says_too_little_is_not(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mkv", gray_images(range(25)))
    lie_about_length(path, 4 * 3600)
    with pytest.raises(
        InputError, match=r"lasts 4 h 0 min, 2 min are read here at most; give Start and End, under How it is read$"
    ):
        check_source(path)
    check_source(path, 0.0, 1.0)
    with pytest.raises(InputError, match=r"a stretch of 10 min, 2 min are read"):
        check_source(path, 60.0, 660.0)
    with pytest.raises(InputError, match=r"ends 3 h 0 min into the video: .* End may be 30 min at most"):
        check_source(path, 10790.0, 10800.0)
    short = write_video(tmp_path / "short.mkv", gray_images([0, 9]), milliseconds=[0, 200_000])
    lie_about_length(short, 1)
    with pytest.raises(InputError, match=r"lasts 3 min"):
        check_source(short)


def test_large_pictures_and_many_frames_are_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", gray_images(range(25)))
    with pytest.raises(InputError, match=r"pictures of 64x48, up to 60x48"):
        check_source(path, limits=Limits(width=60, height=48))
    with pytest.raises(InputError, match=r"25 frames, 20 are read here at most"):
        check_source(path, limits=Limits(frames=20))
    check_source(path, 0.0, 0.5, limits=Limits(frames=20))


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("I am no video\n" * 1000)
    with pytest.raises(InputError, match=r"text\.mp4: "):
        check_source(tmp_path / "text.mp4")
    with pytest.raises(InputError, match="holds no video"):
        check_source(write_sound(tmp_path / "sound.mp4"))


def test_limits_are_told_in_words() -> None:
    assert (
        LIMITS.words == "Up to 6 files of 200 MB, pictures of 3840 × 2160, and 2 min of each; of a longer one give Start and End."
    )
    assert [clock(seconds) for seconds in (0.5, 95, 600, 14_700)] == ["0.5 s", "95 s", "10 min", "4 h 5 min"]


def test_faces_to_choose_from_are_those_that_are_read(shared: Path) -> None:
    path = shared / "data/clips/intel/head-pose-face-detection-female-and-male.gif"
    read = Preprocessing(frames=8, size=(64, 64))
    faces = find_faces(path, end=3.0)
    found = found_faces(faces)
    assert [face.number for face in found] == [1, 2]
    for face in found:
        source = faces.source(read, face.number)
        alone = analyse(path, read, face=face.number, end=3.0)
        np.testing.assert_array_equal(source.boxes, alone.boxes)
        assert source.warnings == alone.warnings
        assert (face.begin >= source.start) & (face.end <= source.end)
        assert face.share == source.found.mean()
    boxes = [faces.source(read, face.number).boxes.mean(0) for face in found]
    assert abs(boxes[0][0] - boxes[1][0]) > 50  # two people sit side by side


def test_no_face_to_choose(tmp_path: Path) -> None:
    with pytest.raises(NoFaceError):
        found_faces(find_faces(write_video(tmp_path / "a.mp4", gray_images(range(25)))))


@pytest.fixture(scope="module")
def tiny_demo(tmp_path_factory: pytest.TempPathFactory) -> TinyDemo:
    return tiny_demo_in(tmp_path_factory.getbasetemp())


def test_a_clip_of_the_dataset_is_its_own_nearest(tiny_demo: TinyDemo) -> None:
    dataset = open_workspace(tiny_demo.demo).dataset("demo")
    bundle = load_checkpoint(tiny_demo.checkpoints / "tiny-ifdd")
    collection = dataset.collection(bundle)
    table, activation = usable(collection), embedding_of(collection)
    clip_id = table["clip_id"].iloc[5]
    from workbench.store.sources import SourceOptions, preprocessing_of, read_source

    options, path = SourceOptions(**dataset.reading(clip_id, bundle.inputs)), dataset.path(clip_id)
    clip = read_source(path, preprocessing_of(bundle, path, options), options).clip()
    found = nearest(collection, activation, vector_of(bundle, clip.tensor(), activation), table["row"].to_numpy())
    assert collection.predictions["clip_id"].iloc[found.rows[0]] == clip_id
    assert found.distances[0] < 1e-4 * found.distances[1]
    assert (np.diff(found.distances) >= 0).all()
    assert len(found.rows) == len(table)
    with pytest.raises(InputError, match="the video's has 3"):
        nearest(collection, activation, np.zeros(3, np.float32), table["row"].to_numpy())


def test_typical_distance_by_hand() -> None:
    assert typical_distance(np.array([[0.0], [1.0], [3.0], [6.0]], np.float32)) == pytest.approx(1.5)  # 1, 1, 2, 3
    assert typical_distance(np.zeros((1, 2), np.float32)) == 0.0
