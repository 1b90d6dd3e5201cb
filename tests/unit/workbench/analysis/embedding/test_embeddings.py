"""From collections to maps: one map with further clips on it, models side by side, a film over the stages; and the command."""

import itertools
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ifdd.checkpoints import load_checkpoint
from ifdd.errors import InputError
from workbench import cli
from workbench.analysis.embedding import task
from workbench.analysis.embedding.displays.scatter import EmbeddingDisplay
from workbench.analysis.embedding.displays.series import EmbeddingSeriesDisplay
from workbench.analysis.embedding.placing import place
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.series import embed_series
from workbench.analysis.embedding.task import (
    Options,
    film_of_stages,
    map_clips,
    map_models,
    mappable,
    place_clips,
    read,
    same_rows,
    vectors,
    write,
)
from workbench.store.collecting import collect
from workbench.store.collection import open_collection

NAMES = ("backbone.stage3", "pyramid.X", "head.embedding")


@pytest.fixture(scope="module")
def folders(
    tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Two models with means, one with whole feature maps."""
    root = tmp_path_factory.mktemp("collections")
    ifdd, baseline = load_checkpoint(tiny_bundle_dir), load_checkpoint(baseline_bundle_dir)
    collect(ifdd, clips_manifest, root / "ifdd", (*NAMES, "ladm.Y_D"), "mean")
    collect(baseline, clips_manifest, root / "baseline", NAMES, "mean")
    collect(ifdd, clips_manifest, root / "whole", (*NAMES, "ladm.Y_D", "issm.correlation"))
    return {name: root / name for name in ("ifdd", "baseline", "whole")}


def test_whole_maps_and_tokens_are_averaged_as_pooling_does(folders: dict[str, Path]) -> None:
    pooled, whole = open_collection(folders["ifdd"]), open_collection(folders["whole"])
    for name in ("pyramid.X", "ladm.Y_D", "head.embedding"):
        np.testing.assert_allclose(vectors(whole, name), vectors(pooled, name), rtol=2e-2, atol=2e-3)  # float16 before or after
    assert vectors(whole, "issm.correlation").shape == (5, 64)


def test_one_map_holds_out_persons(folders: dict[str, Path]) -> None:
    found = map_clips(open_collection(folders["ifdd"]), "ladm.Y_D", "pca")
    assert found.xy.shape == (5, 2)
    assert found.measure("kNN accuracy, other groups").n == 5
    assert found.label_names[:2] == ("happy", "sad")


def test_models_are_turned_onto_the_first(folders: dict[str, Path]) -> None:
    pair = [open_collection(folders[name]) for name in ("ifdd", "baseline")]
    series = map_models(pair, "head.embedding", "pca")
    assert series.names == ("tiny-ifdd", "tiny-baseline")
    assert series.onto == "first"
    assert series.clip_ids == tuple(f"clip-{i}" for i in range(5))
    twice = [open_collection(folders[name]) for name in ("ifdd", "whole")]
    assert map_models(twice, "head.embedding", "pca").names == (str(folders["ifdd"]), str(folders["whole"]))


def test_film_takes_the_stages_in_order(folders: dict[str, Path]) -> None:
    film = film_of_stages(open_collection(folders["ifdd"]), method="pca")
    assert film.names == ("backbone.stage3", "pyramid.X", "ladm.Y_D", "head.embedding")
    assert (film.onto, film.start, len(film.moved)) == ("previous", "own", 3)


def changed(folder: Path, target: Path, **change: object) -> Path:
    """A copy whose manifest says something else."""
    shutil.copytree(folder, target)
    file = target / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    return target


def test_collections_that_do_not_fit(folders: dict[str, Path], tmp_path: Path) -> None:
    ifdd, baseline = open_collection(folders["ifdd"]), open_collection(folders["baseline"])
    strange = open_collection(changed(folders["baseline"], tmp_path / "labels", labels=["calm", *baseline.labels[1:]]))
    with pytest.raises(InputError, match="show models of the same classes"):
        map_models([ifdd, strange], "head.embedding", "pca")
    other = changed(folders["baseline"], tmp_path / "clips")
    table = pd.read_parquet(other / "predictions.parquet")
    table.loc[2, "clip_id"] = "stranger"
    table.to_parquet(other / "predictions.parquet")
    with pytest.raises(InputError, match="clip 2 of tiny-baseline is stranger, of tiny-ifdd it is clip-2"):
        map_models([ifdd, open_collection(other)], "head.embedding", "pca")
    with pytest.raises(InputError, match="a collection is named twice"):
        map_models([ifdd, ifdd], "head.embedding", "pca")
    with pytest.raises(
        InputError, match=r"holds no activation 'issm.X_S', only .*--names backbone.stage3,.*,issm.X_S --pool mean"
    ):
        map_clips(ifdd, "issm.X_S", "pca")
    few = open_collection(changed(folders["baseline"], tmp_path / "few"))
    del few.meta["activations"]["pyramid.X"], few.meta["activations"]["backbone.stage3"]
    with pytest.raises(
        InputError, match=r"holds 1 of the stages.*--names backbone.stage0.*,pyramid.X,head.embedding --pool mean"
    ):
        film_of_stages(few, method="pca")
    found = map_clips(ifdd, "head.embedding", "pca")
    with pytest.raises(InputError, match="was collected with tiny-baseline, the map with tiny-ifdd"):
        place_clips(found, ifdd, baseline, "head.embedding")


def test_undefined_activations_name_their_collection(folders: dict[str, Path], tmp_path: Path) -> None:
    broken = changed(folders["ifdd"], tmp_path / "broken")
    file = broken / "activations" / "head.embedding.npy"
    values = np.load(file)
    values[1, 3] = np.nan
    np.save(file, values)
    with pytest.raises(InputError, match=r"head.embedding of .*broken: features\[1\] holds NaN"):
        map_clips(open_collection(broken), "head.embedding", "pca")


def two_classes() -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat([0, 1], 10)
    return np.random.default_rng(0).normal(size=(20, 4)) + 20 * labels[:, None], labels


def test_placed_clips_are_voted_on_by_the_old_ones() -> None:
    features, labels = two_classes()
    result = embed(features, labels, "pca", label_names=("happy", "sad"))
    placed = place(result, features[[0, 1, 12]] + 0.01, [0, 1, 1])  # the second is called sad and lies among the happy
    assert (placed.accuracy.value, placed.accuracy.n, placed.accuracy.k) == (2 / 3, 3, 5)
    assert placed.accuracy.null == pytest.approx(0.5, abs=0.15)
    np.testing.assert_array_equal(placed.xy, result.transform(features[[0, 1, 12]] + 0.01))
    with pytest.raises(InputError, match="labels go up to 2, the map has 2 classes"):
        place(result, features[:1], [2])
    display = EmbeddingDisplay.from_result(result, placed=placed)
    hollow = [p for p in display.plot().ax_.collections if not len(p.get_facecolors())]
    assert [len(p.get_offsets()) for p in hollow] == [1, 2]
    assert "3 clips placed later (hollow): 5-NN accuracy 0.67" in display.ax_.get_title(loc="left").replace("\n", " ")
    assert [trace.name for trace in display.to_plotly().data][-2:] == ["placed: happy (1)", "placed: sad (2)"]


def test_series_display(tmp_path: Path) -> None:
    features, labels = two_classes()
    series = embed_series(
        {name: features * (1 + i) for i, name in enumerate("abcde")}, labels, "pca", label_names=("happy", "sad")
    )
    display = EmbeddingSeriesDisplay.from_result(series).plot()
    assert display.ax_.shape == (2, 4)
    assert [panel.get_title(loc="left").splitlines()[0] for panel in display.ax_.flat[:5]] == list("abcde")
    assert not any(panel.axison for panel in display.ax_.flat[5:])
    drawn = np.concatenate([p.get_offsets() for p in display.ax_[0, 1].collections])
    np.testing.assert_allclose(drawn, series.maps[1].xy)  # labels are in order, so classes one after the other are all clips
    panels = display.to_plotly()
    assert len(panels.data) == 10
    assert sum(trace.showlegend for trace in panels.data) == 2
    film = display.to_film()
    assert [frame.name for frame in film.frames] == list("abcde")
    np.testing.assert_allclose(film.frames[3].data[1].x, series.maps[3].xy[10:, 0])
    assert display.save(tmp_path / "panels.svg").stat().st_size > 5000
    with pytest.raises(InputError, match="films are saved as"):
        display.save_film(tmp_path / "film.avi")


def test_film_moves_from_map_to_map(tmp_path: Path) -> None:
    features, labels = two_classes()
    series = embed_series({"a": features, "b": features[:, ::-1] ** 2}, labels, "pca")
    file = EmbeddingSeriesDisplay.from_result(series).save_film(tmp_path / "film.gif")
    with Image.open(file) as image:
        pictures = []
        for i in range(image.n_frames):
            image.seek(i)
            pictures.append(np.asarray(image.convert("L"), float))
    steps = [np.abs(a - b).mean() for a, b in itertools.pairwise(pictures)]
    assert sum(step > 0 for step in steps) >= 7  # eight pictures on the way
    assert np.abs(pictures[0] - pictures[-1]).mean() > 0.5


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    if end.value.code:
        raise RuntimeError(end.value.code)


def test_command(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ifdd, baseline = folders["ifdd"], folders["baseline"]
    run(monkeypatch, "embed", ifdd, "--method", "pca", "--place", ifdd, "--out", tmp_path / "one", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["placed"]["n"] == 5
    assert told == json.loads((tmp_path / "one" / "embedding.json").read_text())
    table = pd.read_parquet(tmp_path / "one" / "clips.parquet")
    assert table.groupby("placed").size().to_dict() == {False: 5, True: 5}
    first, again = (table[table["placed"] == placed][["x", "y"]].to_numpy() for placed in (False, True))
    np.testing.assert_allclose(first, again)  # PCA places a clip where it was

    run(monkeypatch, "embed", ifdd, baseline, "--method", "pca", "--out", tmp_path / "two")
    assert set(pd.read_parquet(tmp_path / "two" / "clips.parquet")["map"]) == {"tiny-ifdd", "tiny-baseline"}
    run(monkeypatch, "embed", ifdd, "--method", "pca", "--activation", "pyramid.X,ladm.Y_D", "--out", tmp_path / "film")
    assert {"film.html", "embedding.png"} < {file.name for file in (tmp_path / "film").iterdir()}
    assert list(json.loads((tmp_path / "film" / "embedding.json").read_text())["maps"]) == ["pyramid.X", "ladm.Y_D"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["IFDD", "BASELINE", "--activation", "stages"], "a film is of one collection, 2 are given"),
        (["IFDD", "BASELINE", "--place", "IFDD"], "--place is of one collection"),
        (["IFDD", "--activation", "stages", "--place", "IFDD"], "--place is for a map of one activation"),
        (["IFDD", "--activation", ","], "--activation names nothing"),
        (["nowhere"], "nowhere is no collection"),
        (["IFDD", "--perplexity", "0"], "perplexity 0 must be above 0"),
    ],
)
def test_command_refuses(
    folders: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    known = {"IFDD": folders["ifdd"], "BASELINE": folders["baseline"]}
    with pytest.raises(RuntimeError):
        run(monkeypatch, "embed", *(known.get(word, word) for word in words), "--out", tmp_path / "out")
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ")
    assert message in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_read_inverts_write(folders: dict[str, Path], tmp_path: Path) -> None:
    pair = [open_collection(folders[name]) for name in ("ifdd", "baseline")]
    for name, collections, options in (
        ("one", pair[:1], Options(None, "pca")),
        ("two", pair, Options(None, "pca")),
        ("film", pair[:1], Options(("stages",), "pca")),
    ):
        made = task.run(collections, options)
        write(made, tmp_path / name)
        again = read(tmp_path / name)
        assert again.found == made.found
        assert again.table["clip_id"].tolist() == made.table["clip_id"].tolist()


def test_a_sample_has_the_same_clips_for_all_models(folders: dict[str, Path]) -> None:
    pair = [open_collection(folders[name]) for name in ("ifdd", "baseline")]
    made = task.run(pair, Options(None, "pca", clips=5))
    assert len(made.table) == 5
    first, second = same_rows(pair, 3)
    assert len(first) == 3
    assert first["clip_id"].tolist() == second["clip_id"].tolist()


def test_an_unmeasured_map_says_so(folders: dict[str, Path]) -> None:
    found = map_clips(open_collection(folders["ifdd"]), "ladm.Y_D", "pca", measured=False)
    assert found.measures == ()
    assert found.caption.endswith("how far to trust it was not measured")


def test_maps_are_made_of_two_numbers_or_more(folders: dict[str, Path]) -> None:
    assert mappable(open_collection(folders["whole"])) == (*NAMES, "ladm.Y_D", "issm.correlation")
