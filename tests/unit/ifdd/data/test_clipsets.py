"""Manifests as sets of clips: classes by name, bad clips, and splits that must not meet."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from media import gray_images, write_video
from PIL import Image

import ifdd
from ifdd.data import decoded
from ifdd.data.bad_clips import warnings_summary
from ifdd.data.clipset import ClipSet
from ifdd.data.decoded import from_inputs, from_manifest
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.same_files import same_files
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted import SuiteConfig, render_suite
from ifdd.training import evaluation, run
from ifdd.training.clipsets import check_disjoint, lacking_classes, with_class_notes
from ifdd.training.evaluation import predictions_frame, write_evaluation
from ifdd.training.recipe import Recipe

TINY = Preprocessing(8, (32, 32), "none")


@pytest.fixture
def clips(clips_manifest: Path, tmp_path: Path) -> Path:
    """A copy of the five clips that a test may damage: happy, sad, happy, sad, happy."""
    shutil.copytree(clips_manifest.parent, tmp_path / "clips", ignore=shutil.ignore_patterns("*.parquet"))
    write_manifest(read_manifest(clips_manifest), tmp_path / "clips")
    return tmp_path / "clips"


def read(manifest: Path, labels: Sequence[str] = EMOTIONS, **options: str) -> ClipSet:
    return from_manifest(manifest, TINY, labels, manifest.parent / "cache", progress=False, **options)  # type: ignore[arg-type]


def people(*subjects: object, files: Sequence[str] = (), ids: str = "abcdefgh") -> ClipSet:
    table = pd.Series(subjects, dtype=object)
    count = len(subjects)
    return ClipSet(
        np.zeros((count, 1, 1, 1, 3), np.uint8),
        np.zeros(count, np.int64),
        tuple(ids[:count]),
        tuple(table),
        (0,) * count,
        files=tuple(files),
    )


def test_classes_are_matched_by_name(clips: Path) -> None:
    assert read(clips, EMOTIONS[::-1]).target.tolist() == [6, 5, 6, 5, 6]
    (clips / "list.csv").write_text("path,label\nclip-0,Happiness\nclip-1,SAD\n")
    found = read(clips / "list.csv")
    assert found.target.tolist() == [0, 1]
    assert found.notes == ("Happiness is read as happy, SAD as sad",)
    with pytest.raises(InputError, match=r"classes that the model does not know: sad; it has happy, fear; .* --map sad=CLASS"):
        read(clips, ("happy", "fear"))


def test_videos_that_are_read_whole_are_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_video(tmp_path / f"{name}.mp4", gray_images(range(8)))
    (tmp_path / "list.csv").write_text("path,label\na.mp4,sad\nb.mp4,fear\n")
    (tmp_path / "told.csv").write_text("path,label,crop\na.mp4,sad,none\nb.mp4,fear,\n")
    faces = Preprocessing(8, (32, 32), "face")
    found = from_manifest(tmp_path / "list.csv", faces, EMOTIONS, tmp_path / "cache", progress=False)
    assert found.notes[0].startswith("2 videos are read whole, as the list has no column crop")
    assert from_manifest(tmp_path / "told.csv", faces, EMOTIONS, tmp_path / "cache", progress=False).notes == ()
    assert from_manifest(tmp_path / "list.csv", TINY, EMOTIONS, tmp_path / "cache", progress=False).notes == ()


def test_all_bad_clips_are_named_and_few_are_skipped(clips: Path) -> None:
    whole = read(clips)
    (clips / "clip-1" / "007.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"1 of 5 clips cannot be read: clip-1: .*007\.png.*leave them out with --on-error skip"):
        read(clips)
    found = read(clips, on_error="skip")
    assert found.clip_ids == ("clip-0", "clip-2", "clip-3", "clip-4")
    np.testing.assert_array_equal(found.pixels, whole.pixels[[0, 2, 3, 4]])
    assert found.target.tolist() == [0, 0, 1, 0]
    assert (found.about["clips"], found.about["left_out"]["clips"], found.about["left_out"]["of"]) == (4, 1, 5)
    assert found.notes[0].startswith("1 of 5 clips left out, they cannot be read: clip-1: ")
    shutil.rmtree(clips / "clip-3")
    with pytest.raises(InputError, match=r"2 of 5 clips .*clip-1.*; clip-3: no such file.*more than 20% of the clips"):
        read(clips, on_error="skip")


def test_what_is_warned_of_a_clip_is_told_of_the_set(clips: Path) -> None:
    assert not read(clips).notes
    for clip, kept in (("clip-1", 3), ("clip-4", 5)):
        for frame in sorted((clips / clip).iterdir())[kept:]:
            frame.unlink()
    assert read(clips).notes == ("2 of 5 clips, e.g. clip-1: 3 frames for 8; the last one is repeated",)
    assert read(clips).notes == ("2 of 5 clips, e.g. clip-1: 3 frames for 8; the last one is repeated",)  # from the cache


@pytest.mark.parametrize(("suite", "told"), [("noisy-50", 1), ("noisy-50-v2", 0), ("noisy-00", 0)])
def test_rendered_clips_of_a_first_version_say_that_they_tell_the_class(suite: str, told: int, tmp_path: Path) -> None:
    config = SuiteConfig(suite, 3, 2, 2, split="test", difficulty=suite)
    manifest = render_suite(config, tmp_path / "clips", frames=4, size=32, workers=1, progress=False)
    notes = [
        note
        for note in with_class_notes(from_inputs(manifest, {"clip": TINY}, EMOTIONS, tmp_path, False), manifest).notes
        if "irrelevant stretches tell the class a little" in note
    ]
    assert len(notes) == told


def test_warnings_are_summed_up_by_kind() -> None:
    told = {"a": ["cut at 0.40 s", "16 frames stand for 12.0 s; use --window to read it piece by piece"], "b": ["cut at 1.5 s"]}
    assert warnings_summary(told, 3) == (
        "2 of 3 clips, e.g. a: cut at 0.40 s",
        "1 of 3 clips, e.g. a: 16 frames stand for 12.0 s",
    )


def test_a_bad_clip_is_tried_again(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = decoded.load_clip

    def forbidden(path: Path, *args: object, **options: object) -> object:
        if path.name == "clip-2":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(decoded, "load_clip", forbidden)
    assert "clip-2: Permission denied" in read(clips, on_error="skip").notes[0]
    monkeypatch.undo()
    assert len(read(clips)) == 5


@pytest.mark.parametrize(
    ("train", "val"),
    [((1001, 1002), (1001.0, None)), (("1001", "1002"), ("1001 ", "x")), ((" S1",), ("s1",)), ((7,), ("007",))],
)
def test_a_person_in_two_splits_is_found_whatever_the_type(train: tuple[object, ...], val: tuple[object, ...]) -> None:
    with pytest.raises(InputError, match=r"train and val share 1 subjects, e\.g\. (1001|s1|7); split the data by person"):
        check_disjoint({"train": people(*train), "val": people(*val, ids="uvwx"), "test": people("z", ids="z")})


def test_a_table_that_lacks_one_person_shares_the_others(clips: Path) -> None:
    table = read_manifest(clips)
    numbers = {"whole.parquet": [1001, 1002, 1003, 1004, 1005], "gap.parquet": [1001, None, 1006, 1007, 1008]}
    for name, subjects in numbers.items():
        frame = table.assign(subject=pd.Series(subjects), path=[f"{name}-{path}" for path in table["path"]])
        frame.to_parquet(clips / name)
        for path in table["path"]:
            shutil.copytree(clips / path, clips / f"{name}-{path}")
            (clips / f"{name}-{path}" / f"016 {name}.png").write_bytes((clips / path / "000.png").read_bytes() + name.encode())
    with pytest.raises(InputError, match=r"train and val share 1 subjects, e\.g\. 1001"):
        check_disjoint({"train": read(clips / "whole.parquet"), "val": read(clips / "gap.parquet")})


def test_a_clip_in_two_splits_is_found_by_path_and_by_content(clips: Path) -> None:
    (clips / "link").symlink_to(clips / "clip-2")
    shutil.copytree(clips / "clip-3", clips / "copy")
    (clips / "copy" / "000.png").rename(clips / "copy" / "00.png")
    sets = {}
    for split, paths in {"train": ("clip-0", "clip-2", "clip-3"), "val": ("clip-1", "link"), "test": ("clip-4", "copy")}.items():
        (clips / f"{split}.csv").write_text("path,label\n" + "".join(f"{path},happy\n" for path in paths))
        sets[split] = read(clips / f"{split}.csv")
    for other, clip in (("val", "clip-2"), ("test", "clip-3")):
        with pytest.raises(InputError, match=rf"train and {other} share 1 clips, e\.g\. {clip}; leave them out of one split"):
            check_disjoint({"train": sets["train"], other: sets[other]})
    with pytest.raises(InputError, match=r"train and val share 3 clips, e\.g\. clip-0"):
        check_disjoint({"train": sets["train"], "val": sets["train"], "test": sets["train"]})
    assert same_files(("/nowhere/a",), ("/nowhere/b",)) == []


def test_clips_that_are_damaged_alike_are_not_the_same(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("one", "other", "one.mp4", "other.mp4")]
    for place in places[:2]:
        place.mkdir()
        for i in range(3):
            (place / f"{i}.jpg").write_bytes(bytes(40))
    for place in places[2:]:
        place.write_bytes(b"half of a download")
    one, other, video, copy = map(str, places)
    assert same_files((one, video), (other, copy)) == []
    for i, image in enumerate(gray_images(range(3))):
        Image.fromarray(image).save(places[0] / f"{i}.jpg")
    shutil.rmtree(other)
    shutil.copytree(one, other)
    assert same_files((one, video), (other, copy)) == [0]


def test_a_class_of_the_test_that_the_training_lacks_is_told() -> None:
    first, second = people("a", "b"), people("c", "d")
    lacks = replace(first, target=np.array([0, 2]))
    full = replace(second, target=np.array([1, 2]))
    assert lacking_classes({"train": lacks, "val": full, "test": full}, EMOTIONS) == (
        f"train has no clip of {EMOTIONS[1]}, test has: the model has never seen it, UAR counts its recall all the same",
    )
    assert lacking_classes({"train": full, "val": lacks, "test": full}, EMOTIONS) == ()


def test_two_data_sets_may_use_the_same_ids() -> None:
    first, second = people("a", "b", files=("/x/1", "/x/2")), people("c", "d", files=("/y/1", "/y/2"))
    assert check_disjoint({"train": first, "val": second}) == ()
    with pytest.raises(InputError, match=r"share 2 clips, e\.g\. a"):  # rendered clips have no file but their id
        check_disjoint({"train": people("a", "b"), "val": people("c", "d")})


def test_what_is_not_known_and_validation_on_the_test_clips_are_told() -> None:
    train, test = people("a", "", files=("/x/1", "/x/2")), people("c", "nan", None, files=("/y/1", "/y/2", "/y/3"))
    best = check_disjoint({"train": train, "val": test, "test": test})
    assert best[0].startswith("val and test are the same 3 clips, and the epoch is chosen on them")
    assert best[1].startswith("1 of 2 clips of train, 2 of 3 clips of val, 2 of 3 clips of test name no person")
    assert check_disjoint({"train": train, "val": test, "test": test}, "last")[0] == "val and test are the same 3 clips"
    part = people("e", files=("/y/1",))
    with pytest.raises(InputError, match="val and test share 1 clips"):
        check_disjoint({"train": train, "val": test, "test": part})


def test_a_training_keeps_what_was_told_of_its_clips(clips: Path, tmp_path: Path) -> None:
    (clips / "train.csv").write_text("path,label,subject\nclip-0,happy,\nclip-1,sad,a\n")
    (clips / "test.csv").write_text("path,label,subject\nclip-2,happy,c\nclip-3,sad,d\nclip-4,Happy,\n")
    values = {
        "name": "tiny",
        "labels": ["sad", "happy"],
        "model": {"backbone": "mvit-tiny", "split": "none", "lift": "none", "frames": 8, "size": [32, 32], "num_classes": 2},
        "data": {
            "source": "manifest",
            "cache": str(tmp_path / "cache"),
            "train": str(clips / "train.csv"),
            "val": str(clips / "test.csv"),
            "test": str(clips / "test.csv"),
        },
        "optim": {"lr": 0.001, "epochs": 1, "batch": 2, "warmup_epochs": 0},
    }
    with pytest.warns(UserWarning, match=r".") as told:
        folder = run.train(Recipe.parse(values, "test"), tmp_path / "run", progress=False)
    card = ifdd.load_checkpoint(folder).card
    notes = [str(warning.message) for warning in told]
    assert card.training["notes"] == notes == json.loads((tmp_path / "run" / "metrics.json").read_text())["notes"]
    assert notes[0] == "val, test: Happy is read as happy"
    assert notes[1].startswith("val and test are the same 3 clips, and the epoch is chosen on them")
    assert notes[2].startswith("1 of 2 clips of train, 1 of 3 clips of val, 1 of 3 clips of test name no person")
    assert f"- {notes[1]}" in (folder / "README.md").read_text()
    bundle = ifdd.load_checkpoint(folder)
    everything = from_manifest(clips, bundle.preprocessing, bundle.labels, tmp_path / "cache", progress=False)
    assert write_evaluation(bundle, everything, tmp_path / "all")["notes"][-2:] == [
        "2 of 5 clips are among those that the checkpoint was trained on: on new ones it is worse",
        "3 of 5 clips are among those that the checkpoint's epoch was chosen on: on new ones it is worse",
    ]
    (clips / "clip-4" / "003.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 of 3 clips .*clip-4.*; mend or remove them$"):
        run.train(Recipe.parse(values, "test"), tmp_path / "again", progress=False)


def test_evaluation_says_how_many_clips_it_stands_on(clips: Path, baseline_bundle_dir: Path, tmp_path: Path) -> None:
    bundle = ifdd.load_checkpoint(baseline_bundle_dir)
    (clips / "clip-1" / "007.png").write_bytes(b"")
    found = from_manifest(clips, bundle.preprocessing, bundle.labels, tmp_path / "cache", progress=False, on_error="skip")
    metrics = write_evaluation(bundle, found, tmp_path / "out")
    assert metrics["n"] == 4
    assert "1 of 5 clips left out" in metrics["notes"][0]
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert written["data"]["left_out"]["of"] == 5
    assert written["notes"] == metrics["notes"]
    assert len(predictions_frame(found, np.zeros((4, 7)), EMOTIONS)) == 4
    card = bundle.card.model_copy(update={"data": {"train": found.about}})
    again = write_evaluation(
        ifdd.checkpoints.Bundle(bundle.model, card, bundle.preprocessing, bundle.path), found, tmp_path / "again"
    )
    assert again["notes"][-1].startswith("these are the clips that the checkpoint was trained on")


def test_evaluation_says_that_labels_are_in_another_order(
    clips: Path, baseline_bundle_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that is always right, of labels that were numbered by the alphabet."""
    bundle = ifdd.load_checkpoint(baseline_bundle_dir)
    one = from_manifest(clips, bundle.preprocessing, bundle.labels, tmp_path / "cache", progress=False)
    order = np.array([sorted(EMOTIONS).index(name) for name in EMOTIONS])
    target = np.arange(70) % 7
    ids = tuple(map(str, range(70)))
    many = replace(one, pixels=one.pixels[[0] * 70], target=order[target], clip_ids=ids, subjects=ids, folds=(0,) * 70, files=())
    for numbers, told in ((target, 1), (order[target], 0)):
        monkeypatch.setattr(evaluation, "predict_views", lambda *_, numbers=numbers, **__: np.eye(7)[None, numbers])
        notes = write_evaluation(bundle, many, tmp_path / f"out-{told}")["notes"]
        assert sum("different orders" in note and "alphabetical-7" in note for note in notes) == told
