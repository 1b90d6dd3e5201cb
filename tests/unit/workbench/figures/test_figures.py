"""Paper figures: what is drawn is what the analyses say; all files or none; degenerate data are told, not drawn."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ifdd.checkpoints import load_checkpoint
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.data.published import usual_row
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from tests.tiny_demo import TinyDemo
from workbench import cli
from workbench.analysis.comparison.results import SeedScore
from workbench.analysis.confidence.densities import density
from workbench.analysis.performance.scores import summary
from workbench.analysis.performance.section import section
from workbench.analysis.performance.task import measure
from workbench.app.figure_sets import figure_sets
from workbench.benchmark.results import NO_PLACES, FamilyResult, FamilyRow, Figure, RobustnessResult, SuiteResult
from workbench.figures.ifdd2_maps import NONE_CORRECT, choose_clips, maps_sheet
from workbench.figures.ifdd3_table import VariantTable
from workbench.figures.ifdd4_radar import RadarSheet, radar_sheet
from workbench.figures.ifdd5_confidence import ConfidenceSheet
from workbench.figures.names import FIGURES, TABLE
from workbench.figures.ous5_confusion import ConfusionSheet
from workbench.figures.published import published_recalls
from workbench.figures.sheet import WIDTHS
from workbench.figures.study import Study, load_runs, open_study, stages_of
from workbench.figures.task import CAPTIONS, FORMATS, DrawnFigures, Request, run, write
from workbench.report.parts import Options, Table
from workbench.results.interval import Interval
from workbench.results.passport_files import read_passport
from workbench.results.provenance import record
from workbench.store.collecting import collect
from workbench.store.collection import open_collection

PROBS = {name: np.random.default_rng(i).dirichlet(np.full(7, 0.4), 42) for i, name in enumerate(("baseline", "ifdd"))}
LABELS = np.arange(42) % 7
METRICS = {name: summary(probs, LABELS, EMOTIONS) for name, probs in PROBS.items()}


@pytest.fixture(scope="session")
def runs(tiny: TinyDemo) -> list[str]:
    return [str(tiny.checkpoints / name) for name in ("tiny-baseline", "tiny-ifdd")]


@pytest.fixture(scope="module")
def study(tiny: TinyDemo, runs: list[str], tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(runs, tiny.demo / "datasets" / "demo", tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def made(study: Study) -> DrawnFigures:
    return run(study, Request(published=("C3D",)))


def test_every_figure_is_there(made: DrawnFigures, study: Study) -> None:
    assert not made.left_out
    assert set(made.sheets) == {
        "ifdd_fig2_maps",
        "ifdd_fig2_tsne",
        "ifdd_fig3_variants",
        "ifdd_fig4_radar",
        "ifdd_fig5_confidence",
        "ous_fig4_stages",
        "ous_fig5_confusion",
    }
    assert study.main == "tiny-ifdd"
    for stem, sheet in made.sheets.items():
        assert sheet.stem == stem
        assert json.loads(sheet.to_plotly().to_json())["data"]


def test_files_have_passports_fonts_and_the_width_of_a_column(made: DrawnFigures, study: Study, tmp_path: Path) -> None:
    files = write(made, tmp_path / "out", context=study.context("workbench figures --x"))
    of_pixels = {"ifdd_fig2_maps"}
    numbers = {f"{stem}.csv" for stem in made.sheets if stem not in of_pixels}
    drawn = {f"{stem}.{suffix}" for stem in made.sheets for suffix in FORMATS}
    assert {file.name for file in files} == drawn | numbers | {CAPTIONS}
    assert sorted(files) == sorted((tmp_path / "out").iterdir())
    for file in files:
        if file.name == CAPTIONS:
            continue
        if file.suffix == ".csv":
            assert len(pd.read_csv(file)) == len(made.sheets[file.stem].numbers())
            continue
        found = read_passport(file)
        assert [run.name for run in found.runs] == ["tiny-baseline", "tiny-ifdd"]
        assert all(run.config for run in found.runs)
        assert found.command == "workbench figures --x"
        assert found.analyses
        if file.suffix == ".png":
            with Image.open(file) as image:
                assert image.width == pytest.approx(300 * WIDTHS["double"], abs=1.5)
                assert np.asarray(image.convert("L")).std() > 5
        elif file.suffix == ".pdf":
            content = file.read_bytes()
            assert b"/FontFile2" in content
            assert b"/Type3" not in content
        else:
            assert b"<text" in file.read_bytes()
    text = (tmp_path / "out" / CAPTIONS).read_text(encoding="utf-8")
    assert "area of a radar changes with the order" in text
    assert f"UAR: tiny-baseline {100 * study.metrics()['tiny-baseline'].uar.value:.1f} %" in text
    with pytest.raises(InputError, match="holds figures already"):
        write(made, tmp_path / "out")
    (found_set,) = figure_sets([tmp_path])
    assert (found_set.folder, found_set.left_out) == (tmp_path / "out", {})
    assert [figure.stem for figure in found_set.figures] == sorted(made.sheets)
    for figure in found_set.figures:
        assert figure.paper == made.sheets[figure.stem].paper
        assert figure.width == pytest.approx(183, abs=0.2)
        assert set(figure.files) == {"png", "svg", "pdf"} | ({"csv"} if figure.stem not in of_pixels else set())
        assert figure.title.startswith(FIGURES[figure.stem])


def test_figures_that_are_asked_for(study: Study) -> None:
    found = run(study, Request(only=("ous_fig5_confusion", TABLE)))
    assert list(found.sheets) == ["ous_fig5_confusion"]
    assert "give --benchmark" in found.left_out[TABLE]
    with pytest.raises(InputError, match=r"figure .*ous_fig5_confusio.* is unknown.*did you mean ous_fig5_confusion"):
        run(study, Request(only=("ous_fig5_confusio",)))


def test_the_names_are_those_that_are_drawn(made: DrawnFigures) -> None:
    assert set(FIGURES) == {*made.sheets, TABLE}


@pytest.mark.parametrize("column", ["single", "double"])
def test_nothing_is_cut_off(column: str) -> None:
    names = {name: density(probs, LABELS, EMOTIONS) for name, probs in PROBS.items()}
    one = {"one": METRICS["ifdd"]}
    sheets = [
        ConfusionSheet(METRICS, column),  # type: ignore[arg-type]
        ConfidenceSheet(names, column),  # type: ignore[arg-type]
        RadarSheet(METRICS, {}, column, False),  # type: ignore[arg-type]
        RadarSheet(one, published_recalls(["C3D"], EMOTIONS), column, False),  # type: ignore[arg-type]
        RadarSheet(one, {}, column, False),  # type: ignore[arg-type]
    ]
    for sheet in sheets:
        figure = sheet.plot().figure_
        figure.draw_without_rendering()
        inside, page = figure.get_tightbbox(), figure.bbox_inches
        assert min(inside.x0, inside.y0) >= -0.005
        assert inside.x1 <= page.x1 + 0.005
        assert inside.y1 <= page.y1 + 0.005
        assert page.width == pytest.approx(WIDTHS[column])  # type: ignore[index]
        assert min(text.get_fontsize() for text in figure.findobj(lambda artist: hasattr(artist, "get_fontsize"))) >= 5


def test_confusion_shows_the_counts() -> None:
    sheet = ConfusionSheet(METRICS, "double").plot()
    for panel, result in zip(sheet.ax_.flat, METRICS.values(), strict=True):
        texts = [text.get_text() for text in panel.texts]
        sizes = result.confusion.sum(1)
        expected = [
            f"{100 * result.confusion[r, c] / sizes[r]:.0f}\n{result.confusion[r, c]}" for r in range(7) for c in range(7)
        ]
        assert texts == expected


def test_confidence_shows_every_clip_once_and_the_densities() -> None:
    results = {name: density(probs, LABELS, EMOTIONS) for name, probs in PROBS.items()}
    sheet = ConfidenceSheet(results, "double").plot()
    for row, name in enumerate(PROBS):
        for c in range(7):
            panel = sheet.ax_[row, c]
            strips = [found for found in panel.collections if len(found.get_offsets()) in (6, 36) and len(found.get_paths()) == 1]
            drawn = [np.sort(np.asarray(strip.get_offsets())[:, 0]) for strip in strips]
            np.testing.assert_allclose(drawn[0], np.sort(PROBS[name][c == LABELS, c]))
            np.testing.assert_allclose(drawn[1], np.sort(PROBS[name][c != LABELS, c]))
            found = results[name].classes[c]
            x, y = panel.lines[0].get_data()
            np.testing.assert_allclose(y * found.positives.density.max(), found.positives.density, atol=1e-12)
            assert (x[0], x[-1]) == (0, 1)
            assert f"overlap {found.overlap:.2f}" in panel.get_title(loc="left")


def test_saved_bytes_are_the_same_again(tmp_path: Path) -> None:
    for suffix in FORMATS:
        first, again = (
            ConfidenceSheet({"a": density(PROBS["ifdd"], LABELS, EMOTIONS)}, "single").save(tmp_path / f"{i}.{suffix}")
            for i in "ab"
        )
        assert first.read_bytes() == again.read_bytes()


def test_the_clip_of_a_class_is_the_median_of_the_correct_ones() -> None:
    table = pd.DataFrame(
        {
            "clip_id": list("abcdefg"),
            "label": [0, 0, 0, 0, 0, 1, 1],
            "correct": [True] * 4 + [False, False, True],
            "confidence": [0.9, 0.5, 0.7, 0.6, 0.1, 0.8, 0.4],
        }
    )
    found = choose_clips(table, ("x", "y", "z"))
    assert found["x"]["clip_id"] == "d"  # of 0.5 0.6 0.7 0.9 the lower middle one
    assert found["y"]["clip_id"] == "g"
    assert found["z"] is None


def test_maps_say_what_they_show(made: DrawnFigures, study: Study) -> None:
    sheet = made.sheets["ifdd_fig2_maps"]
    chosen = choose_clips(study.clips, study.labels)
    assert [row.clip_id for row in sheet.rows] == [clip["clip_id"] for clip in chosen.values() if clip is not None]  # type: ignore[attr-defined]
    for row in sheet.rows:  # type: ignore[attr-defined]
        assert set(row.blocks) == {"input", "D", "S"}
        assert all(len(pictures) == 4 for pictures in row.blocks.values())
    missing = [name for name, clip in chosen.items() if clip is None]
    assert all(name in sheet.caption for name in missing)
    assert "for the class of the row; channel weights averaged over all positions" in sheet.caption
    assert sheet.normalisation == "maps scaled by the clip's maximum"


def test_maps_of_the_clips_that_are_named(study: Study) -> None:
    ids = [str(name) for name in study.clips["clip_id"].iloc[[3, 0]]]
    sheet = maps_sheet(study, "single", clips=ids)
    assert [row.clip_id for row in sheet.rows] == ids
    true = study.clips.set_index("clip_id")
    for row in sheet.rows:
        assert row.name == true.loc[row.clip_id, "label_name"]
        assert row.probability == pytest.approx(true.loc[row.clip_id, f"p_{row.name}"])
    assert f"the clips {', '.join(ids)}." in sheet.caption
    with pytest.raises(InputError, match="has no clip 'nobody'; its first is"):
        run(study, Request(clips=("nobody",)))
    with pytest.raises(InputError, match="name one clip or more, each once"):
        run(study, Request(clips=(ids[0], ids[0])))


def test_published_rows_follow_the_order_of_the_labels(made: DrawnFigures) -> None:
    turned = EMOTIONS[::-1]
    printed = usual_row("C3D", "dfew").recalls
    assert published_recalls(["C3D"], turned)["C3D"] == tuple(printed[label] / 100 for label in turned)
    with pytest.raises(InputError, match="leave --published out"):
        published_recalls(["C3D"], ("yes", "no", "maybe"))
    with pytest.raises(InputError, match="nothing printed of 'X' is known on dfew"):
        published_recalls(["X"], EMOTIONS)
    with pytest.raises(InputError, match="no recalls are printed of MAE-DFER on DFEW; there are C3D, "):
        published_recalls(["MAE-DFER"], EMOTIONS)
    radar = made.sheets["ifdd_fig4_radar"]
    assert "C3D (published) 42.7 %" in radar.caption  # UAR as the paper prints it
    assert "not of these clips: no comparison" in radar.caption


def test_the_report_shows_published_rows_beside_ours(study: Study) -> None:
    made = section(study, Options(published=("C3D", "ferv39k:MAE-DFER")))
    scores = made.parts[0]
    assert isinstance(scores, Table)
    assert [row[:3] for row in scores.rows[-2:]] == [
        ["C3D (published)", "53.5 % [52.6, 54.4]", "42.7 %"],
        ["MAE-DFER (published)", "52.1 % [51.0, 53.2]", "43.1 %"],
    ]
    assert "of another protocol and not of these clips" in scores.caption
    assert len(section(study, Options()).parts[0].rows) == len(scores.rows) - 2  # type: ignore[union-attr]


def test_the_corpus_of_the_papers_gets_their_rows(study: Study) -> None:
    class OfDfew(Study):
        @property
        def clips(self) -> pd.DataFrame:
            return super().clips.assign(corpus="DFEW")

    assert not radar_sheet(study).twin.published
    sheet = radar_sheet(OfDfew(study.bundles, study.collections, study.manifest, study.main))
    assert list(sheet.twin.published) == ["C3D", "Former-DFER", "M3DFEL"]
    assert "as these clips" in sheet.caption


def test_the_table_of_variants_prints_what_was_measured(tmp_path: Path) -> None:
    score = SeedScore(70, Interval(0.5, 0.4, 0.6), Interval(0.512, 0.448, 0.573), (0.5,))
    one = Figure((1.0,))
    family = FamilyResult(
        (FamilyRow("index", ("index-0",), "frozen", "", 123456, 2_500_000_000, one, one, one, {}, NO_PLACES),),
        RobustnessResult(
            {"index": ("index-0",)}, (SuiteResult("noisy-50", 70, "h", 0.6, {"index": score}, {}),), record("robustness", {}, {})
        ),
        "noisy-50",
        {},
    )
    sheet = VariantTable(family)
    header, rows = sheet.cells()
    assert header == ["variant", "seeds", "param.", "GMACs", "noisy-50"]
    assert rows == [[("index †", "frozen"), ("1", ""), ("123 k", ""), ("2.50", ""), ("51.2", "44.8–57.3")]]
    texts = {text.get_text() for text in sheet.plot().ax_.texts}
    assert {"index †", "51.2", "44.8–57.3"} <= texts
    assert "text" in sheet.save(tmp_path / "t.svg").read_text()


def test_a_failed_file_leaves_nothing(made: DrawnFigures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheets = dict(list(made.sheets.items())[-2:])

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(list(sheets.values())[-1]), "save", full)
    with pytest.raises(InputError, match="out: cannot be written: No space"):
        write(DrawnFigures(sheets, {}), tmp_path / "out", formats=["png"])
    assert not list(tmp_path.iterdir())


def test_one_clip_and_one_class(tiny: TinyDemo, runs: list[str], tmp_path: Path) -> None:
    table = read_manifest(tiny.demo / "datasets" / "demo")
    for name, part in (("clip", table.iloc[:1]), ("class", table[table["label_name"] == table["label_name"].iloc[0]])):
        folder = tmp_path / name
        shutil.copytree(tiny.demo / "datasets" / "demo", folder)
        write_manifest(part.reset_index(drop=True), folder)
        study = open_study(runs, folder, tmp_path / f"kept-{name}")
        found = run(study, Request())
        assert {"ifdd_fig2_tsne", "ous_fig4_stages"} <= set(found.left_out)
        assert "5" in found.left_out["ifdd_fig2_tsne"]
        write(found, tmp_path / f"out-{name}", formats=["svg"])
        assert "## Left out" in (tmp_path / f"out-{name}" / CAPTIONS).read_text()


def test_collections_that_do_not_fit(tiny: TinyDemo, runs: list[str], tmp_path: Path) -> None:
    clips, own = tiny.demo / "datasets" / "demo", tiny.demo / "collections" / "demo"
    study = open_study(runs, clips, tmp_path / "kept", own)  # given, so nothing is collected
    assert not (tmp_path / "kept").exists()
    left = run(study, Request()).left_out
    assert set(left) == {"ous_fig4_stages"}
    assert "workbench collect tiny-ifdd" in left["ous_fig4_stages"]
    assert "backbone.stage0" in left["ous_fig4_stages"]
    other = tmp_path / "other"
    shutil.copytree(clips, other)
    write_manifest(read_manifest(clips).iloc[:7], other)
    with pytest.raises(InputError, match="is of other clips than"):
        open_study(runs, other, tmp_path / "kept", own)
    with pytest.raises(InputError, match="given already; name each once"):
        open_study([runs[0], runs[0]], clips, tmp_path / "kept", own)
    with pytest.raises(InputError, match="no run given"):
        open_study([], clips, tmp_path / "kept", own)


def renamed(checkpoint: str, folder: Path, labels: list[str]) -> str:
    shutil.copytree(checkpoint, folder)
    card = json.loads((folder / "card.json").read_text()) | {"labels": labels, "name": folder.name}
    (folder / "card.json").write_text(json.dumps(card))
    return str(folder)


def test_classes_are_put_in_one_order_and_others_refused(tiny: TinyDemo, runs: list[str], tmp_path: Path) -> None:
    labels = json.loads((Path(runs[0]) / "card.json").read_text())["labels"]
    turned = renamed(runs[0], tmp_path / "turned", labels[::-1])
    study = open_study([*runs, turned], tiny.demo / "datasets" / "demo", tmp_path / "kept")
    assert [found.labels for found in study.collections.values()] == [tuple(labels)] * 3
    (probs, true), (other, same) = study.probs(Path(runs[0]).name), study.probs("turned")
    np.testing.assert_array_equal(true, same)
    np.testing.assert_allclose(other, probs[:, ::-1], atol=1e-6)  # the same logits, under names in the other order
    kept = open_collection(study.collections["turned"].folder)
    assert kept.labels == tuple(labels[::-1])
    assert measure(kept).war.value == study.metrics()["turned"].war.value
    with pytest.raises(InputError, match="show models of the same classes, in whatever order"):
        open_study(
            [runs[0], renamed(runs[0], tmp_path / "calm", ["calm", *labels[1:]])], tiny.demo / "datasets" / "demo", tmp_path / "k"
        )


def test_a_run_folder_holds_its_checkpoint(runs: list[str], tmp_path: Path) -> None:
    shutil.copytree(runs[1], tmp_path / "run" / "checkpoint")
    assert list(load_runs([str(tmp_path / "run")])) == ["tiny-ifdd"]


def test_a_baseline_alone_has_maps_and_no_variants(study: Study, tiny: TinyDemo) -> None:
    alone = Study(
        {"tiny-baseline": study.bundles["tiny-baseline"]},
        {"tiny-baseline": study.collections["tiny-baseline"]},
        study.manifest,
        "tiny-baseline",
    )
    found = run(alone, Request(column="single"))
    assert set(found.left_out) == {"ifdd_fig3_variants"}
    assert "none of the chosen models splits" in found.left_out["ifdd_fig3_variants"]
    sheet = found.sheets["ifdd_fig2_maps"]
    shown = sheet.rows  # type: ignore[attr-defined]
    assert shown
    assert all(set(row.blocks) == {"input", "X"} for row in shown)
    assert (NONE_CORRECT in sheet.caption) is not alone.clips["correct"].any()


def test_stages_kept_are_used_again(tiny: TinyDemo, runs: list[str], tmp_path: Path) -> None:
    bundle = load_checkpoint(runs[1])
    kept = collect(bundle, tiny.demo / "datasets" / "demo", tmp_path / "collections" / "tiny-ifdd", stages_of(bundle), "mean")
    found = open_study(runs[1:], tiny.demo / "datasets" / "demo", tmp_path)
    assert found.collections["tiny-ifdd"].folder == kept.folder


def test_the_command(
    tiny: TinyDemo, runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "figures",
        "--runs",
        *runs,
        "--data",
        tiny.demo / "datasets" / "demo",
        "--collections",
        tiny.demo / "collections" / "demo",
    ]
    words += ["--out", tmp_path / "out", "--formats", "png", "--column", "single", "--json"]
    monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    told, err = capsys.readouterr()
    found = json.loads(told)
    assert len(found["files"]) == 12  # without the stages, with the captions, and the numbers of all but the maps
    assert "ous_fig4_stages left out" in err
    passport = read_passport(tmp_path / "out" / "ous_fig5_confusion.png")
    assert passport.command.startswith("workbench figures --runs")
    assert [run.name for run in passport.runs] == ["tiny-baseline", "tiny-ifdd"]
    assert len(passport.data) == 1
    for bad, message in ((["--formats", "gif"], "format 'gif' is unknown"), (["--clip", "nobody"], "has no clip 'nobody'")):
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words[:-6]), str(tmp_path / "new"), *bad])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 1
        assert message in capsys.readouterr().err
        assert not (tmp_path / "new").exists()
