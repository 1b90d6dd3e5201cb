from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from media import write_video

import ifdd
from ifdd import InputError
from ifdd.checkpoints import Bundle
from ifdd.data.manifest import index_unlabelled, read_manifest, write_manifest
from workbench.analysis.counterfactuals.task import Options as EditOptions
from workbench.analysis.counterfactuals.task import run as edit_clips
from workbench.app.clip_analyses import (
    Edits,
    budgets,
    edited,
    effects,
    first_pair,
    importance,
    named_maps,
    possible,
    what_if,
)
from workbench.explain.results import Explanation
from workbench.explain.task import Options, run
from workbench.store.collecting import load_row


@pytest.fixture(scope="module")
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return ifdd.load_checkpoint(tiny_bundle_dir)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos of coarse random frames, and their list."""
    folder = tmp_path_factory.mktemp("clips")
    for seed in range(2):
        images = np.random.default_rng(seed).integers(0, 256, (24, 4, 6, 3), np.uint8).repeat(16, 1).repeat(16, 2)
        write_video(folder / f"{seed}.mp4", list(images), milliseconds=(40 * np.arange(24)).tolist())
    write_manifest(index_unlabelled(folder).assign(crop="none"), folder)
    return folder


@pytest.fixture(scope="module")
def item(bundle: Bundle, clips: Path) -> Explanation:
    return run(bundle, clips / "0.mp4", Options(crop="none", method="tested"))


def test_frames_hang_on_the_explained_class(bundle: Bundle, item: Explanation) -> None:
    found = importance(bundle, item, "freeze")
    assert found.drop.shape == (1, bundle.model.frames)
    assert found.target.tolist() == [item.target]


def test_budget_of_a_clip_of_which_nothing_is_known(bundle: Bundle, item: Explanation) -> None:
    found = budgets(bundle, item)
    assert set(found) == {"D", "S"}
    assert "rectangles" in found["D"].source
    assert sum(row.share.value for row in found["D"].regions) == pytest.approx(1)
    scaled = {key: replace(result, normalise="frame") for key, result in item.saliency.items()}
    with pytest.raises(InputError, match="scale them by the clip"):
        budgets(bundle, replace(item, saliency=scaled))


def test_pairs_of_maps(item: Explanation) -> None:
    assert list(named_maps({"a": item})) == ["a Y_D", "a Y_S"]
    assert first_pair({"a": item}) == ("a Y_D", "a Y_S")
    assert first_pair({"a": item, "b": item}) == ("a Y_D", "b Y_D")
    assert first_pair({"a": replace(item, saliency={"D": item.saliency["D"]})}) is None
    found = named_maps({"a": item})["a Y_S"]
    assert (found.model, found.branch, found.result) == ("a", "S", item.saliency["S"])


def test_what_if_is_what_the_command_finds(bundle: Bundle, clips: Path) -> None:
    table = read_manifest(clips)
    tensors = [load_row(table, row, bundle) for row in table.to_dict("records")]
    frames = bundle.model.frames
    edits = Edits(("freeze", "shuffle", "drop", "zero-offsets", "swap-S"), 2, (4, frames - 1), 7, frames)
    mine = what_if(bundle, tensors[0], edits, tensors[1])
    lost = list(range(4, frames))
    asked = EditOptions(4, seed=7, edits=edits.names, clip_ids=[table["clip_id"][0]], frames=lost, still=2)
    asked = replace(asked, lenders=[table["clip_id"][1]])
    theirs = edit_clips(bundle, clips, asked).counterfactuals
    np.testing.assert_allclose(mine.before, theirs.before, atol=1e-6)
    for one, other in zip(mine.edits, theirs.edits, strict=True):
        np.testing.assert_allclose(one.after, other.after, atol=1e-6)
    np.testing.assert_allclose(mine.order, theirs.order, atol=1e-6)
    rows = effects({"tiny": mine})
    assert list(rows["edit"]) == ["as it is", "freeze", "shuffle", "drop", "zero offsets", "swap Y_S"]
    assert list(effects({"tiny": mine, "same": mine})["model"][:4]) == ["tiny", "same"] * 2  # edit by edit
    said = int(mine.before[0].argmax())
    assert rows["p of the first answer, change"][1] == pytest.approx(mine.edits[0].after[0, said] - mine.before[0, said])


def test_edits_of_a_clip_alone_and_their_pictures(bundle: Bundle) -> None:
    frames = bundle.model.frames
    clip = torch.arange(frames).view(1, frames, 1, 1).expand(3, frames, *bundle.model.size) / 255
    edits = Edits(("freeze", "reverse", "drop", "swap-S", "replace"), 3, (1, 2), 0, frames)
    shown = {name: pixels[:, 0, 0, 0].tolist() for name, pixels in edited(bundle, clip, edits).items()}
    order = list(range(frames))
    assert shown == {"freeze": [3] * frames, "reverse": order[::-1], "drop": [0, 0, 0, *order[3:]]}
    assert "swap-S" not in possible({"tiny": bundle}, donor=False)
    assert "swap-S" in possible({"tiny": bundle}, donor=True)


def test_a_model_of_other_frames_is_edited_at_the_same_moments(bundle: Bundle) -> None:
    """Half of the frames of a clip of twice as many."""
    frames = bundle.model.frames
    found = Edits(("freeze",), 2 * frames - 1, (0, frames - 1), 0, 2 * frames).of(bundle, 1)
    assert found.still == frames - 1
    assert found.frames == list(range(round((frames - 1) * (frames - 1) / (2 * frames - 1)) + 1))
