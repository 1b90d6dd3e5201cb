"""What strangers' files hold is read within bounds, or refused with one line."""

import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ifdd.documents import MAX_YAML, parse_json, parse_yaml, read_array, read_json, read_text, shown, user_path
from ifdd.errors import InputError
from ifdd.tables import read_table

LETTERS = "abcdefghi"


def multiplied(link: str) -> str:
    """Each line names the one before it nine times: 9⁸ values when written out."""
    lines = ["a: &a {x: 1}"]
    lines += [f"{new}: &{new} {link.replace('N', ', '.join([f'*{old}'] * 9))}" for old, new in pairwise(LETTERS)]
    return "\n".join(lines)


YAML = {
    "aliases": (multiplied("[N]"), "aliases written out"),
    "aliases below a key": (
        "optim:\n" + "\n".join(f"  {line}" for line in multiplied("[N]").splitlines()),
        "aliases written out",
    ),
    "merged aliases": (multiplied("{<<: [N]}"), "aliases written out"),
    "a chain of aliases": ("a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 190)), "deeper than 64"),
    "an alias inside itself": ("a: &a [*a]", "inside of what it names"),
    "a mapping inside itself": ("&a {b: *a}", "inside of what it names"),
    "depth": ("a: " + "[" * 3000, "deeper than 64"),
    "depth of keys": ("? " * 3000, "deeper than 64"),
    "many values": ("a: [" + "1," * 40_000 + "]", "more than 20000 values"),
    "size": ("#" * (MAX_YAML + 1), "more than 131072"),
    "int of nothing": ("a: !!int ''", "no value of its type"),
    "float of nothing": ("a: !!float ''", "no value of its type"),
    "bool of nothing": ("a: !!bool ''", "no value of its type"),
    "digits": ("a: " + "9" * 5000, "no value of its type"),
    "hexadecimal digits": ("a: 0x" + "f" * 5000, "no value of its type"),
    "base 60": ("a: " + ":".join(["1"] * 5000), "no value of its type"),
    "64 bits": ("a: 99999999999999999999", "more than 64 bits"),
    "not a number": ("a: .nan", "must be finite"),
    "infinity": ("a: 1.0e+999", "must be finite"),
    "a date by tag": ("a: !!timestamp x", "tag"),
    "code": ("a: !!python/object/apply:os.getcwd []", "tag"),
    "a set": ("a: !!set {b}", "tag"),
    "a key twice": ("a: 1\nb: 2\na: 3", "'a' is there twice"),
    "a key that is a number": ("1: a", "key 1 is no text"),
    "a key that is a list": ("[1]: a", "unhashable"),
    "text that is said to be a mapping": ("!!map a", "expected a mapping node"),
    "two documents": ("a: 1\n---\nb: 1", "another document"),
    "NUL": ("a: \0", "special characters"),
    "half a pair": ('a: "\\ud800"', "surrogate"),
    "a tab": ("a:\t- b", "not valid YAML"),
}


@pytest.mark.parametrize("name", YAML)
def test_odd_yaml_is_refused_at_once_and_in_one_line(name: str) -> None:
    text, message = YAML[name]
    started = time.process_time()
    with pytest.raises(InputError, match=message) as caught:
        parse_yaml(text, "recipe.yaml")
    assert time.process_time() - started < 8
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_yaml_that_is_meant_is_read() -> None:
    text = "a: &a {x: 1, y: [yes, null, 1e3, 1.5]}\nb: {<<: *a, x: 2}\nc: *a\nd: 2024-02-30\ne: ="
    assert parse_yaml(text, "f") == {
        "a": {"x": 1, "y": [True, None, "1e3", 1.5]},
        "b": {"x": 2, "y": [True, None, "1e3", 1.5]},
        "c": {"x": 1, "y": [True, None, "1e3", 1.5]},
        "d": "2024-02-30",
        "e": "=",
    }


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé1 :#"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(plain_values)
def test_what_pyyaml_writes_reads_back(values: object) -> None:
    assert parse_yaml(yaml.safe_dump(values), "f") == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "deeper than 64"),
        ("[" * 70 + "]" * 70, "deeper than 64"),
        ('{"a":' * 100_000, "deeper than 64"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("[NaN]", "must be finite"),
        ("[1e999]", "must be finite"),
        ("[" + "9" * 5000 + "]", "5000 digits"),
        ("[99999999999999999999]", "64 bits"),
        ('["\\ud800"]', "surrogate"),
        ('{"a"', "not valid JSON"),
        ("", "not valid JSON"),
        ("\0", "not valid JSON"),
    ],
)
def test_odd_json_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_json(text, "card.json")
    assert "\n" not in str(caught.value)


def test_what_is_no_text_file_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(file) == {"a": 1}  # with a byte order mark
    file.write_bytes("{}".encode("utf-16"))
    with pytest.raises(InputError, match="no UTF-8 text"):
        read_json(file)
    with pytest.raises(InputError, match="is a folder"):
        read_json(tmp_path)
    with pytest.raises(InputError, match="NUL"):
        read_json(Path("a\0b"))
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe"):
        read_text(tmp_path / "pipe")  # opening it would wait for ever
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(2**33)
    with pytest.raises(InputError, match="more than"):
        read_json(tmp_path / "large")


def test_paths_of_a_person() -> None:
    assert user_path("~") == Path.home()
    with pytest.raises(InputError, match="no such user"):
        user_path("~nosuchuserhere/x")
    with pytest.raises(InputError, match="NUL"):
        user_path("a\0b")


def test_a_value_in_a_message_is_short() -> None:
    assert len(shown({"a": ["x" * 10_000] * 10_000})) < 1000


@pytest.mark.parametrize(
    "content",
    [b"", b"\x93NUMPY", b"PK\x03\x04", b"\x80\x04.", b"\x93NUMPY\x01\x00\xff\xff{", b"\x93NUMPY\x01\x00\x08\x00('\n' * 9"],
)
def test_damaged_arrays(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_array(file, "collect again")
    assert "\n" not in str(caught.value)


def test_arrays_that_are_cut_or_no_numbers(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, np.arange(100.0))
    np.testing.assert_array_equal(read_array(file, ""), np.arange(100.0))
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(InputError, match="cannot be read"):
        read_array(file, "collect again")
    for values in (np.array([{}]), np.array(["a"]), np.array([1j])):
        np.save(file, values, allow_pickle=True)
        with pytest.raises(InputError, match="collect again"):
            read_array(file, "collect again")


def test_damaged_tables(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=[5, 6])
    frame.to_parquet(file)
    pd.testing.assert_frame_equal(read_table(file, ""), frame.reset_index(drop=True))
    whole = file.read_bytes()
    for damaged in (b"", b"PAR1", whole[:-10], whole[:50] + whole[60:], whole[: len(whole) // 2], b"a,b\n1,x\n"):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match=r"make it anew") as caught:
            read_table(file, "make it anew")
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="is no file"):
        read_table(tmp_path, "make it anew")
