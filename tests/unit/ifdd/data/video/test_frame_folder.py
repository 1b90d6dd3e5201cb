"""Folders of frames: whole images only, their right pixels (oracle: Pillow), their right order."""

import io
import random
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from ifdd import machine_code
from ifdd.data.clips import analyse, load_clip
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import file_sha256, frame_folder, image_files, jpeg, natural_key, read_frames
from ifdd.data.video.images import read_image
from ifdd.errors import InputError


def photo(size: int = 224, seed: int = 0) -> Image.Image:
    """Something with detail everywhere, as a face picture has."""
    coarse = np.random.default_rng(seed).integers(0, 256, (size // 4, size // 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    with io.BytesIO() as stream:
        image.save(stream, kind, **options)
        return stream.getvalue()


JPEGS: dict[str, dict[str, object]] = {
    "quality 92": {"quality": 92},
    "4:4:4": {"quality": 95, "subsampling": 0},
    "4:2:2": {"quality": 75, "subsampling": 1, "optimize": True},
    "progressive": {"quality": 90, "progressive": True},
    "restarts": {"quality": 90, "restart_marker_blocks": 5},
}


def pixels(file: Path) -> np.ndarray:
    width, height, picture = read_image(file)
    image = picture()
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    return image


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_whole_jpegs_have_the_pixels_of_pillow(tmp_path: Path, name: str, mode: str) -> None:
    for size in (17, 64, 224):
        data = encoded(photo(size).convert(mode), "JPEG", **JPEGS[name])
        (tmp_path / "1.jpg").write_bytes(data)
        np.testing.assert_array_equal(pixels(tmp_path / "1.jpg"), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("name", JPEGS)
def test_a_hole_in_a_jpeg_is_refused_with_the_file_named(tmp_path: Path, name: str) -> None:
    data = bytearray(encoded(photo(), "JPEG", **JPEGS[name]))
    (tmp_path / "1.jpg").write_bytes(data)
    n = len(data)
    data[2 * n // 5 : 3 * n // 5] = bytes(3 * n // 5 - 2 * n // 5)
    (tmp_path / "2.jpg").write_bytes(data)
    with pytest.raises(InputError, match=r"2\.jpg: damaged: .*; remove it or write it anew"):
        list(read_frames(tmp_path, keep={0}))


def test_most_damage_to_a_jpeg_is_told() -> None:
    """No code has a check sum, so a change that leaves a valid stream of the same length cannot be told; holes can."""
    random_ = np.random.default_rng(0)
    told = {"zeros": 0, "noise": 0, "cut": 0, "left out": 0, "moved": 0}
    rounds = 60
    for i in range(rounds):
        whole = encoded(photo(96, i), "JPEG", **list(JPEGS.values())[i % len(JPEGS)])
        assert jpeg.damage(whole) is None
        start = int(random_.integers(whole.find(b"\xff\xda") + 14, len(whole) - 300))
        end = start + int(random_.integers(100, 250))
        noise = random_.integers(0, 256, end - start, dtype=np.uint8).tobytes()
        told["zeros"] += jpeg.damage(whole[:start] + bytes(end - start) + whole[end:]) is not None
        told["noise"] += jpeg.damage(whole[:start] + noise + whole[end:]) is not None
        told["cut"] += jpeg.damage(whole[:start] + b"\xff\xd9") is not None
        told["left out"] += jpeg.damage(whole[:start] + whole[end:]) is not None
        told["moved"] += jpeg.damage(whole[:start] + whole[start - 50 : end - 50] + whole[end:]) is not None
    assert told["zeros"] >= 0.98 * rounds
    assert told["noise"] >= 0.95 * rounds
    assert told["cut"] == rounds
    assert min(told["left out"], told["moved"]) >= 0.8 * rounds


def with_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("suffix", "options"), [("jpg", {}), ("png", {}), ("webp", {"lossless": True})])
def test_exif_orientation(tmp_path: Path, orientation: int, suffix: str, options: dict[str, object]) -> None:
    file = tmp_path / f"1.{suffix}"
    photo(64).crop((0, 0, 64, 40)).save(file, exif=with_exif(orientation), **options)
    with Image.open(file) as image:
        np.testing.assert_array_equal(pixels(file), np.asarray(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize(
    ("mode", "suffix"), [*((mode, "png") for mode in ("1", "L", "P", "LA", "RGBA", "PA", "RGB key", "L key")), ("RGBA", "webp")]
)
def test_transparency_lies_over_black(tmp_path: Path, mode: str, suffix: str) -> None:
    image = photo(64).convert("RGBA")
    image.putalpha(photo(64, 1).convert("L"))
    options: dict[str, object] = {"lossless": True, "exact": True} if suffix == "webp" else {}
    if mode == "PA":
        image = image.convert("RGB").quantize(16)
        options["transparency"] = bytes(range(0, 256, 16))
    elif mode.endswith("key"):
        image = image.convert("RGB").convert(mode[:-4])
        options["transparency"] = image.getpixel((5, 5))
    else:
        image = image.convert("RGB").convert(mode) if mode in ("1", "P") else image.convert(mode)
    file = tmp_path / f"1.{suffix}"
    image.save(file, **options)
    with Image.open(file) as again:
        rgba = again.convert("RGBA")
    expected = Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba).convert("RGB")
    np.testing.assert_allclose(pixels(file).astype(int), np.asarray(expected).astype(int), atol=1)
    if mode in ("PA", "RGB key"):
        assert (np.asarray(rgba)[..., 3] < 255).any()


def test_sixteen_bits_are_cut_to_the_upper_eight(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (20, 30), dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "1.png")
    np.testing.assert_array_equal(pixels(tmp_path / "1.png"), np.repeat((values >> 8)[..., None], 3, axis=2))


def chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def test_interlaced_png(tmp_path: Path) -> None:
    image = np.asarray(photo(16))
    passes = [
        image[y::dy, x::dx]
        for y, x, dy, dx in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    ]
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part)
    header = (16).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 1])
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    np.testing.assert_array_equal(pixels(tmp_path / "1.png"), image)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "JPEG"])
def test_cut_and_changed_files_are_refused(tmp_path: Path, kind: str) -> None:
    data = encoded(photo(64), kind)
    file = tmp_path / "1.png"
    damaged = [data[:n] for n in range(0, len(data) - 2, len(data) // 23)]
    if kind == "PNG":
        damaged += [data[:n] + bytes([data[n] ^ 16]) + data[n + 1 :] for n in range(8, len(data) - 1, len(data) // 23)]
    if kind == "WEBP":
        damaged.append(data[: len(data) // 2] + bytes(100) + data[len(data) // 2 + 100 :])
    for content in damaged:
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"1\.png: .*; (remove|make|write)") as caught:
            read_image(file)[2]()
        assert "\n" not in str(caught.value)


def test_short_png_with_right_check_sums_is_refused_when_decoded(tmp_path: Path) -> None:
    header = (16).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    for rows in (b"", zlib.compress(bytes(200)), b"no zlib"):
        (tmp_path / "1.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
        )
        with pytest.raises(InputError, match=r"1\.png: damaged"):
            pixels(tmp_path / "1.png")


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF\0\0\0\0WEBPVP8 "]))
def test_arbitrary_bytes_are_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes, head: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "odd.png"
    file.write_bytes(head + content)
    with pytest.raises(InputError, match=r"odd\.png"):
        read_image(file)[2]()


@given(st.data())
def test_arbitrary_changes_of_a_jpeg_end_in_pixels_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(encoded(photo(32), "JPEG", **data.draw(st.sampled_from(list(JPEGS.values())))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path_factory.getbasetemp() / "odd.jpg"
    file.write_bytes(whole)
    message = "odd.jpg"
    try:
        pixels(file)
    except InputError as error:
        message = str(error)
    assert "odd.jpg" in message
    assert "\n" not in message


def test_huge_and_animated_images_are_refused(tmp_path: Path) -> None:
    for size in ((40_000, 40_000), (12_000, 10_000)):
        header = b"".join(n.to_bytes(4, "big") for n in size) + bytes([1, 0, 0, 0, 0])
        (tmp_path / "1.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        )
        with pytest.raises(InputError, match=r"1\.png: .*89 million pixels"):
            read_image(tmp_path / "1.png")
    for name in ("1.png", "1.webp"):
        photo(16).save(tmp_path / name, save_all=True, append_images=[photo(16, 1)])
        with pytest.raises(InputError, match="several pictures"):
            read_image(tmp_path / name)


def touched(folder: Path, stems: list[str], suffix: str = ".png") -> Path:
    folder.mkdir()
    for stem in random.Random(0).sample(stems, len(stems)):
        (folder / f"{stem}{suffix}").touch()
    return folder


@pytest.mark.parametrize(
    "names",
    [
        "frame_0.1 frame_0.15 frame_0.2 frame_0.25 frame_0.3",
        "0,1 0,15 0,2",
        "9.5 10 10.25 10.5",
        "0.0 0.05 0.1 0.95 1.0",
        "-10 -2 -1 0 1 10",
        "f_-2 f_-1 f_0 f_3",
        "t-2 t-1 t0 t1",
        "t--1 t-0 t-1",
        "-1.5 -1.25 -1 0.5",
        "frame-1 frame-2 frame-10",
        "1.8 1.9 1.10 2.1",
        "v1.2.3_1 v1.2.3_2 v1.2.3_10",
        "2020-01-02 2020-01-10",
        "clip.2 clip.10",
        "٢ ١٠ ١١",
        "7 8 9 12 40",
        "a1 A2 a10",
    ],
)
def test_order_of_names(tmp_path: Path, names: str) -> None:
    folder = touched(tmp_path / "f", names.split())
    assert [file.stem for file in image_files(folder)] == names.split()


@given(
    st.lists(st.decimals(-1000, 1000, places=3), unique=True, min_size=1), st.sampled_from(["", "frame_", "at "]), st.booleans()
)
def test_natural_order_is_numerical_for_any_number(numbers: list, before: str, short: bool) -> None:
    texts = {f"{before}{number.normalize():f}.png" if short else f"{before}{number}.png": number for number in numbers}
    assert sorted(texts, key=natural_key) == sorted(texts, key=texts.__getitem__)


@pytest.mark.parametrize("names", [["1.jpg", "1.png"], ["a 1.PNG", "a 1.png"], ["01.png", "1.png"]])
def test_a_frame_that_occurs_twice_is_refused(tmp_path: Path, names: list[str]) -> None:
    for name in [*names, "2.jpg", "3.jpg"]:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="are the same frame twice") as caught:
        image_files(tmp_path)
    assert all(name in str(caught.value) for name in names)


def test_images_that_are_not_read_are_told(tmp_path: Path) -> None:
    folder = touched(tmp_path / "f", ["1", "3"])
    (folder / "2.tif").touch()
    with pytest.raises(InputError, match=r"2\.tif: images of this kind are not read"):
        image_files(folder)
    (folder / "2.tif").unlink()
    (folder / "2.png").symlink_to(folder / "nowhere.png")
    with pytest.raises(InputError, match=r"2\.png: not a file"):
        image_files(folder)


@pytest.mark.parametrize("copy", ["002 (1).png", "002 - Copy.png", "002 - Kopie (2).png", "002 copy.png", "002(1).png"])
def test_a_copy_that_a_file_manager_made_is_refused(tmp_path: Path, copy: str) -> None:
    for name, value in [("001.png", 0), ("002.png", 90), ("003.png", 180), (copy, 90)]:
        Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(tmp_path / name)
    with pytest.raises(InputError, match=f"{re.escape(copy)} is a copy of 002.png; remove it"):
        image_files(tmp_path)
    Image.fromarray(np.full((8, 8, 3), 91, np.uint8)).save(tmp_path / copy)  # another picture
    with pytest.raises(InputError, match="no number tells whether"):
        image_files(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        "001.jpg 002.jpg mask_001.png mask_002.png",
        "img_001.jpg img_002.jpg depth_001.jpg depth_002.jpg",
        "1.png 2.png 1_mask.png",
        "happy_1.png happy_2.png angry_3.png",
        "1a.png 1b.png 2a.png 2b.png",
        "1.png 2.png last.png",
        "frame 1.png frame_2.png",
        "-1.jpg -2.jpg f-1.jpg f-2.jpg",
    ],
)
def test_names_of_several_kinds_are_refused(tmp_path: Path, names: str) -> None:
    for name in names.split(" ") if "frame " not in names else ["frame 1.png", "frame_2.png"]:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"no number tells whether .* of [234] kinds, .*: keep one kind and move") as caught:
        image_files(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        "1_neutral 2_happy 10_happy",
        "onset offset apex",
        "s1_e2_001 s1_e2_002",
        "-3 -2 -1",
        "f_-10 f_-9 f_-1",
        "-0.3 -0.25 -0.2",
        "-030 -020 -010",
    ],
)
def test_a_word_after_the_number_is_no_other_kind(tmp_path: Path, names: str) -> None:
    wanted = sorted(names.split()) if "onset" in names else names.split()
    assert [file.stem for file in image_files(touched(tmp_path / "f", names.split()))] == wanted


def test_what_other_programs_leave_beside_frames(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.full((8, 8, 3), 90 * number, np.uint8)).save(tmp_path / f"{number}.png")
    whole = file_sha256(tmp_path)
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._1.png"):
        (tmp_path / name).touch()
    assert analyse(tmp_path, Preprocessing(crop="none")).warnings == ()
    for name in ("preview.gif", "folder.ico", "cover.jpg"):
        (tmp_path / name).touch()
    [told] = load_clip(tmp_path, Preprocessing(crop="none", frames=3)).warnings
    assert told == "left out, as no numbered frame: cover.jpg, folder.ico, preview.gif"
    assert len(list(read_frames(tmp_path))) == 3
    assert file_sha256(tmp_path) == whole
    (tmp_path / "preview2.gif").touch()  # it may be a frame
    with pytest.raises(InputError, match=r"preview2?\.gif: images of this kind"):
        image_files(tmp_path)


def test_machine_code_without_a_folder_to_keep_it_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed read-only, for a user without a home."""

    def njit(*, cache: bool = False) -> object:
        def compile_one(function: object) -> object:
            if cache:
                raise RuntimeError("cannot cache function: no locator available")
            return ("compiled", function)

        return compile_one

    monkeypatch.setattr(machine_code, "njit", njit)
    assert machine_code.compiled()(len) == ("compiled", len)


BEFORE = ["", "a_", "a-", "1.", "1,", "00001_", "b ", "-", "7 copy "]
NUMBERED = st.lists(st.tuples(st.sampled_from(BEFORE), st.integers(0, 30), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=60)
@given(NUMBERED, st.booleans())
def test_plain_numbers_are_sorted_as_any_others(names: list[tuple[str, int, bool]], alike: bool) -> None:
    """The quick way for names that end in their number tells the same as the long one."""
    kinds = [(names[0][0] if alike else before, number, padded) for before, number, padded in names]
    images = [Path(f"{before}{number:0{3 if padded else 1}d}.png") for before, number, padded in dict.fromkeys(kinds)]
    quick = frame_folder._by_last_number(images)
    if quick is None:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_folder, "_by_last_number", lambda _: None)
        assert frame_folder._in_order(Path("folder"), images) == quick
