"""Lists as people publish them: the same clips and labels come out of every layout, and what is wrong is named."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ifdd.data.corpora.list_files import read_list
from ifdd.errors import InputError

LAYOUTS = {
    "DFEW": ("a.csv", "video_name,label\n00001,1\n00002,2\n"),
    "DFEW by a spreadsheet": ("a.csv", '\ufeffvideo_name;label\r\n"00001";1\r\n00002;2\r\n'),
    "S2D": ("a.csv", "path,id\n00001,1\n00002,2\n"),
    "DFER-CLIP": ("a.txt", "/data/x/DFEW_Frame_Face/00001 66 1\n/data/x/DFEW_Frame_Face/00002 65 2"),
    "MAE-DFER": ("a.csv", "/mnt/x/Clip/jpg_256/00001 1\n/mnt/x/Clip/jpg_256/00002 2\n"),
    "HiCMAE": ("a.txt", "/mnt/x/00001 /mnt/x/00001.wav 1\n/mnt/x/00002 /mnt/x/00002.wav 2\n"),
    "blanks in paths": ("a.txt", "/my data/x/00001 1\n/my data/x/00002 2\n"),
    "tabs": ("a.tsv", "path\tn_frames\tlabel\n00001\t66\t1\n00002\t65\t2\n"),
    "pandas' index": ("a.csv", ",video_name,label\n0,00001,1.0\n1,00002,2.0\n"),
    "three cells": ("a.csv", "x/00001,66,1\nx/00002,65,2\n"),
    "a header of words": ("a.txt", "path label\n00001 1\n00002 2\n"),
    "quotes": ("a.csv", '"path","label"\n"b, c/00001","1"\n"00002","2"\n'),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_clips_and_labels(layout: str, tmp_path: Path) -> None:
    name, text = LAYOUTS[layout]
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    found = read_list(tmp_path / name)
    assert [Path(path).name for path in found.paths] == ["00001", "00002"]
    assert found.numbered
    assert found.numbers == (1, 2)
    assert found.counts == ((66, 65) if " 66 " in text or ",66," in text or "\t66\t" in text else ())


def test_names_may_stand_before_captions_in_two_languages(tmp_path: Path) -> None:
    lines = [
        "03747.mp4  anger  <br>一个男人，说话。 <br> A man speaks, excitedly, to the man in front of him.",
        "00002.mp4\tsadness\t<br>b\t<br>A woman, 2 3",
    ]
    (tmp_path / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    found = read_list(tmp_path / "train.txt")
    assert (found.paths, found.labels, found.numbered) == (("03747.mp4", "00002.mp4"), ("anger", "sadness"), False)


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("who,what,emotion label,where\ns1,happy,x,a/1\ns2,sad,y,a/2\n")
    found = read_list(file, {"path": "where", "label": "what", "subject": "who"})
    assert (found.paths, found.labels, dict(found.more)) == (("a/1", "a/2"), ("happy", "sad"), {"subject": ("s1", "s2")})
    with pytest.raises(InputError, match=r"a\.csv: there is no column when; the columns are who, what, emotion label, where"):
        read_list(file, {"path": "when"})
    with pytest.raises(InputError, match=r"no column is named like a path; .*; say which with --columns path=NAME"):
        read_list(file, {"label": "what"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no clip"),
        ("video_name,label\n", "lists no clip"),
        ("video_name,label\n00001,\n", r"row 1 has no path or no label \('00001,'\)"),
        ("video_name,label\n00001\n", "row 1 has no path or no label"),
        ("00001 happy\n00002\n", r"line 2 \('00002'\) has no label"),
        ("epoch,loss\n1,0.5\n2,0.4\n", None),
        ("epoch,step,loss,acc\n1,1,0.5,3\n", "nothing tells which column holds the clip"),
        ("path,label,label\n", "column label is there twice"),
        ("00001 happy\0\n", "NUL characters"),
        ('path,label\n"a,happy\n', "not a table of text"),
    ],
)
def test_what_is_no_list_is_named(text: str, message: str | None, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    if message is None:  # two columns without a known name may be any list: what its labels are, its reader tells
        assert read_list(tmp_path / "a.csv").labels == ("loss", "0.5", "0.4")
        return
    with pytest.raises(InputError, match=message) as caught:
        read_list(tmp_path / "a.csv")
    assert str(tmp_path / "a.csv") in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"path,label\n\xff\xfe,happy\n")
    with pytest.raises(InputError, match="no UTF-8 text"):
        read_list(tmp_path / "a.csv")
    with pytest.raises(InputError, match="no such list"):
        read_list(tmp_path / "b.csv")


PATH = st.text(st.characters(categories=("L", "N"), include_characters="_-./"), min_size=1, max_size=12).filter(
    lambda path: path.strip(".") and not path.lower().endswith((".wav", ".mp3", ".flac"))
)
LABEL = st.sampled_from(["happy", "sad", "anger", "Surprise"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    rows=st.lists(st.tuples(PATH, LABEL, st.integers(1, 999)), min_size=1, max_size=5),
    between=st.sampled_from([" ", "\t", ",", "  "]),
    counts=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    last=st.booleans(),
)
def test_what_is_written_is_read(
    rows: list[tuple[str, str, int]], between: str, counts: bool, ending: str, last: bool, tmp_path: Path
) -> None:
    """Paths and labels survive any delimiter and line ending, with counts of frames or without; the first row is no header."""
    rows = [(f"d/{path}", label, count) for path, label, count in rows]
    lines = [between.join((path, *([str(count)] if counts else []), label)) for path, label, count in rows]
    (tmp_path / "a.txt").write_bytes((ending.join(lines) + ending * last).encode())
    found = read_list(tmp_path / "a.txt")
    assert list(zip(found.paths, found.labels, strict=True)) == [(path, label) for path, label, _ in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_list_or_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with suppress(InputError):
        found = read_list(tmp_path / "a.csv")
        assert len(found.paths) == len(found.labels) > 0
        assert all(found.paths)
        assert all(found.labels)


def test_names_of_classes_are_taken_before_their_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("video,label,emotion\n1,0,Anger\n2,3,happy\n")
    assert read_list(tmp_path / "a.csv").labels == ("Anger", "happy")
    (tmp_path / "b.csv").write_text("video,label,emotion\n1,0,x\n2,3,happy\n")  # no column of classes
    assert read_list(tmp_path / "b.csv").labels == ("0", "3")
    assert read_list(tmp_path / "a.csv", {"label": "label"}).labels == ("0", "3")


def test_an_id_is_the_clip_where_another_column_is_the_class(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,label\n00001,3\n")
    found = read_list(tmp_path / "a.csv")
    assert (found.paths, found.labels) == (("00001",), ("3",))


@pytest.mark.parametrize("text", ["# fold 1\n\n#\npath,label\n00001,3\n", "# fold 1\n00001 3\n"])
def test_lines_before_a_list_may_tell_of_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    found = read_list(tmp_path / "a.csv")
    assert (found.paths, found.labels) == (("00001",), ("3",))
