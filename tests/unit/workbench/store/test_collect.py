import errno
import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from bundles import SIZE, save_random

import ifdd
import workbench
import workbench.store.collection
from ifdd.checkpoints import Bundle
from ifdd.data.clips import load_clip
from ifdd.data.decoded import from_manifest
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from workbench.store import collecting as module
from workbench.store.side_by_side import same_clips


@pytest.fixture(scope="session")
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return ifdd.load_checkpoint(tiny_bundle_dir)


@pytest.fixture(scope="session")
def tensors(clips_manifest: Path) -> torch.Tensor:
    root = clips_manifest.parent
    return torch.stack([load_clip(root / f"clip-{i}", Preprocessing(size=SIZE, crop="none"), fps=8.0).tensor() for i in range(5)])


def test_predictions_and_activations_are_those_of_the_model(
    bundle: Bundle, clips_manifest: Path, tensors: torch.Tensor, tmp_path: Path
) -> None:
    found = workbench.collect(bundle, clips_manifest, tmp_path / "whole", batch=2)
    table = found.predictions
    assert list(table.columns[:4]) == ["clip_id", "fold", "label", "label_name"]
    assert list(table["clip_id"]) == [f"clip-{i}" for i in range(5)]
    assert list(table["light"]) == [0.0, 0.1, 0.2, 0.3, 0.4]
    np.testing.assert_allclose(found.probs, bundle.predict(tensors).numpy(), atol=1e-5)
    with torch.no_grad():
        _, cache = bundle.model.run_with_cache(tensors)
    assert set(found.activation_names) == {"head.logits", "head.embedding", "issm.correlation"} | {
        f"issm.{name}_{group}" for name in ("offset", "position", "sample") for group in "SD"
    }
    for name in found.activation_names:
        values = found.activation(name)
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, cache[name].numpy(), atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_other_activations_are_half_precision_and_pooled_where_asked(
    bundle: Bundle, clips_manifest: Path, tensors: torch.Tensor, tmp_path: Path
) -> None:
    names = ("pyramid.X", "ladm.Y_D", "issm.sample_D")
    whole = workbench.collect(bundle, clips_manifest, tmp_path / "whole", names)
    means = workbench.collect(bundle, clips_manifest, tmp_path / "means", names, pool="mean")
    with torch.no_grad():
        _, cache = bundle.model.run_with_cache(tensors, names=names)
    for name, over in (("pyramid.X", (2, 3, 4)), ("ladm.Y_D", (1,))):
        assert whole.activation(name).dtype == means.activation(name).dtype == np.float16
        np.testing.assert_allclose(whole.activation(name), cache[name].numpy(), atol=2e-3, rtol=2e-3)
        np.testing.assert_allclose(means.activation(name), cache[name].mean(over).numpy(), atol=2e-3, rtol=2e-3)
    assert means.activation("issm.sample_D").shape == (5, 4)


def test_a_baseline_keeps_what_it_has(baseline_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    found = workbench.collect(ifdd.load_checkpoint(baseline_bundle_dir), clips_manifest, tmp_path / "base")
    assert found.activation_names == ("head.logits", "head.embedding")


def test_labels_follow_the_checkpoint(clips_manifest: Path, tmp_path: Path) -> None:
    backwards = ifdd.load_checkpoint(save_random(tmp_path / "backwards", "mvit-tiny-baseline", 1, EMOTIONS[::-1]))
    found = workbench.collect(backwards, clips_manifest, tmp_path / "out")
    assert list(found.predictions["label"]) == [6, 5, 6, 5, 6]  # happy and sad, counted from the other end
    assert list(found.predictions["label_name"][:2]) == ["happy", "sad"]


def test_an_interrupted_run_is_resumed(
    bundle: Bundle, clips_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def load(clips: Any, row: dict[str, Any], bundle: Bundle) -> torch.Tensor:
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(row["clip_id"])
        return original(clips, row, bundle)

    original = module.read_inputs
    whole = workbench.collect(bundle, clips_manifest, tmp_path / "whole", batch=2)
    out = tmp_path / "out"
    monkeypatch.setattr(module, "read_inputs", load)
    with pytest.raises(KeyboardInterrupt):
        workbench.collect(bundle, clips_manifest, out, batch=2)
    assert not out.exists()
    with pytest.raises(InputError, match="is no collection"):
        workbench.open_collection(out)
    seen.clear()
    monkeypatch.setattr(module, "read_inputs", lambda *args: seen.append(args[1]["clip_id"]) or original(*args))
    resumed = workbench.collect(bundle, clips_manifest, out, batch=2)
    assert seen == ["clip-2", "clip-3", "clip-4"]
    pd.testing.assert_frame_equal(resumed.predictions, whole.predictions)
    for name in whole.activation_names:
        np.testing.assert_array_equal(resumed.activation(name), whole.activation(name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


@pytest.mark.parametrize("changed", ["names", "clips"])
def test_an_interrupted_run_of_something_else_starts_anew(
    bundle: Bundle, clips_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    monkeypatch.setattr(module, "predictions_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        workbench.collect(bundle, clips_manifest, tmp_path / "out", names=("head.logits",))
    monkeypatch.undo()
    names, manifest = ("head.logits",), clips_manifest
    if changed == "names":
        names = ("head.embedding",)
    else:
        manifest = clips_manifest.with_name("fewer.parquet")
        write_manifest(read_manifest(clips_manifest).iloc[3:], manifest)
    seen: list[str] = []
    original = module.read_inputs
    monkeypatch.setattr(module, "read_inputs", lambda *args: seen.append(args[1]["clip_id"]) or original(*args))
    found = workbench.collect(bundle, manifest, tmp_path / "out", names=names)
    assert seen == [f"clip-{i}" for i in range(0 if changed == "names" else 3, 5)]
    assert found.activation_names == names


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    bundle: Bundle, clips_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    with pytest.raises(InputError, match=r"needs 0.07 GB, 0.00 GB are free; keep fewer activations"):
        workbench.collect(bundle, clips_manifest, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_bad_input(bundle: Bundle, clips_manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists; choose another"):
        workbench.collect(bundle, clips_manifest, tmp_path)
    with pytest.raises(InputError, match=r"unknown activation 'ladm.Y'.*did you mean"):
        workbench.collect(bundle, clips_manifest, tmp_path / "out", names=("ladm.Y",))
    with pytest.raises(InputError, match="no such manifest"):
        workbench.collect(bundle, tmp_path / "none.parquet", tmp_path / "out")
    strange = read_manifest(clips_manifest).assign(label_name="bored", label=0)
    write_manifest(strange, clips_manifest.with_name("strange.parquet"))
    with pytest.raises(InputError, match="classes that the checkpoint does not know: bored; it has happy"):
        workbench.collect(bundle, clips_manifest.with_name("strange.parquet"), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_is_one_line_and_can_be_resumed(
    bundle: Bundle, clips_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "out"
    monkeypatch.setattr(module._RowFile, "write", full)
    with pytest.raises(InputError, match=r"out: cannot be written: No space left on device.*the same command goes on"):
        workbench.collect(bundle, clips_manifest, out)
    assert not out.exists()
    monkeypatch.undo()
    assert workbench.collect(bundle, clips_manifest, out).meta["clips"] == 5
    assert list(tmp_path.iterdir()) == [out]


@pytest.fixture
def broken(clips_manifest: Path, tmp_path: Path) -> Path:
    """A manifest whose second clip has a damaged frame."""
    shutil.copytree(clips_manifest.parent, tmp_path / "clips")
    (tmp_path / "clips" / "clip-1" / "007.png").write_bytes(b"no picture")
    return tmp_path / "clips"


def test_what_is_warned_of_a_clip_stands_in_the_collection(
    bundle: Bundle, clips_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shutil.copytree(clips_manifest.parent, tmp_path / "clips")
    for frame in sorted((root / "clip-0").iterdir())[4:]:
        frame.unlink()
    said = ("1 of 5 clips, e.g. clip-0: 4 frames for 16; the last one is repeated",)
    assert workbench.collect(bundle, root, tmp_path / "out", ("head.logits",), batch=2).notes == said
    original = module.read_inputs

    def interrupted(*args: Any) -> Any:
        if args[1]["clip_id"] == "clip-3":
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(module, "read_inputs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        workbench.collect(bundle, root, tmp_path / "again", ("head.logits",), batch=2)
    monkeypatch.undo()
    assert workbench.collect(bundle, root, tmp_path / "again", ("head.logits",), batch=2).notes == said  # of the first part
    from_manifest(root / "clips.parquet", bundle.preprocessing, bundle.labels, tmp_path / "cache", progress=False)
    kept = workbench.collect(bundle, root, tmp_path / "kept", ("head.logits",), cache=tmp_path / "cache")
    assert kept.notes == said


def test_bad_clips_are_all_named_and_few_are_left_out(
    bundle: Bundle, broken: Path, clips_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("head.logits", "head.embedding")
    whole = workbench.collect(bundle, clips_manifest, tmp_path / "whole", names, batch=2)
    with pytest.raises(
        InputError, match=r"1 of 5 clips cannot be read: clip-1: .*007\.png.*`?workbench collect .*--on-error skip"
    ):
        workbench.collect(bundle, broken, tmp_path / "out", names, batch=2)
    assert not (tmp_path / "out").exists()
    seen: list[str] = []
    original = module.read_inputs
    monkeypatch.setattr(module, "read_inputs", lambda *args: seen.append(args[1]["clip_id"]) or original(*args))
    found = workbench.collect(bundle, broken, tmp_path / "out", names, batch=2, on_error="skip")
    assert seen == ["clip-1"]  # all others had been read by the call that was refused
    assert list(found.predictions["clip_id"]) == ["clip-0", "clip-2", "clip-3", "clip-4"]
    assert found.left_out == {"clip-1"}
    assert "1 of 5 clips left out, they cannot be read: clip-1: " in found.notes[0]
    kept = [0, 2, 3, 4]
    np.testing.assert_allclose(found.probs, whole.probs[kept], atol=1e-6)
    for name in names:
        np.testing.assert_allclose(found.activation(name), whole.activation(name)[kept], atol=1e-5)
    beside = same_clips([whole, found])
    assert list(beside.table["clip_id"]) == [f"clip-{i}" for i in kept]
    np.testing.assert_array_equal(beside.probs[str(whole.folder)], whole.probs[kept])
    assert any("1 of 5 clips left out" in note for note in beside.notes)
    (broken / "clip-2" / "000.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 of 5 clips .*more than 20%"):
        workbench.collect(bundle, broken, tmp_path / "two", names, on_error="skip")


def test_a_clip_that_can_be_read_again_is_not_left_out(bundle: Bundle, broken: Path, tmp_path: Path) -> None:
    frame = broken / "clip-1" / "007.png"
    about = frame.stat()
    with pytest.raises(InputError, match="clip-1"):
        workbench.collect(bundle, broken, tmp_path / "out", ("head.logits",))
    picture = (broken / "clip-1" / "006.png").read_bytes()
    frame.write_bytes(picture)
    os.utime(frame, ns=(about.st_atime_ns, about.st_mtime_ns))
    found = workbench.collect(bundle, broken, tmp_path / "out", ("head.logits",))
    assert (found.meta["clips"], found.left_out, found.notes) == (5, frozenset(), ())


def test_classes_of_another_spelling(bundle: Bundle, clips_manifest: Path, tmp_path: Path) -> None:
    names = read_manifest(clips_manifest)["label_name"].map({"happy": "Happiness", "sad": "SAD"})
    (tmp_path / "list.csv").write_text(
        "path,label\n" + "".join(f"{clips_manifest.parent}/clip-{i},{name}\n" for i, name in enumerate(names))
    )
    found = workbench.collect(bundle, tmp_path / "list.csv", tmp_path / "out", ("head.logits",))
    assert list(found.predictions["label_name"]) == ["happy", "sad"] * 2 + ["happy"]
    assert found.notes == ("Happiness is read as happy, SAD as sad",)
    plain = workbench.collect(bundle, clips_manifest, tmp_path / "plain", ("head.logits",))
    np.testing.assert_array_equal(found.predictions["clip_sha256"], plain.predictions["clip_sha256"])
    assert found.predictions["clip_id"].tolist() == [f"clip-{i}" for i in range(5)]  # seen from the folder that they share
