"""Workspaces: links, bad pieces, and which one a command works in."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ifdd import InputError, load_checkpoint
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.io import claim
from ifdd.scripted.suite import SuiteConfig, render_suite
from tests.tiny_demo import MODELS, TinyDemo
from workbench.store.given import Given
from workbench.store.layout import FILE
from workbench.store.workspace import (
    Workspace,
    find_workspace,
    init_workspace,
    of_the_same_suite,
    open_workspace,
    to_begin_with,
)

ROOT = Path(__file__).parents[4]


def test_links_to_folders_and_manifests(tiny: TinyDemo, clips: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "one"
    shutil.copytree(tiny.checkpoints / "tiny-ifdd", run / "checkpoint")
    datasets = {"folder": clips, "file": clips / "clips.parquet"}
    made = init_workspace(tmp_path / "mine", datasets, [run, tiny.checkpoints / "tiny-baseline"])
    assert open_workspace(tmp_path / "mine") == made
    assert made.datasets == ("file", "folder")
    for name in made.datasets:
        found = made.dataset(name)
        assert found.manifest == (clips / "clips.parquet").resolve()
        assert all(found.path(clip).is_dir() for clip in found.clips.index)
        assert found.collections == tmp_path / "mine" / "collections" / name
    assert set(made.checkpoints()) == set(MODELS)
    assert made.checkpoint("tiny-ifdd").name == "checkpoint"
    assert made.collection_folder("file", "tiny-ifdd") == tmp_path / "mine/collections/file/tiny-ifdd"
    assert made.new_results("compare") == tmp_path / "mine/results/compare-1"
    with claim(made.new_results("compare")):  # as a command that is still at work
        assert made.new_results("compare") == tmp_path / "mine/results/compare-2"
    (tmp_path / "mine/results/compare-1").mkdir()
    assert made.new_results("compare") == tmp_path / "mine/results/compare-2"


def test_a_manifest_linked_in_a_folder_counts_paths_from_where_it_lies(clips: Path, tmp_path: Path) -> None:
    made = init_workspace(tmp_path / "mine")
    (made.folder / "datasets" / "own").mkdir()
    (made.folder / "datasets" / "own" / "clips.parquet").symlink_to(clips / "clips.parquet")
    found = made.dataset("own")
    assert all(found.path(clip).is_dir() for clip in found.clips.index)


def test_init_makes_all_or_nothing(tiny: TinyDemo, clips: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for datasets, checkpoints, told in (
        ({"a": tmp_path / "nowhere"}, [], "nowhere is not there"),
        ({"../a": clips}, [], "cannot be the name"),
        ({"-a": clips}, [], "cannot be the name"),  # commands would take it for an option
        ({"a": tmp_path / "empty"}, [], f"^{tmp_path / 'empty'} holds no clips.parquet .* ifdd data index {tmp_path / 'empty'}"),
        ({"a": clips}, [tmp_path / "empty"], "card.json is missing"),
        ({"a": clips}, [tiny.checkpoints / "tiny-ifdd"] * 2, "given already"),
    ):
        with pytest.raises(InputError, match=told):
            init_workspace(tmp_path / "mine", datasets, checkpoints)
        assert not (tmp_path / "mine").exists()
    init_workspace(tmp_path / "mine")
    with pytest.raises(InputError, match=r"is a workspace already; add to it with ln -s"):
        init_workspace(tmp_path / "mine")


def test_pieces_that_are_bad_are_told_by_themselves(clips: Path, tmp_path: Path) -> None:
    made = init_workspace(tmp_path / "mine", {"good": clips})
    (made.folder / "datasets" / "gone").symlink_to(tmp_path / "gone")
    (made.folder / "datasets" / "half").mkdir()
    (made.folder / "datasets" / "half" / "clips.csv").symlink_to(tmp_path / "gone.csv")
    (made.folder / "checkpoints" / "gone").symlink_to(tmp_path / "gone")
    assert made.datasets == ("gone", "good", "half")
    assert len(made.dataset("good").clips)
    with pytest.raises(InputError, match=r"dataset gone .* leads to .*gone, which is not there; mend or remove"):
        made.dataset("gone")
    with pytest.raises(InputError, match=r"clips.csv leads to .*gone.csv, which is not there; mend or remove"):
        made.dataset("half")
    with pytest.raises(InputError, match=r"no dataset 'other', it has: gone, good, half"):
        made.dataset("other")
    with pytest.raises(InputError, match=r"checkpoint gone .* leads nowhere; mend or remove"):
        made.checkpoint("gone")
    with pytest.raises(InputError, match="'other' is not in"):
        made.checkpoint("other")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "schema version None"),
        (b'{"schema_version": 9}', "schema version 9, this version reads 1"),
        (b"\xff", "no UTF-8 text"),
        (None, "is a folder"),
        (Path("gone"), "leads to gone, which is not there"),
    ],
)
def test_a_mark_that_is_none(tmp_path: Path, content: bytes | Path | None, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = init_workspace(tmp_path / "mine").folder
    (mine / FILE).unlink()
    if content is None:
        (mine / FILE).mkdir()
    elif isinstance(content, Path):
        (mine / FILE).symlink_to(content)
    else:
        (mine / FILE).write_bytes(content)
    monkeypatch.chdir(mine)
    for seen in (open_workspace, lambda _: Given().out(None, "compare")):  # no other workspace stands in for the current folder
        with pytest.raises(InputError, match=f"{told}.*; remove it and run workbench init {mine}$"):
            seen(mine)


@pytest.mark.parametrize("is_link", [False, True])
def test_results_that_are_no_folder(tmp_path: Path, is_link: bool) -> None:
    made = init_workspace(tmp_path / "mine")
    made.results.rmdir()
    if is_link:
        made.results.symlink_to(tmp_path / "unmounted")
    else:
        made.results.touch()
    with pytest.raises(InputError, match=r"results is no folder, which results go into; move it away, or give --out"):
        made.new_results("compare")


def test_which_workspace(tiny: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = init_workspace(tmp_path / "mine"), init_workspace(tmp_path / "other")
    monkeypatch.setenv("IFDD_DEMO", str(tiny.demo))
    monkeypatch.chdir(tmp_path)
    assert find_workspace() == Workspace(tiny.demo)
    monkeypatch.chdir(mine.folder)
    assert find_workspace() == mine
    assert find_workspace(other.folder) == other
    with pytest.raises(InputError, match=r"no workspace: workspace.json is missing; workbench init"):
        find_workspace(tmp_path)


def test_a_dataset_that_has_changed(tiny: TinyDemo, tmp_path: Path) -> None:
    copy = tiny.copy_to(tmp_path)
    folder = copy.demo / "datasets" / "demo"
    table = read_manifest(folder)
    further = table.iloc[:1].assign(clip_id="one more")
    write_manifest(pd.concat([table, further], ignore_index=True), folder)
    found = Workspace(copy.demo).dataset("demo")
    with pytest.raises(InputError, match=r"lacks 1 of 15 clips .* e.g. one more"):
        found.collection(load_checkpoint(copy.checkpoints / "tiny-ifdd"))


def test_mark_is_plain_json(tmp_path: Path) -> None:
    assert json.loads((init_workspace(tmp_path / "mine").folder / FILE).read_text()) == {"schema_version": 1}


def test_init_completes_half_a_workspace_and_keeps_what_is_there(tiny: TinyDemo, clips: Path, tmp_path: Path) -> None:
    mine = init_workspace(tmp_path / "mine", {"own": clips}, [tiny.checkpoints / "tiny-ifdd"])
    (mine.folder / FILE).unlink()
    with pytest.raises(InputError, match=r"is half a workspace: it has datasets, checkpoints, collections, results, but .* init"):
        open_workspace(mine.folder)
    with pytest.raises(InputError, match=r"own is there already; give the new one another name"):
        init_workspace(mine.folder, {"own": clips})
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no clips\.parquet"):
        init_workspace(mine.folder, {"good": clips, "bad": tmp_path / "empty"})
    assert mine.datasets == ("own",)  # what could not be made whole left nothing behind
    assert not (mine.folder / FILE).exists()
    assert init_workspace(mine.folder, {"more": clips}).datasets == ("more", "own")
    assert open_workspace(mine.folder).checkpoints().keys() == {"tiny-ifdd"}
    assert init_workspace(tmp_path / "empty").datasets == ()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="other exists"):
        init_workspace(tmp_path / "other")


def test_a_mark_of_another_schema_is_renewed_as_the_error_says(clips: Path, tmp_path: Path) -> None:
    mine = init_workspace(tmp_path / "mine", {"own": clips})
    (mine.folder / FILE).write_text('{"schema_version": 9}')
    with pytest.raises(InputError, match=rf"remove it and run workbench init {mine.folder}$"):
        open_workspace(mine.folder)
    (mine.folder / FILE).unlink()
    assert init_workspace(mine.folder).datasets == ("own",)


def test_who_reads_scenes_is_suggested_where_clips_have_them(tmp_path: Path) -> None:
    """Of the shipped ones; the encoder of the scenes is tested on clips of the demo's difficulty, too."""
    shipped = {card.parent.name: card.parent for card in sorted((ROOT / "checkpoints").glob("*/card.json"))}
    assert "scenes-ous-start" in shipped
    assert to_begin_with(shipped) == ["scripted-tiny-baseline", "scripted-tiny-ifdd"]
    few = {name: shipped[name] for name in ("scenes-late-r90-0", "scenes-ous-r90-0", "noisy-cnn-ifdd-0")}
    assert to_begin_with(few) == ["noisy-cnn-ifdd-0", "scenes-late-r90-0"]
    for rho, more in ((None, []), (0.5, ["scenes-ous-start"])):
        clips = tmp_path / f"clips {rho}"
        suite = SuiteConfig("demo", 3, 1, 1, "test", "easy", rho=rho)
        manifest = render_suite(suite, clips, frames=2, size=48, workers=1, progress=False)
        found = of_the_same_suite(shipped, manifest)
        assert found == [*more, "scripted-tiny-baseline", "scripted-tiny-ifdd"]
