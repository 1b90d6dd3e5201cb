"""What commands are given by name or by path: one rule for all of them."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from ifdd import InputError, load_checkpoint
from ifdd.data.manifest import read_manifest, write_manifest
from tests.tiny_demo import MODELS, TinyDemo
from workbench.store.collection import open_collection
from workbench.store.given import Given
from workbench.store.workspace import Workspace, init_workspace


@pytest.fixture
def mine(tiny: TinyDemo, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace, the current folder, of one dataset that one of two checkpoints has read."""
    made = init_workspace(tmp_path / "mine", {"own": clips}, [tiny.checkpoints / name for name in MODELS])
    shutil.copytree(tiny.demo / "collections/demo/tiny-ifdd", made.collection_folder("own", "tiny-ifdd"))
    monkeypatch.setenv("IFDD_DEMO", str(tmp_path / "no demo"))
    monkeypatch.chdir(made.folder)
    return made


def test_names_are_those_of_the_workspace(mine: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (Given(), Given(mine.folder), Given(dataset="own")):
        assert given.checkpoint("tiny-ifdd") == str(mine.checkpoint("tiny-ifdd"))
        assert (given.data().manifest, given.data().named) == (mine.dataset("own").manifest, True)
        assert given.collection("tiny-ifdd").folder == mine.collection_folder("own", "tiny-ifdd")
        assert given.out(None, "compare") == mine.results / "compare-1"
        assert given.out(None, "report", "report.html") == mine.results / "report-1" / "report.html"
        assert given.out(tmp_path, "compare") == tmp_path
    assert Given().data(Path("own")).dataset == mine.dataset("own")
    monkeypatch.chdir(tmp_path)
    assert Given(Path("mine")).data().dataset is not None


def test_paths_mean_what_lies_there(mine: Workspace, tiny: TinyDemo, clips: Path) -> None:
    given = Given()
    path = tiny.demo / "collections/demo/tiny-baseline"
    assert given.collection(str(path)).folder == path
    assert given.checkpoint(str(tiny.checkpoints / "tiny-ifdd")) == str(tiny.checkpoints / "tiny-ifdd")
    found = given.data(clips)
    assert (found.manifest, found.named) == (clips, False)
    assert found.dataset == mine.dataset("own")  # the very clips of a dataset
    assert given.collection_folder(str(tiny.checkpoints / "tiny-ifdd"), found) == mine.collection_folder("own", "tiny-ifdd")


def test_a_run_has_the_name_that_it_gave(mine: Workspace, tiny: TinyDemo, tmp_path: Path) -> None:
    shutil.copytree(tiny.checkpoints / "tiny-ifdd", tmp_path / "runs/one/checkpoint")
    given = Given()
    assert given.name(str(tmp_path / "runs/one")) == "tiny-ifdd"
    assert given.name(str(tmp_path / "runs/one/checkpoint")) == "tiny-ifdd"
    (mine.folder / "checkpoints/mine").symlink_to(tmp_path / "runs/one")
    assert Given().name(str(tmp_path / "runs/one")) == "mine"
    assert Given().checkpoint("mine") == str(mine.folder / "checkpoints/mine/checkpoint")


def test_clips_that_were_not_read_are_told_with_the_command_that_reads_them(mine: Workspace) -> None:
    line = f"run workbench collect tiny-baseline --dataset own --workspace {mine.folder}"
    with pytest.raises(InputError, match=f"tiny-baseline has not read the dataset own of .*; {line}$"):
        Given().collection("tiny-baseline")


def test_names_that_are_unknown_come_with_those_that_are_near(mine: Workspace) -> None:
    with pytest.raises(InputError, match=r"unknown checkpoint 'tiny-ifd' \(did you mean tiny-ifdd\?\); known: tiny-baseline, "):
        Given().checkpoint("tiny-ifd")
    with pytest.raises(InputError, match=r"no dataset 'ownn' \(did you mean own\?\), it has: own"):
        Given(dataset="ownn").data()
    with pytest.raises(
        InputError, match=r"ownn is no file or folder and no dataset of .* \(did you mean own\?\), which has: own"
    ):
        Given().data(Path("ownn"))


def test_a_name_that_is_two_things(mine: Workspace, tiny: TinyDemo, clips: Path) -> None:
    shutil.copytree(tiny.checkpoints / "tiny-baseline", mine.folder / "tiny-ifdd")
    with pytest.raises(InputError, match=r"tiny-ifdd is a checkpoint of .* and a folder here; write \./tiny-ifdd"):
        Given().checkpoint("tiny-ifdd")
    assert load_checkpoint(Given().checkpoint("./tiny-ifdd")).name == "tiny-baseline"
    shutil.rmtree(mine.folder / "tiny-ifdd")
    shutil.copytree(tiny.demo / "collections/demo/tiny-baseline", mine.folder / "tiny-ifdd")
    with pytest.raises(InputError, match=r"tiny-ifdd is a checkpoint of .* and a collection here; write \./tiny-ifdd"):
        Given().collection("tiny-ifdd")
    assert Given().collection("./tiny-ifdd").meta["checkpoint"]["name"] == "tiny-baseline"
    shutil.copytree(clips, mine.folder / "own")
    with pytest.raises(
        InputError, match=r"own is a dataset of .* and lies here, too; give --dataset own, or for what lies here /"
    ):
        Given().data(Path("own"))
    assert Given().data(Path("own").absolute()).dataset is None
    with pytest.raises(InputError, match=r"both own and --dataset own name clips; give one of them"):
        Given(dataset="own").data(Path("own"))


def test_outside_a_workspace_a_folder_here_comes_first(tiny: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was before there were workspaces."""
    monkeypatch.setenv("IFDD_DEMO", str(tiny.demo))
    monkeypatch.setenv("IFDD_CHECKPOINTS", str(tiny.checkpoints))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny.demo / "collections/demo/tiny-baseline", tmp_path / "tiny-ifdd")
    assert Given().collection("tiny-ifdd").meta["checkpoint"]["name"] == "tiny-baseline"
    shutil.copytree(tiny.checkpoints / "tiny-baseline", tmp_path / "tiny-ifdd", dirs_exist_ok=True)
    assert load_checkpoint(Given().checkpoint("tiny-ifdd")).name == "tiny-baseline"
    assert Given().collection("tiny-baseline").folder == tiny.demo / "collections/demo/tiny-baseline"


def test_several_datasets_or_none(mine: Workspace, clips: Path, tmp_path: Path) -> None:
    (mine.folder / "datasets/second").symlink_to(clips)
    with pytest.raises(InputError, match=r"has several datasets, name one with --dataset: own, second"):
        Given().data()
    assert Given(dataset="second").data().dataset == mine.dataset("second")
    empty = init_workspace(tmp_path / "empty")
    with pytest.raises(
        InputError, match=r"holds no dataset; make one with ifdd data index FOLDER and link it: ln -s /PATH/OF/FOLDER"
    ):
        Given(empty.folder).data()


def test_no_workspace_and_nothing_says_where_results_go(mine: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"is no workspace; give --out, or make one: workbench init DIR"):
        Given().out(None, "compare")
    with pytest.raises(
        InputError, match=r"no clips are given and .* is no workspace; give --data clips\.parquet, make a workspace"
    ):
        Given().data()
    with pytest.raises(InputError, match=r"is no workspace: workspace.json is missing; workbench init"):
        Given(tmp_path).out(None, "compare")


def test_a_dataset_that_changed(mine: Workspace, tiny: TinyDemo, tmp_path: Path) -> None:
    """More clips, and the same ones by another label."""
    copy = tiny.copy_to(tmp_path)
    folder = copy.demo / "datasets/demo"
    (mine.folder / "datasets/own").unlink()
    (mine.folder / "datasets/own").symlink_to(folder)
    assert len(Given().collection("tiny-ifdd").predictions) == 14
    table = read_manifest(folder)
    again = f"workbench collect tiny-ifdd --dataset own --workspace {mine.folder}"
    write_manifest(pd.concat([table, table.iloc[:1].assign(clip_id="one more")], ignore_index=True), folder)
    with pytest.raises(InputError, match=f"lacks 1 of 15 clips .*e.g. one more; remove the folder .*or {again}"):
        Given().collection("tiny-ifdd")
    write_manifest(
        table.assign(
            label=[*table["label"][1:], table["label"][0]], label_name=[*table["label_name"][1:], table["label_name"][0]]
        ),
        folder,
    )
    with pytest.raises(InputError, match=f"have another label now, e.g. .*; remove the folder .*or {again}"):
        Given().collection("tiny-ifdd")


def test_a_collection_is_used_where_it_can_serve(mine: Workspace) -> None:
    bundle = load_checkpoint(mine.checkpoint("tiny-ifdd"))
    given, data = Given(), Given().data()
    found = given.collected(bundle, "tiny-ifdd", data, ["head.embedding"])
    assert found is not None
    assert found.folder == open_collection(mine.collection_folder("own", "tiny-ifdd")).folder
    with pytest.warns(
        UserWarning, match=r"lacks the means of ladm.Y_D; to keep them remove that folder and run workbench collect"
    ):
        assert given.collected(bundle, "tiny-ifdd", data, ["head.embedding", "ladm.Y_D"]) is None
    other = load_checkpoint(mine.checkpoint("tiny-baseline"))
    with pytest.warns(UserWarning, match=r"was collected with checkpoint tiny-ifdd .* until then"):
        assert given.collected(other, "tiny-ifdd", data) is None
    at_path = given.data(data.manifest)
    assert given.collected(other, "tiny-baseline", at_path) is None  # clips given by a path are collected beside the results
    assert not mine.collection_folder("own", "tiny-baseline").exists()
