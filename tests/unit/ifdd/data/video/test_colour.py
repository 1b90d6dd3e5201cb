"""Colours of a video as an SDR screen shows them. Oracles: the matrices themselves, and FFmpeg's zscale, mobius, overlay."""

from pathlib import Path

import av
import numpy as np
import pytest

from ifdd.data.video import read_frames
from ifdd.data.video.colour import UnknownColour, to_rgb

KR_KB = {"709": (0.2126, 0.0722), "601": (0.299, 0.114), "240": (0.212, 0.087), "fcc": (0.30, 0.11), "2020": (0.2627, 0.0593)}
TAGS = {"709": 1, "fcc": 4, "601": 5, "601 ": 6, "240": 7, "2020": 9}
LIMITED, FULL = 1, 2


def patch(rgb: np.ndarray, matrix: str, full: bool, form: str = "yuv420p", size: tuple[int, int] = (64, 48)) -> av.VideoFrame:
    """A frame of one colour; the closed form of BT.601, BT.709 and BT.2020."""
    kr, kb = KR_KB[matrix.strip()]
    y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2]
    cb, cr = (rgb[2] - y) / (2 - 2 * kb), (rgb[0] - y) / (2 - 2 * kr)
    frame = av.VideoFrame(*size, form)
    bits = frame.format.components[0].bits
    unit = 1 << (bits - 8)
    low, height, width = (0, (1 << bits) - 1, (1 << bits) - 1) if full else (16 * unit, 219 * unit, 224 * unit)
    values = [low + height * y, 128 * unit + width * cb, 128 * unit + width * cr]
    for plane, value in zip(frame.planes, values, strict=True):
        plane.update(
            np.full(plane.buffer_size // (2 if bits > 8 else 1), round(value), np.uint16 if bits > 8 else np.uint8).tobytes()
        )
    return frame


def colour_of(frame: av.VideoFrame) -> np.ndarray:
    image = to_rgb(frame, frame.width, frame.height)
    assert image.shape == (frame.height, frame.width, 3)
    assert image.dtype == np.uint8
    assert np.ptp(image.reshape(-1, 3).astype(int), axis=0).max() <= 1
    return image[frame.height // 2, frame.width // 2].astype(int)


SKIN = np.array([0.7, 0.45, 0.3])


@pytest.mark.parametrize("matrix", TAGS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("form", ["yuv420p", "yuv444p", "yuv422p10le"])
def test_tagged_matrix_and_range_are_honoured(matrix: str, full: bool, form: str) -> None:
    frame = patch(SKIN, matrix, full, form)
    frame.colorspace, frame.color_range = TAGS[matrix], FULL if full else LIMITED
    np.testing.assert_allclose(colour_of(frame), 255 * SKIN, atol=3.5)


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [
        (640, 480, "601"),
        (720, 576, "601"),
        (480, 360, "601"),
        (1280, 720, "709"),
        (1280, 544, "709"),
        (1920, 1080, "709"),
        (720, 1280, "709"),
    ],
)
def test_untagged_video_is_read_as_players_do(width: int, height: int, matrix: str) -> None:
    np.testing.assert_allclose(colour_of(patch(SKIN, matrix, False, size=(width, height))), 255 * SKIN, atol=3.5)


def test_full_range_formats_need_no_tag() -> None:
    np.testing.assert_allclose(colour_of(patch(SKIN, "601", True, "yuvj420p")), 255 * SKIN, atol=3.5)


def test_untagged_hd_file(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "hd.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = 1280, 720, "yuv420p", {"crf": "1", "preset": "ultrafast"}
        for index in range(2):
            frame = patch(SKIN, "709", False, size=(1280, 720))
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert np.abs(next(read_frames(tmp_path / "hd.mp4")).image - 255 * SKIN).max() < 3


# codes, and what FFmpeg 5.1 makes of them:
# zscale=t=linear:npl=203,zscale=p=bt709,tonemap=mobius:param=0.3:desat=0:peak=4.926,zscale=t=bt709; SDR without tonemap
CODES = np.array(
    [
        *((gray, gray, gray) for gray in (0, 0.2, 0.35, 0.5, 0.58, 0.7, 0.75, 0.9)),
        (0.5, 0.4, 0.3),
        (0.45, 0.5, 0.4),
        (0.3, 0.35, 0.5),
        (0.6, 0.5, 0.42),
    ]
)


def grays(*values: int) -> list[tuple[int, int, int]]:
    return [(value, value, value) for value in values]


PQ = [*grays(0, 40, 94, 179, 217, 248, 255, 255), (199, 99, 56), (120, 182, 105), (0, 92, 184), (235, 123, 86)]
HLG_GRAYS = [0, 57, 100, 143, 168, 204, 217, 245]
WIDE = [*grays(0, 51, 89, 128, 148, 178, 191, 230), (142, 98, 72), (107, 129, 99), (60, 90, 131), (168, 124, 104)]
P3 = [*WIDE[:8], (132, 101, 72), (112, 128, 99), (73, 90, 131), (158, 126, 104)]


def tagged(code: np.ndarray, curve: int, primaries: int, form: str = "rgb48le") -> av.VideoFrame:
    if form == "rgb48le":
        frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), np.round(code * 65535), np.uint16), format=form)
    else:
        frame = patch(code, "2020", False, form)
        frame.colorspace, frame.color_range = 9, LIMITED
    frame.color_trc, frame.color_primaries = curve, primaries
    return frame


@pytest.mark.parametrize(("curve", "primaries", "expected"), [(16, 9, PQ), (16, 2, PQ), (14, 9, WIDE), (1, 9, WIDE), (1, 12, P3)])
def test_hdr_and_wide_colours_are_those_of_zscale(curve: int, primaries: int, expected: list[tuple[int, int, int]]) -> None:
    for code, rgb in zip(CODES, expected, strict=True):
        np.testing.assert_allclose(colour_of(tagged(code, curve, primaries)), rgb, atol=1)


def test_hlg_by_zscale_for_grays_and_by_the_standard_for_colours() -> None:
    for code, gray in zip(CODES, HLG_GRAYS, strict=False):
        np.testing.assert_allclose(colour_of(tagged(code, 18, 9)), gray, atol=1)
    code = np.array([0.5, 0.4, 0.3])  # below the knee everywhere, so BT.2100, the matrix and the gamma are the whole way
    scene = code**2 / 3
    light = 1000 / 203 * scene * (scene @ [0.2627, 0.6780, 0.0593]) ** 0.2
    light = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]) @ light
    assert light.max() < 0.35
    np.testing.assert_allclose(colour_of(tagged(code, 18, 9)), 255 * light ** (1 / 2.4), atol=2)


@pytest.mark.parametrize("curve", [16, 18])
def test_hdr_as_it_comes_from_a_camera(curve: int) -> None:
    """10 bits, limited range, BT.2020 matrix."""
    for code in CODES[2:]:
        camera = colour_of(tagged(code, curve, 9, "yuv420p10le"))
        np.testing.assert_allclose(camera, colour_of(tagged(code, curve, 9)), atol=8)


@pytest.mark.parametrize(
    ("tag", "value"), [("colorspace", 8), ("colorspace", 10), ("colorspace", 14), ("color_trc", 8), ("color_trc", 9)]
)
def test_colours_that_cannot_be_converted_are_refused(tag: str, value: int) -> None:
    frame = patch(SKIN, "709", False)
    setattr(frame, tag, value)
    with pytest.raises(UnknownColour):
        to_rgb(frame, 64, 48)


def write(path: Path, images: list[np.ndarray], codec: str, form: str, given: str = "rgba", **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt, stream.options = form, options
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format=given).reformat(format=form)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def see_through() -> np.ndarray:
    """Left: green at half, right: magenta that must not be seen; (48, 64, 4)."""
    image = np.zeros((48, 64, 4), np.uint8)
    image[:, :32] = 0, 200, 0, 128
    image[:, 32:] = 255, 0, 255, 0
    return image


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [
        ("a.mov", "qtrle", "argb"),
        ("b.mov", "prores_ks", "yuva444p10le"),
        ("c.mov", "png", "rgba"),
        ("d.apng", "apng", "rgba"),
        ("e.mkv", "ffv1", "bgra"),
        ("f.mkv", "ffv1", "yuva420p"),
        ("g.mkv", "ffv1", "gbrap10le"),
    ],
)
def test_transparent_video_lies_over_black(tmp_path: Path, name: str, codec: str, form: str) -> None:
    path = write(tmp_path / name, [see_through()] * 3, codec, form)
    for frame in read_frames(path):
        np.testing.assert_allclose(frame.image[8:40, 4:26].reshape(-1, 3), np.full((32 * 22, 3), (0, 100, 0)), atol=6)
        np.testing.assert_allclose(frame.image[8:40, 38:60], 0, atol=3)


def test_opaque_pictures_with_an_alpha_channel_are_as_before(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    image[..., 3] = 255
    path = write(tmp_path / "a.mkv", [image] * 2, "ffv1", "bgra")
    np.testing.assert_array_equal(next(read_frames(path)).image, image[..., :3])


def test_hidden_colour_does_not_bleed_when_scaled() -> None:
    frame = av.VideoFrame.from_ndarray(see_through(), format="rgba")
    image = to_rgb(frame, 128, 48)
    assert image.shape == (48, 128, 3)
    assert image[..., 0].max() == image[..., 2].max() == 0


def test_an_interlaced_frame_shows_one_field(tmp_path: Path) -> None:
    woven = np.zeros((96, 64, 3), np.uint8)
    woven[::2], woven[1::2] = (180, 60, 60), (60, 60, 180)  # red now, blue half a frame later
    path = write(tmp_path / "i.mkv", [woven] * 3, "libx264", "yuv422p", "rgb24", crf="1", **{"x264-params": "tff=1"})
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).interlaced_frame
    for frame in read_frames(path):
        assert frame.image.shape == woven.shape
        np.testing.assert_allclose(frame.image.reshape(-1, 3), np.full((96 * 64, 3), (180, 60, 60)), atol=6)
