"""Names of classes are matched by what they say, and never guessed in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.errors import InputError
from ifdd.labels import EMOTIONS, SYNONYMS, match_labels, meant_class, parse_labels, parse_map


def test_labels_of_an_option_are_trimmed() -> None:
    assert parse_labels("happy, sad ,  very   angry") == ("happy", "sad", "very angry")
    for text, message in (("happy,,sad", "a name is empty"), ("", "a name is empty"), ("sad, Sad", "Sad is there twice")):
        with pytest.raises(InputError, match=message):
            parse_labels(text)


def test_maps() -> None:
    assert parse_map(None) == {}
    assert parse_map("ANG=angry, DIS = disgust,x=") == {"ANG": "angry", "DIS": "disgust", "x": ""}
    for text, message in (
        ("ANG", "write NAME=CLASS"),
        ("=x", "write NAME=CLASS"),
        ("", "write NAME=CLASS"),
        ("a=x,a=y", "a is there twice"),
    ):
        with pytest.raises(InputError, match=message):
            parse_map(text)


@given(
    st.sampled_from(EMOTIONS), st.lists(st.sampled_from([" ", "_", "-", ""]), min_size=8, max_size=8), st.integers(0, 2**8 - 1)
)
def test_case_space_and_dashes_make_no_other_class(label: str, between: list[str], upper: int) -> None:
    name = "".join((c.upper() if upper >> i & 1 else c) + b for i, (c, b) in enumerate(zip(label, between, strict=False)))
    found, notes = match_labels([name], EMOTIONS, "here")
    assert found == {name: label}
    assert notes == (() if name == label else (f"{name} is read as {label}",))


def test_synonyms_are_told() -> None:
    assert all(sum(word in group for group in SYNONYMS) == 1 for group in SYNONYMS for word in group)
    found, notes = match_labels(["Anger", "happiness", "sad"], EMOTIONS, "here")
    assert found == {"Anger": "angry", "happiness": "happy", "sad": "sad"}
    assert notes == ("Anger is read as angry, happiness as happy",)
    assert match_labels(["angry"], ("anger", "sad"), "here")[0] == {"angry": "anger"}


@pytest.mark.parametrize(
    ("names", "labels", "mapped", "message"),
    [
        (["ANG", "DIS"], EMOTIONS, {}, r"ANG, DIS are no classes; .* with --map ANG=angry,DIS=disgust \(NAME= leaves"),
        (["bored"], EMOTIONS, {}, "bored is no class; classes are happy, .* --map bored=CLASS"),
        (["s"], EMOTIONS, {}, "s is no class.*s=CLASS"),
        (["SU"], ("surprise", "sullen"), {}, "SU=CLASS"),
        (["anger", "angry"], EMOTIONS, {}, "anger and angry may both be angry; .* say so with --map anger=angry,angry=angry"),
        (["joy"], ("happy", "happiness"), {}, "joy is no class"),
        (["ANG"], EMOTIONS, {"ANG": "cross"}, "ANG is mapped to 'cross', which is no class"),
        (["sad"], EMOTIONS, {"ANG": "angry"}, "there is no 'ANG' to map; there are sad"),
    ],
)
def test_what_is_not_clear_is_refused(names: list[str], labels: tuple[str, ...], mapped: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        match_labels(names, labels, "here", mapped)


def test_a_map_merges_and_leaves_out() -> None:
    names = ["anger", "ANGRY", "contempt", "Sad", "sad"]
    found, notes = match_labels(names, EMOTIONS, "here", {"anger": "Angry", "contempt": ""})
    assert found == {"anger": "angry", "ANGRY": "angry", "contempt": "", "Sad": "sad", "sad": "sad"}
    assert notes == ("contempt is left out", "ANGRY is read as angry, Sad as sad")
    assert match_labels(["a", "b", "sad"], EMOTIONS, "here", {"a": "", "b": ""})[1] == ("a, b are left out",)


def test_a_command_is_told_as_it_can_be_typed() -> None:
    with pytest.raises(InputError, match=r"meant with `ifdd data index x --out NEW --map 'very bored=CLASS'` \(NAME="):
        match_labels(["very bored"], EMOTIONS, "here", way_out="ifdd data index x --out NEW --map")


def test_a_map_may_name_a_class_by_a_synonym() -> None:
    assert match_labels(["ANG"], EMOTIONS, "list", given=parse_map("ANG=anger"))[0] == {"ANG": "angry"}
    with pytest.raises(InputError, match="mapped to 'joyless', which is no class"):
        match_labels(["ANG"], EMOTIONS, "list", given=parse_map("ANG=joyless"))


@pytest.mark.parametrize(
    ("name", "label"),
    [("ANG", "angry"), ("Happiness", "happy"), ("SUR_PRISE", "surprise"), ("f", None), ("clips", None), ("joyless", None)],
)
def test_which_class_a_name_says(name: str, label: str | None) -> None:
    assert meant_class(name) == label
