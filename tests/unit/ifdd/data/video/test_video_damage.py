"""Damage that a decoder conceals is told; odd sizes and pixels are refused; WebP that moves is read (oracle: Pillow)."""

import io
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media import gray_images
from PIL import Image

from ifdd.data.video import probe, read_frames, read_seconds
from ifdd.errors import InputError


def moving(count: int = 24) -> list[np.ndarray]:
    """A detailed picture that slides."""
    wide = np.asarray(Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 60, 3), dtype=np.uint8)).resize((320, 160)))
    return [np.ascontiguousarray(wide[:, i : i + 256]) for i in range(count)]


def error_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(read_frames(path))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message


CODECS = [
    ("a.mp4", "libx264"),
    ("a.mkv", "libx264"),
    ("a.mp4", "libx265"),
    ("a.avi", "mpeg4"),
    ("a.webm", "libvpx"),
    ("a.webm", "libvpx-vp9"),
    ("a.avi", "mjpeg"),
    ("a.mkv", "ffv1"),
    ("a.mpg", "mpeg2video"),
    ("a.mov", "png"),
    ("a.flv", "flv"),
]


def encode(path: Path, codec: str) -> Path:
    forms = {"mjpeg": "yuvj420p", "png": "rgb24"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = moving(1)[0].shape[:2]
        stream.pix_fmt = forms.get(codec, "yuv420p")
        stream.codec_context.gop_size = 8
        if codec not in ("ffv1", "png"):
            stream.codec_context.bit_rate = 1_500_000
        stream.options = {"preset": "ultrafast", "x265-params": "log-level=none"} if codec.startswith("libx") else {}
        if codec.startswith("libvpx"):
            stream.options = {"deadline": "realtime", "cpu-used": "8"}
        for image in moving():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.filterwarnings("ignore:deprecated pixel format")
@pytest.mark.parametrize(("name", "codec"), CODECS)
def test_a_hole_in_a_video_is_told_whatever_the_decoder_does(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, codec)
    whole = path.read_bytes()
    assert len(list(read_frames(path))) == 24
    for place in (0.3, 0.5, 0.6):
        start = int(len(whole) * place)
        path.write_bytes(whole[:start] + bytes(1500) + whole[start + 1500 :])
        assert re.search("breaks after frame|no picture of it can be read", error_of(path))


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "ffv1"), ("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.mov", "png")])
def test_noise_in_a_video_is_told(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, codec)
    whole = path.read_bytes()
    start = len(whole) // 2
    path.write_bytes(whole[:start] + np.random.default_rng(1).bytes(400) + whole[start + 400 :])
    message = error_of(path)
    assert "breaks after frame" in message
    assert len(list(read_frames(path, end=float(message.rsplit(" ", 1)[1])))) > 3  # the way out that it names works


@pytest.mark.filterwarnings("ignore:deprecated pixel format")
@pytest.mark.parametrize("name", ["a.mjpeg", "a.avi", "a.mov", "a.mkv"])
def test_motion_jpegs_are_walked_as_images_are(tmp_path: Path, name: str) -> None:
    """FFmpeg shows grey from a hole on; of JPEGs one after the other, one without a beginning would be no frame at all."""
    path = tmp_path / name
    if name == "a.mjpeg":
        with path.open("wb") as file:
            for image in moving():
                Image.fromarray(image).save(file, "JPEG", quality=90)
    else:
        encode(path, "mjpeg")
    whole = path.read_bytes()
    assert len(list(read_frames(path))) == 24
    for place in np.linspace(0.2, 0.8, 9):
        for size in (100, 400):
            start = int(len(whole) * place)
            path.write_bytes(whole[:start] + bytes(size) + whole[start + size :])
            error_of(path)
    start = whole.index(b"\xff\xd8", len(whole) // 2)
    path.write_bytes(whole[:start] + bytes(2) + whole[start + 2 :])
    error_of(path)


def test_a_motion_jpeg_without_tables_is_read(tmp_path: Path) -> None:
    """Some cameras leave the usual Huffman tables out."""
    path = tmp_path / "a.mjpeg"
    with path.open("wb") as file:
        for image in moving(4):
            with io.BytesIO() as stream:
                Image.fromarray(image).save(stream, "JPEG", quality=90)
                data = stream.getvalue()
            while (at := data.find(b"\xff\xc4")) >= 0:
                data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]
            file.write(data)
    assert len(list(read_frames(path))) == 4


def test_a_part_missing_from_the_middle_of_a_matroska_file_is_told(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.webm", "libvpx")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + whole[len(whole) // 2 + 700 :])
    assert "breaks after frame" in error_of(path)


def test_a_damaged_first_picture_is_no_silent_start(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.avi", "mpeg4")
    with av.open(str(path)) as container:
        first = next(container.demux(video=0))
        start, size = first.pos + 60, first.size
    data = bytearray(path.read_bytes())
    data[start : start + size // 2] = bytes(size // 2)
    path.write_bytes(data)
    assert "no picture of it can be read" in error_of(path)


def test_nothing_of_it_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = encode(tmp_path / "a.mp4", "libx264")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + np.random.default_rng(1).bytes(400) + whole[len(whole) // 2 + 400 :])
    capfd.readouterr()
    error_of(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("aspect", [Fraction(6), Fraction(1, 60), Fraction(9, 2)])
def test_absurd_pixels_are_refused(tmp_path: Path, aspect: Fraction) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        for image in gray_images(range(3)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    assert "ffmpeg -vf setsar=1" in error_of(path)


def test_a_huge_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 12_000, 8_000, "gray"
        frame = av.VideoFrame(12_000, 8_000, "gray")
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert "no picture of it can be read" in error_of(path)


@pytest.mark.parametrize("lossless", [True, False])
def test_animated_webp(tmp_path: Path, lossless: bool) -> None:
    images = [Image.fromarray(image).convert("RGBA") for image in moving(5)]
    images[1].putalpha(128)
    path = tmp_path / "a.webp"
    images[0].save(path, save_all=True, append_images=images[1:], duration=[100, 200, 5, 40, 1000], lossless=lossless, exact=True)
    frames = list(read_frames(path))
    np.testing.assert_allclose([frame.seconds for frame in frames], [0, 0.1, 0.3, 0.4, 0.44])  # 5 ms are shown for 100
    assert frames[-1].end == pytest.approx(1.44)
    with Image.open(path) as again:
        for index, frame in enumerate(frames):
            again.seek(index)
            over = Image.alpha_composite(Image.new("RGBA", again.size, (0, 0, 0, 255)), again.convert("RGBA")).convert("RGB")
            np.testing.assert_allclose(frame.image.astype(int), np.asarray(over).astype(int), atol=1)
    assert (probe(path).width, probe(path).height, probe(path).kind) == (256, 160, "video")
    assert probe(path).fps == pytest.approx(5 / 1.44)
    assert len(read_seconds(path, end=1.44)[1]) == 5


def test_damaged_animated_webp(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    images = [Image.fromarray(image) for image in moving(5)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=100)
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[:half])
    assert "cut short" in error_of(path)
    path.write_bytes(whole[:half] + bytes(200) + whole[half + 200 :])
    assert "damaged" in error_of(path)


@pytest.mark.parametrize(("name", "codec"), [("a.webm", "libvpx"), ("a.webm", "libvpx-vp9")])
def test_transparent_webm_lies_over_black(tmp_path: Path, name: str, codec: str) -> None:
    image = np.zeros((48, 64, 4), np.uint8)
    image[:, :32] = 0, 200, 0, 128
    image[:, 32:] = 255, 0, 255, 0  # must not be seen
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = 64, 48, "yuva420p", {"auto-alt-ref": "0"}
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgba").reformat(format="yuva420p")))
        container.mux(stream.encode())
    frames = list(read_frames(tmp_path / name))
    np.testing.assert_allclose([frame.seconds for frame in frames], [0, 0.04, 0.08])
    for frame in frames:
        np.testing.assert_allclose(frame.image[8:40, 4:26].reshape(-1, 3), np.full((32 * 22, 3), (0, 100, 0)), atol=6)
        np.testing.assert_allclose(frame.image[8:40, 38:60], 0, atol=3)


@pytest.mark.parametrize("kind", ["gif", "apng"])
def test_transparent_gif_and_apng_lie_over_black(tmp_path: Path, kind: str) -> None:
    image = Image.new("RGBA", (64, 48), (255, 0, 255, 0))
    image.paste((0, 200, 0, 255), (0, 0, 32, 48))
    other = image.copy()
    other.paste((200, 0, 0, 255), (0, 0, 10, 10))
    path = tmp_path / f"a.{kind}"
    image.save(
        path, format="GIF" if kind == "gif" else "PNG", save_all=True, append_images=[other, image], duration=100, disposal=2
    )
    frames = list(read_frames(path))
    with Image.open(path) as again:
        assert len(frames) == again.n_frames > 1
    for frame in frames:
        np.testing.assert_allclose(frame.image[20:40, 4:26].reshape(-1, 3), np.full((20 * 22, 3), (0, 200, 0)), atol=8)
        assert frame.image[:, 40:].max() == 0


def with_sound(path: Path, frames: int = 40) -> Path:
    """Two streams, packet about packet: beside sound, FFmpeg works the length of a file that is cut short out anew."""
    rng = np.random.default_rng(0)
    codecs = {".avi": ("mpeg4", "pcm_s16le"), ".wmv": ("wmv2", "wmav2"), ".ogv": ("libvpx", "flac"), ".flv": ("flv", "aac")}
    video, audio = codecs[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(video, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(audio, rate=44_100, layout="mono")
        sound.codec_context.bit_rate = 64_000
        sound.codec_context.open()
        size = sound.codec_context.frame_size or 1764
        for number in range(frames):
            image = rng.integers(0, 256, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            for at in range(-(-number * 1764 // size), -(-(number + 1) * 1764 // size)):
                noise = rng.integers(-9000, 9000, (1, size)).astype(np.int16)
                layer = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
                layer.sample_rate, layer.pts = 44_100, at * size
                container.mux(sound.encode(layer))
        container.mux(stream.encode())
        container.mux(sound.encode())
    return path


@pytest.mark.parametrize("suffix", [".avi", ".wmv", ".ogv", ".flv"])
def test_short_clips_with_sound_that_are_cut_short(tmp_path: Path, suffix: str) -> None:
    path = with_sound(tmp_path / f"a{suffix}")
    assert len(list(read_frames(path))) == 40
    whole = path.read_bytes()
    for share in (0.3, 0.55, 0.8):
        path.write_bytes(whole[: int(share * len(whole)) // 2 * 2 + 1])
        assert "breaks after frame" in error_of(path)


@pytest.mark.parametrize("suffix", [".avi", ".wmv", ".ogv", ".flv"])
def test_errors_that_the_reader_finds_while_the_file_is_opened(tmp_path: Path, suffix: str) -> None:
    """FFmpeg reads all of a short clip to learn what it holds: what it says then, it does not say again."""
    path = with_sound(tmp_path / f"a{suffix}")
    whole = path.read_bytes()
    for share in (0.4, 0.6, 0.8):
        at = int(share * len(whole))
        path.write_bytes(whole[:at] + b"\x5a" * 3000 + whole[at + 3000 :])
        assert "breaks after frame" in error_of(path)


def test_a_raw_stream_tells_damage_in_its_place(tmp_path: Path) -> None:
    """FFmpeg cannot seek in it, and decodes its first seconds while it is opened: what is said then belongs to no frame."""
    path = encode(tmp_path / "a.h264", "libx264")
    whole = path.read_bytes()
    pictures = [frame.image for frame in read_frames(path)]
    for place, last in ((0.2, 2), (0.75, 14)):
        at = int(len(whole) * place)
        path.write_bytes(whole[:at] + bytes(800) + whole[at + 800 :])
        message = error_of(path)
        assert "the decoder says" in message
        broken = int(message.split("breaks after frame ")[1].split()[0])
        assert broken >= last
        before = [frame.image for frame in read_frames(path, end=broken / 25)]
        assert np.array_equal(before, pictures[: len(before)])
        with pytest.raises(InputError, match="breaks after frame"):
            list(read_frames(path, end=(broken + 2) / 25))


def test_a_raw_stream_may_begin_within_a_group_of_pictures(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.h264", "libx264")
    pictures = [frame.image for frame in read_frames(path)]
    whole = path.read_bytes()
    path.write_bytes(whole[int(len(whole) * 0.15) :])
    found = [frame.image for frame in read_frames(path)]
    assert len(found) == 16
    assert np.array_equal(found, pictures[8:])


def test_a_damaged_page_before_the_first_picture_is_told(tmp_path: Path) -> None:
    """Of Ogg: FFmpeg leaves the page out, and with it the first pictures."""
    path = encode(tmp_path / "a.ogv", "libvpx")
    whole = path.read_bytes()
    at = [found.start() for found in re.finditer(b"OggS", whole)][2] + 60
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
    assert "CRC mismatch" in error_of(path)
