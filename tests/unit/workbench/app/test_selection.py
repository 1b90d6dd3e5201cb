"""The selection: text and back, masks against what pandas says, groups of clips on disk."""

import tempfile
from pathlib import Path
from urllib.parse import parse_qs, unquote_plus, urlencode

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ifdd.errors import InputError
from workbench.app.selection import FEW, Condition, KeptClips, Selection, linked, where

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@pytest.fixture
def kept(tmp_path: Path) -> KeptClips:
    return KeptClips(tmp_path / "selections")


@pytest.fixture
def table() -> pd.DataFrame:
    index = pd.Index(list("abcde"), name="clip_id")
    return pd.DataFrame(
        {
            "label_name": ["happy", "sad", "happy", "fear", "sad"],
            "said m=1": pd.Categorical(["happy", "happy", None, "fear", "sad"]),
            "right m=1": pd.array([True, False, None, True, True], "boolean"),
            "loss m=1": [0.1, 2.5, np.nan, 0.5, 0.4],
            "subject": ["1001", "", None, "7", "7"],
            "votes": [1, 2, 3, 10, 3],
        },
        index=index,
    )


@given(WORDS, st.lists(WORDS | st.just(""), min_size=1, max_size=3), st.sampled_from(["=", "!="]))
def test_a_condition_is_read_as_it_is_written(column: str, values: list[str], op: str) -> None:
    condition = Condition(column, op, tuple(values))
    assert Condition.parse(condition.text) == condition
    both = Selection((condition, Condition("loss", ">=", ("0.5",))))
    assert Selection.parse([both.text]) == both == Selection.parse(both.texts)


@given(st.lists(WORDS | st.from_regex(r"@[0-9a-f]{16}", fullmatch=True), min_size=1, max_size=4, unique=True))
@example(["clip é/ü 漢 %20&=", "a+b#c,d \"e\" 'f'|<g>!", "%C3%A9", "\n"])
@example(["@0123456789abcdef"])
def test_clips_come_back_from_an_address(ids: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = KeptClips(Path(folder))
        texts = Selection((kept.group(ids),)).texts
        address = urlencode({"sel": list(texts)}, doseq=True)  # as Streamlit writes it
        table = pd.DataFrame(index=pd.Index([*ids, "another one", "%", "20"], name="clip_id").drop_duplicates())
        mask = Selection.parse(parse_qs(address)["sel"]).mask(table, kept)
        assert list(table.index[mask]) == ids


def test_an_address_quotes_letters_once() -> None:
    made = Selection((where("clip_id", "clip é/ü 漢 #+,'\"", "50 %"),))
    assert made.text == "clip_id=clip é/ü 漢 #+,'\"|50 %25"
    assert unquote_plus(urlencode({"sel": made.text})) == f"sel={made.text}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("label_name=happy", "ac"),
        ("label_name=happy|fear", "acd"),
        ("label_name!=happy", "bde"),
        ("said m%3D1=happy", "ab"),
        ("said m%3D1=", "c"),
        ("right m%3D1=False", "b"),
        ("right m%3D1=True", "ade"),
        ("right m%3D1=", "c"),
        ("loss m%3D1>=0.5", "bd"),
        ("loss m%3D1<=0.5", "ade"),
        ("subject=7", "de"),
        ("subject=", "bc"),
        ("votes=3", "ce"),
        ("votes=3.0|10", "cde"),
        ("clip_id=a|e|nobody", "ae"),
        ("clip_id!=a", "bcde"),
        ("label_name=sad&votes<=2", "b"),
        ("", "abcde"),
    ],
)
def test_masks(text: str, expected: str, table: pd.DataFrame, kept: KeptClips) -> None:
    assert "".join(table.index[Selection.parse([text]).mask(table, kept)]) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("happy", "'happy' selects no clips; write COLUMN=VALUE"),
        ("votes>=many", "compares with no number; write votes>=0.5"),
        ("votes>=1|2", "compares with no number"),
        ("colour=red", "these clips have no column 'colour'"),
        ("label_name>=1", "'label_name' holds no numbers"),
        ("clip_id=@0123456789abcdef", "is not kept in"),
    ],
)
def test_what_selects_nothing_is_told(text: str, told: str, table: pd.DataFrame, kept: KeptClips) -> None:
    with pytest.raises(InputError, match=told):
        Selection.parse([text]).mask(table, kept)


def test_words() -> None:
    said = Selection.parse(["label_name=happy", "said ifdd=sad", "right ifdd=False", "right ifdd!=False", "loss ifdd>=2.00049"])
    assert said.words == "class is happy, ifdd says sad, ifdd wrong, ifdd right, loss of ifdd ≥ 2"
    assert Selection.parse(["clip_id=a", "subject="]).words == "a, subject is missing"
    assert Selection.parse(["a=1|2|3"]).words == "a is 1 or 2 or 3"
    assert Selection.parse(["a=1|2|3|4"]).words == "a is 1 or 2 or 2 more"
    assert Selection().words == "all clips"


def test_conditions_come_and_go() -> None:
    happy, wrong = where("label_name", "happy"), where("right m", False)
    both = Selection((happy,)).and_(wrong, happy)
    assert both.texts == ("label_name=happy", "right m=False")
    assert both.without(happy) == Selection((wrong,))
    assert linked(happy, wrong) == "label_name=happy&right m=False"
    assert where("subject", None, float("nan"), 3) == Condition("subject", "=", ("", "", "3"))


def test_many_clips_are_kept_in_a_file(kept: KeptClips, table: pd.DataFrame) -> None:
    few = kept.group(["b", "a", "b"])
    assert few == where("clip_id", "a", "b")
    assert not kept.folder.exists()
    ids = [f"clip {number}" for number in range(FEW)] + ["c"]
    many = kept.group(ids)
    assert many == kept.group(reversed(ids))
    assert many.words == "a group of clips"
    assert set(kept.clips(many.values[0])) == set(ids)
    assert "".join(table.index[many.mask(table, kept)]) == "c"
    (file,) = kept.folder.iterdir()
    file.write_text("{}")
    with pytest.raises(InputError, match="holds no list of clip ids; remove that chip"):
        kept.clips(many.values[0])


def test_clips_on_which_two_columns_differ(table: pd.DataFrame, kept: KeptClips) -> None:
    differ = Condition("label_name", "<>", ("said m=1",))
    assert Condition.parse(differ.text) == differ
    assert differ.mask(table, kept).tolist() == [False, True, False, False, False]  # a missing value differs from none
    table["right n"] = pd.array([False, False, True, None, True], "boolean")
    assert Condition.parse("right m%3D1<>right n").mask(table, kept).tolist() == [True, False, False, False, False]
    assert Condition.parse("right a<>right b").words == "just one of a and b right"
    assert Condition.parse("said a<>said b").words == "a and b say different classes"
    with pytest.raises(InputError, match="no column 'said b'"):
        Condition.parse("label_name<>said b").mask(table, kept)
    with pytest.raises(InputError, match="compares with no column; write said a<>COLUMN"):
        Condition.parse("said a<>")


def test_a_bound_is_not_rounded_to_the_columns_bits(kept: KeptClips) -> None:
    table = pd.DataFrame({"p": np.array([0.1, 0.2], np.float32)}, index=pd.Index(["a", "b"], name="clip_id"))
    above = float(np.nextafter(np.float64(np.float32(0.1)), 1))
    assert Condition("p", ">=", (repr(above),)).mask(table, kept).tolist() == [False, True]
