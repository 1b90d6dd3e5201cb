"""When the frames of a video are shown: lengths, stamps, lost packets, joined streams, several streams. Closed forms."""

import os
import socket
import tempfile
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from media import Track, numbered_image, read_number, write_film, write_sound
from PIL import Image

from ifdd.data.clips import analyse, load_clip, load_windows
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import file_sha256, probe, read_frames, read_times
from ifdd.data.video.transport import packets_lost
from ifdd.errors import InputError

WHOLE = Preprocessing(crop="none", size=(48, 64))
HELD = (40, 40, 40, 120, 40, 40, 40, 40, 40, 600)


def numbers(path: Path, start: float | None = None, end: float | None = None) -> list[int]:
    return [read_number(frame.image) for frame in read_frames(path, start, end)]


def error_of(path: Path, start: float | None = None, end: float | None = None) -> str:
    with pytest.raises(InputError) as caught:
        list(read_frames(path, start, end))
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


CONTAINERS = [
    ("a.mp4", "libx264", 0),
    ("b.mp4", "libx264", 1),
    ("a.mov", "libx264", 0),
    ("q.mov", "qtrle", 0),
    ("a.mkv", "libx264", 0),
    ("b.mkv", "libx264", 2),
    ("a.webm", "libvpx", 0),
    ("9.webm", "libvpx-vp9", 0),
    ("a.flv", "flv", 0),
    ("h.flv", "libx264", 0),
    ("a.avi", "mpeg4", 0),
    ("m.avi", "mjpeg", 0),
    ("a.wmv", "wmv2", 0),
    ("a.gif", "gif", 0),
    ("a.png", "apng", 0),
]


@pytest.mark.parametrize(("name", "codec", "b_frames"), CONTAINERS)
def test_the_last_frame_is_shown_as_long_as_the_file_says(tmp_path: Path, name: str, codec: str, b_frames: int) -> None:
    film = Track(HELD, codec=codec, b_frames=b_frames)
    path = write_film(tmp_path / name, film)
    times = read_times(path)
    np.testing.assert_allclose(times.seconds, film.seconds, atol=2e-3)
    assert times.end == pytest.approx(film.length, abs=2e-3)
    frames = list(read_frames(path))
    assert [read_number(frame.image) for frame in frames] == list(range(10))
    np.testing.assert_allclose([frame.end for frame in frames], [*film.seconds[1:], film.length], atol=2e-3)
    assert numbers(path, 0.4, 1.0) == [8, 9]
    assert "which lasts 1.04 s" in error_of(path, end=1.1)


def test_a_frame_that_is_held_is_what_a_clip_shows(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", Track(HELD))
    source = analyse(path, WHOLE)
    assert (source.start, source.end) == (0, pytest.approx(1.04))
    assert load_clip(path, Preprocessing(frames=8, size=(48, 64), crop="none")).video_index.tolist() == [1, 3, 6, 9, 9, 9, 9, 9]
    windows = list(load_windows(path, WHOLE, window=0.26, stride=0.26))
    assert [window.end for window in windows] == pytest.approx([0.26, 0.52, 0.78, 1.04])
    assert set(windows[3].video_index.tolist()) == {9}
    assert load_clip(path, WHOLE, end=1.04).end == pytest.approx(1.04)
    assert analyse(path, WHOLE, end=0.4).end == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("name", "delays", "seconds"),
    [
        ("a.gif", [100] * 19 + [3000], 4.9),
        ("a.png", [100] * 19 + [3000], 4.9),
        ("a.mkv", [5000, 40], 5.04),
        ("a.mp4", [5000, 40], 5.04),
        ("b.mp4", [40, 5960], 6.0),
        ("b.mkv", [40, 5960], 6.0),
        ("b.mov", [40, 5960], 6.0),
        ("s.mp4", [5000, 1000, 40], 6.04),
    ],
)
def test_lengths_of_uneven_videos(tmp_path: Path, name: str, delays: list[int], seconds: float) -> None:
    film = Track(delays, codec="gif" if name.endswith("gif") else "libx264")
    assert analyse(write_film(tmp_path / name, film), WHOLE).end == pytest.approx(seconds)


@pytest.mark.parametrize("kind", ["gif", "apng", "webp"])
@pytest.mark.parametrize("delays", [[0] * 4, [10] * 4, [20] * 4, [10, 30, 0, 3000], [3000, 10, 20, 10]])
def test_an_animation_is_shown_as_browsers_show_it(tmp_path: Path, kind: str, delays: list[int]) -> None:
    """10 ms and less for 100 (Blink, Gecko, WebKit, and FFmpeg's GIF reader up to version 7)."""
    images = [Image.fromarray(numbered_image(number)) for number in range(4)]
    path = tmp_path / f"a.{kind}"
    form = "PNG" if kind == "apng" else kind
    images[0].save(path, form, save_all=True, append_images=images[1:], duration=delays, lossless=True)
    times = read_times(path)
    shown = [delay / 1000 if delay > 10 else 0.1 for delay in delays]
    np.testing.assert_allclose([*times.seconds, times.end], [0, *np.cumsum(shown)], atol=1e-6)
    assert numbers(path) == list(range(4))
    assert probe(path).fps == pytest.approx(4 / sum(shown))


def test_where_nobody_says_the_last_frame_is_as_long_as_most(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(numbered_image(number)).save(folder / f"{number}.png")
    with pytest.raises(InputError, match=r"1 s is outside the video, which lasts 0\.50 s"):
        analyse(folder, WHOLE, fps=10, end=1.0)
    assert analyse(folder, WHOLE, fps=10).end == pytest.approx(0.5)
    film = Track((40, 40, 40, 40, 400, 40, 40))
    assert read_times(write_film(tmp_path / "a.ts", film)).end == pytest.approx(film.length, abs=1e-4)
    film = Track((40,) * 7, codec="mpeg2video")
    assert read_times(write_film(tmp_path / "a.mpg", film)).end == pytest.approx(film.length, abs=1e-4)


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.flv", "a.wmv"])
def test_a_held_frame_is_told_from_a_file_cut_short(tmp_path: Path, name: str) -> None:
    codec = {"mkv": "libx264", "avi": "mpeg4", "flv": "flv", "wmv": "wmv2"}[name[2:]]
    path = write_film(tmp_path / name, Track((40,) * 30 + (5000,), codec=codec))
    data = path.read_bytes()
    for share in (0.5, 0.7, 0.9):
        path.write_bytes(data[: int(share * len(data))])
        assert "breaks after frame" in error_of(path) or "no picture" in error_of(path)


def test_an_avi_whose_header_was_never_filled_in(tmp_path: Path) -> None:
    """Written to a pipe, or by a recorder that stopped: it has no length, so no frame is missing or held."""
    path = write_film(tmp_path / "a.avi", Track(codec="mpeg4"))
    data = bytearray(path.read_bytes())
    length = data.index(b"strh") + 8 + 32
    assert int.from_bytes(data[length : length + 4], "little") == 20
    data[4:8], data[length : length + 4] = b"\xff" * 4, (1 << 30).to_bytes(4, "little")
    path.write_bytes(data)
    assert read_times(path).end == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.avi", "libx264"),
        ("b.avi", "mpeg4"),
        ("a.mp4", "libx264"),
        ("a.mkv", "libx264"),
        ("a.ts", "libx264"),
        ("a.flv", "libx264"),
        ("a.mpg", "mpeg2video"),
    ],
)
@pytest.mark.parametrize("b_frames", [0, 1, 2])
def test_frames_that_are_coded_in_another_order(tmp_path: Path, name: str, codec: str, b_frames: int) -> None:
    path = write_film(tmp_path / name, Track(codec=codec, b_frames=b_frames))
    times = read_times(path)
    np.testing.assert_allclose(times.seconds, 0.04 * np.arange(20), atol=1.1e-3)
    assert times.end == pytest.approx(0.8, abs=2e-3)
    assert numbers(path) == list(range(20))


@pytest.mark.parametrize("begins", [0, 500, 7000])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.mov"])
def test_seconds_begin_with_the_first_frame(tmp_path: Path, name: str, begins: int) -> None:
    times = read_times(write_film(tmp_path / name, Track(HELD, begins=begins)))
    np.testing.assert_allclose(times.seconds, Track(HELD).seconds, atol=2e-3)
    assert times.end == pytest.approx(0.48 if name == "a.ts" else 1.04, abs=2e-3)


def test_a_broadcast_clock_that_wraps(tmp_path: Path) -> None:
    """33 bits at 90 kHz: after 95,443.7 s stamps begin at 0 again."""
    path = write_film(tmp_path / "a.ts", Track(begins=95_443_717 - 1400 - 400))
    np.testing.assert_allclose(read_times(path).seconds, 0.04 * np.arange(20), atol=1e-3)
    assert numbers(path) == list(range(20))


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_a_stamp_that_runs_ahead_does_not_shift_the_clock(tmp_path: Path, name: str) -> None:
    path = write_film(tmp_path / name, Track(edit=lambda packet: _moved(packet, 280, 90_000)))
    times = read_times(path)
    np.testing.assert_allclose(times.seconds, 0.04 * np.arange(20), atol=2e-3)
    assert times.end == pytest.approx(0.8, abs=2e-3)


def _moved(packet: av.Packet, stamp: int, to: int) -> av.Packet:
    if packet.pts == stamp:
        packet.pts = to
    return packet


def lossy(number: int, height: int, width: int) -> np.ndarray:
    """A number under noise: many packets a frame."""
    image = numbered_image(number, height, width)
    image[: height // 4] = np.random.default_rng(number).integers(0, 255, (height // 4, width, 3))
    return image


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("lost", [1, 5, 33, 170])  # 16 would leave no gap in a counter of 4 bits
@pytest.mark.parametrize("at", [0.3, 0.5, 0.8])
def test_lost_packets_are_told(tmp_path: Path, lost: int, at: float, b_frames: int) -> None:
    whole = write_film(tmp_path / "whole.ts", Track((40,) * 60, image=lossy, b_frames=b_frames)).read_bytes()
    first = int(at * len(whole) / 188)
    path = tmp_path / "lost.ts"
    pictures = np.frombuffer(whole, np.uint8).reshape(-1, 188)[first:, 1:3] @ (256, 1) & 0x1FFF == 256
    after = first + 1 + int(np.flatnonzero(np.cumsum(pictures) == lost)[0])
    path.write_bytes(whole[: 188 * first] + whole[188 * after :])
    message = error_of(path)
    assert "breaks after frame" in message
    end = float(message.rsplit(" ", 1)[1])
    assert numbers(path, end=end) == list(range(round(end / 0.04)))


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize(("lost", "at"), [(16, 0.3), (16, 0.32), (48, 0.56), (160, 0.79)])
def test_lost_packets_that_leave_no_gap_in_a_counter_of_four_bits(tmp_path: Path, lost: int, at: float, b_frames: int) -> None:
    """The picture after them does not follow the one before; where no picture needs them, a warning tells the hole."""
    film = Track((40,) * 60, image=lossy, b_frames=b_frames)
    whole = np.frombuffer(write_film(tmp_path / "whole.ts", film).read_bytes(), np.uint8).reshape(-1, 188)
    pictures = np.flatnonzero(whole[:, 1:3] @ (256, 1) & 0x1FFF == 256)
    first = int(at * (len(pictures) - lost - 1))
    path = tmp_path / "lost.ts"
    path.write_bytes(np.delete(whole, pictures[first : first + lost], axis=0).tobytes())
    try:
        warnings = load_clip(path, WHOLE).warnings
    except InputError as error:
        end = float(str(error).rsplit(" ", 1)[1])
        assert numbers(path, end=end) == list(range(round(end / 0.04)))
    else:
        assert "packets are lost" in warnings[0]
    assert load_clip(tmp_path / "whole.ts", replace(WHOLE, frames=60)).warnings == ()


def test_a_transport_stream_that_is_cut_short(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.ts", Track((40,) * 30, image=lossy))
    whole = path.read_bytes()
    for share in (0.5, 0.71, 0.9):
        path.write_bytes(whole[: round(share * len(whole)) // 188 * 188 + 100])
        assert "breaks after frame" in error_of(path)
    packets = [at for at in range(0, len(whole), 188) if whole[at + 1] & 0x1F == 1 and whole[at + 2] == 0]
    starts = [at for at in packets if whole[at + 1] & 0x40]
    cuts = [at for number in (15, 29) for at in packets if starts[number] < at < [*starts, len(whole)][number + 1]]
    untold = []
    for at in cuts:  # through a picture, by whole packets
        path.write_bytes(whole[:at])
        try:
            told = load_clip(path, WHOLE).warnings
        except InputError as error:
            told = ("the file may be cut off within its last picture",) if "breaks after" in str(error) else ()
        untold += [at] * ("the file may be cut off within its last picture" not in told)
    assert untold == []
    assert len(cuts) > 20
    path.write_bytes(whole[: starts[16]])
    assert load_clip(path, replace(WHOLE, frames=8)).warnings == ()


@pytest.mark.parametrize(("before", "after"), [(4, 0), (0, 16)])
def test_packets_with_a_time_stamp_or_a_check_sum(tmp_path: Path, before: int, after: int) -> None:
    """Camcorders (M2TS) put four bytes before each packet, broadcasters sixteen behind it: such a file ends whole, too."""
    path = tmp_path / "a.m2ts"
    whole = write_film(tmp_path / "a.ts", Track((40,) * 30, image=lossy)).read_bytes()
    packets = [bytes(before) + whole[at : at + 188] + bytes(after) for at in range(0, len(whole), 188)]
    path.write_bytes(b"".join(packets))
    assert numbers(path) == list(range(30))
    assert load_clip(path, replace(WHOLE, frames=30)).warnings == ()
    path.write_bytes(b"".join(packets)[: -30 - after])
    assert "breaks after frame 28" in error_of(path)
    path.write_bytes(b"".join(packets[:150] + packets[155:]))
    assert "packets of it are lost" in error_of(path)


def test_lengths_of_data_units_are_counted(tmp_path: Path) -> None:
    path = write_film(
        tmp_path / "a.ts", Track((40,) * 30, codec="mpeg2video", image=lossy), options={"omit_video_pes_length": "0"}
    )
    whole = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 188)
    assert not packets_lost(path, 256)
    pictures = np.flatnonzero(whole[:, 1:3] @ (256, 1) & 0x1FFF == 256)
    path.write_bytes(np.delete(whole, pictures[100:116], axis=0).tobytes())
    assert packets_lost(path, 256)


@pytest.mark.parametrize("begins", [0, 800, 40_000])
def test_joined_broadcast_files_go_on_where_they_were(tmp_path: Path, begins: int) -> None:
    """The second one's clock begins anew, goes on, or jumps."""
    parts = [Track(), Track(first=20, begins=begins)]
    files = [write_film(tmp_path / f"{index}.ts", part).read_bytes() for index, part in enumerate(parts)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(files))
    frames = list(read_frames(path))
    assert [read_number(frame.image) for frame in frames] == list(range(40))
    np.testing.assert_allclose([frame.seconds for frame in frames], 0.04 * np.arange(40), atol=2e-3)
    assert frames[-1].end == pytest.approx(1.6, abs=2e-3)


def test_a_part_that_is_missing_between_joined_ones_is_told(tmp_path: Path) -> None:
    """Segments of a live stream, one of which was never stored: the clock goes on, the counter does not."""
    parts = [Track(first=20 * index, begins=800 * index) for index in range(3)]
    files = [write_film(tmp_path / f"{index}.ts", part).read_bytes() for index, part in enumerate(parts)]
    (tmp_path / "whole.ts").write_bytes(b"".join(files))
    assert numbers(tmp_path / "whole.ts") == list(range(60))
    (tmp_path / "gap.ts").write_bytes(files[0] + files[2])
    assert "0.80 s of it are lost" in error_of(tmp_path / "gap.ts")


@pytest.mark.parametrize(("name", "codec"), [("a.ts", "libx264"), ("a.mkv", "mjpeg"), ("a.avi", "mjpeg")])
def test_a_part_of_another_shape_is_not_stretched(tmp_path: Path, name: str, codec: str) -> None:
    upright = Track(codec=codec, size=(128, 96), first=20)
    path = write_film(tmp_path / name, Track(codec=codec, then=upright))
    message = error_of(path)
    assert "changes from 128x96 to 96x128 at 0.800 s" in message
    assert numbers(path, end=0.8) == list(range(20))
    assert numbers(path, start=0.8) == list(range(20, 40))
    clip = load_clip(path, Preprocessing(crop="none", size=(128, 96)), start=0.8)
    assert [read_number(image) for image in clip.pixels] == clip.video_index.tolist()
    assert all(20 <= index < 40 for index in clip.video_index)


@pytest.mark.parametrize("count", [4, 7, 13, 19, 29])
def test_the_seconds_that_a_message_names_part_the_stream(tmp_path: Path, count: int) -> None:
    """At 30 frames a second they are no round numbers."""
    wide, upright = (Track((33, 33, 34) * 10, codec="mjpeg", size=size) for size in ((96, 128), (128, 96)))
    wide = replace(wide, durations=wide.durations[:count], then=replace(upright, first=count))
    path = write_film(tmp_path / "a.mkv", wide)
    at = float(error_of(path).rsplit(" ", 1)[1])
    assert numbers(path, end=at) == list(range(count))
    assert numbers(path, start=at) == list(range(count, count + 30))
    assert load_clip(path, Preprocessing(crop="none", size=(128, 96)), start=at).video_index[0] == count


def test_a_part_of_the_same_shape_is_scaled(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", Track(codec="mjpeg", then=Track(codec="mjpeg", size=(48, 64), first=20)))
    frames = list(read_frames(path))
    assert {frame.image.shape for frame in frames} == {(96, 128, 3)}
    assert [read_number(frame.image) for frame in frames] == list(range(40))


SMALL, LARGE = Track(size=(48, 64), durations=(40,) * 4), Track(first=100, durations=(40,) * 4)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov", "a.ts"])
@pytest.mark.parametrize("swap", [False, True])
def test_of_several_streams_the_default_is_read_else_the_largest(tmp_path: Path, name: str, swap: bool) -> None:
    def flagged(small: Disposition, large: Disposition) -> Path:
        tracks = [Track(**{**vars(SMALL), "disposition": small}), Track(**{**vars(LARGE), "disposition": large})]
        return write_film(tmp_path / name, *(tracks[::-1] if swap else tracks))

    none, default = Disposition(0), Disposition.default
    assert numbers(flagged(default, default)) == [100, 101, 102, 103]
    assert (probe(tmp_path / name).width, probe(tmp_path / name).height) == (128, 96)
    if name != "a.ts":  # which has no flags
        assert numbers(flagged(default, none)) == [0, 1, 2, 3]
        assert numbers(flagged(none, default)) == [100, 101, 102, 103]
    if name == "a.mkv":  # the other two flag the first of two streams without a flag
        assert numbers(flagged(none, none)) == [100, 101, 102, 103]


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    cover = Track(codec="mjpeg", size=(192, 256), durations=(40,), first=200, disposition=Disposition.attached_pic)
    assert numbers(write_film(tmp_path / "a.mp4", cover, SMALL)) == [0, 1, 2, 3]
    assert "only video, whose picture is a cover" in error_of(write_film(tmp_path / "b.mp4", cover))


@pytest.mark.parametrize("crop", ["none", "center"])
@pytest.mark.parametrize(("rotation", "mirrored"), list(product([0, 90, 180, 270], [False, True])))
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3), Fraction(8, 15)])
def test_rotation_pixels_and_crop(tmp_path: Path, rotation: int, mirrored: bool, aspect: Fraction, crop: str) -> None:
    """What is written turned, mirrored and squeezed is shown as it was."""
    film = Track((40,) * 3, size=(96, 160), rotation=rotation, mirrored=mirrored, aspect=aspect, first=5)
    path = write_film(tmp_path / "a.mp4", film)
    info = probe(path)
    assert (info.width, info.height) == pytest.approx((160, 96), abs=2)
    size = (96, 160) if crop == "none" else (96, 96)
    clip = load_clip(path, Preprocessing(frames=3, crop=crop, size=size))
    wanted = film.pictures()
    for image, whole in zip(clip.pixels, wanted, strict=True):
        expected = whole if crop == "none" else whole[:, 32:128]
        assert abs(image.astype(float) - expected).mean() < 14
        assert read_number(image) == read_number(whole)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "pipe among images"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    listening = socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        listening.bind(str(path))
    elif kind == "device":
        path = Path("/dev/zero")
    else:
        path.mkdir()
        os.mkfifo(path / "1.png")
    for read in (lambda: list(read_frames(path)), lambda: probe(path), lambda: file_sha256(path), lambda: analyse(path, WHOLE)):
        with pytest.raises(InputError, match=r"a pipe, socket or device|not a file that can be read"):
            read()
    listening.close()


@pytest.mark.parametrize(
    ("window", "stride"),
    [
        (1e-6, 1e-6),
        (1.0, 1e-6),
        (0.002, 0.002),
        (1e-300, 1.0),
        (1.0, float("inf")),
        (float("nan"), 1.0),
        (float("inf"), 1.0),
        (1.0, 0.009),
    ],
)
def test_windows_below_a_frame_are_refused(tmp_path: Path, window: float, stride: float) -> None:
    path = write_film(tmp_path / "a.mp4")
    source = analyse(path, WHOLE)
    for cut in (lambda: load_windows(path, WHOLE, window=window, stride=stride), lambda: source.windows(window, stride)):
        with pytest.raises(InputError, match=r"above 0|shorter than a frame"):
            cut()


def test_sound_that_goes_on_does_not_hold_the_last_frame(tmp_path: Path) -> None:
    write_sound(tmp_path / "sound.m4a")  # a second
    for name in ("a.mkv", "a.mp4", "a.flv"):
        path = tmp_path / name
        silent = write_film(tmp_path / f"silent-{name}", Track((40,) * 10))
        with av.open(str(silent)) as film, av.open(str(tmp_path / "sound.m4a")) as sound, av.open(str(path), "w") as both:
            streams = [both.add_stream_from_template(source.streams[0]) for source in (film, sound)]
            for source, stream in zip((film, sound), streams, strict=True):
                for packet in source.demux():
                    if packet.dts is not None:
                        packet.stream = stream
                        both.mux(packet)
        assert read_times(path).end == pytest.approx(0.4, abs=2e-3)


def test_an_edit_list_cuts_both_ends(tmp_path: Path) -> None:
    """ISO 14496-12, 8.6.6: frames before it are decoded and not shown, the last one gives way when it ends."""
    path = write_film(tmp_path / "a.mp4", Track(HELD, b_frames=1))
    data = bytearray(path.read_bytes())
    entry = data.index(b"elst") + 12  # length in 1/1000 s, start in the time scale of the stream
    assert int.from_bytes(data[entry : entry + 4]) == 1040
    start = int.from_bytes(data[entry + 4 : entry + 8])
    data[entry : entry + 8] = (700).to_bytes(4) + (start + 12800 * 24 // 100).to_bytes(4)  # 0.24 s later, 0.7 s long
    path.write_bytes(data)
    frames = list(read_frames(path))
    assert [read_number(frame.image) for frame in frames] == [4, 5, 6, 7, 8, 9]
    np.testing.assert_allclose([frame.seconds for frame in frames], [0, 0.04, 0.08, 0.12, 0.16, 0.2], atol=2e-3)
    assert frames[-1].end == pytest.approx(0.7, abs=2e-3)


def test_a_stretch_begins_with_the_frame_on_show(tmp_path: Path) -> None:
    """A still of three seconds: what is cut out of its middle shows it until the next frame comes."""
    path = write_film(tmp_path / "a.mkv", Track((40, 40, 3000, 40, 40, 40)))
    frames = Preprocessing(frames=2, crop="none", size=(48, 64))
    assert load_clip(path, frames, start=1.0, end=3.2).video_index.tolist() == [2, 2]
    [*_, last] = load_windows(path, replace(frames, frames=4), window=0.8, stride=0.8)
    assert (last.start, last.video_index.tolist()) == (pytest.approx(2.4), [2, 2, 2, 3])
    windows = list(load_windows(path, frames, window=1.0, stride=1.0, start=0.2))
    assert [window.video_index.tolist() for window in windows] == [[2, 2], [2, 2], [2, 2]]
    assert list(read_times(path, 1.0, 3.2).seconds) == pytest.approx([3.08, 3.12, 3.16])  # those that begin there
    with pytest.raises(InputError, match="1 frame from 1 s to 2 s; a clip needs 2"):
        analyse(path, WHOLE, start=1.0, end=2.0)
    assert [frame.index for frame in read_frames(path, 0.05, 0.1, on_show=True)] == [1, 2]
    assert [frame.index for frame in read_frames(path, 0.065, 0.1, on_show=True)] == [2]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["a.mkv", "a.mp4", "a.mov", "a.gif", "a.png", "a.avi", "b.mkv"]),
    st.lists(st.integers(2, 60), min_size=2, max_size=12),
    st.integers(0, 100),
)
def test_any_durations_are_read_back(name: str, hundredths: list[int], begins: int) -> None:
    """In hundredths of a second, as GIF counts; AVI in frames of 40 ms."""
    unit = 40 if name == "a.avi" else 10
    codec = {"a.avi": "mpeg4", "a.gif": "gif", "b.mkv": "ffv1"}.get(name, "libx264")
    film = Track([unit * count for count in hundredths], codec=codec, begins=0 if name == "a.avi" else begins, size=(48, 64))
    with tempfile.TemporaryDirectory() as folder:
        path = write_film(Path(folder) / name, film)
        times = read_times(path)
        assert numbers(path) == list(range(len(hundredths)))
    np.testing.assert_allclose(times.seconds, film.seconds, atol=2e-3)
    assert times.end == pytest.approx(film.length, abs=2e-3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 25), min_size=12, max_size=30), st.integers(0, 20), st.integers(8, 40), st.integers(4, 40))
def test_windows_show_what_is_on_show(ticks: list[int], start: int, window: int, stride: int) -> None:
    """Of every window with enough frames: at the centres of equal segments, the frame that is on show then."""
    film = Track([40 * count for count in ticks], codec="ffv1", size=(24, 32))
    how = Preprocessing(frames=4, crop="none", size=(24, 32))
    ends = np.cumsum(film.durations) / 1000
    with tempfile.TemporaryDirectory() as folder:
        path = write_film(Path(folder) / "a.mkv", film)
        assume(0.04 * (start + window) < film.length)
        for clip in load_windows(path, how, window=0.04 * window, stride=0.04 * stride, start=0.04 * start):
            if any("frames for" in warning or "frame for" in warning for warning in clip.warnings):
                continue
            centres = clip.start + (clip.end - clip.start) * (np.arange(4) + 0.5) / 4
            # a centre may lie on the edge of two frames
            early, late = (np.searchsorted(ends, centres + grace, side="right") for grace in (-2e-3, 2e-3))
            assert ((early <= clip.video_index) & (clip.video_index <= late)).all()
            assert [read_number(image) for image in clip.pixels] == clip.video_index.tolist()
