"""Maps, edits and explanations of models that read a face and its scene, each against what can be computed by hand."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from ifdd.checkpoints import Bundle, load_checkpoint
from ifdd.data.clips import as_clips, load_clip, scene_clip
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.data.row_clips import load_row_inputs
from ifdd.data.video import file_sha256
from ifdd.errors import InputError
from ifdd.inputs import batch_of, stack
from ifdd.scripted.suite import SuiteConfig, render_suite
from tests.tiny_ous import train_ous
from workbench.analysis.counterfactuals.task import Options as EditOptions
from workbench.analysis.counterfactuals.task import run as run_edits
from workbench.analysis.faithfulness import perturb_clips
from workbench.analysis.faithfulness.perturbation import RemovalRequest
from workbench.analysis.faithfulness.results import FaithfulnessReport
from workbench.analysis.faithfulness.task import FaithfulnessRequest
from workbench.analysis.faithfulness.task import run as run_tests
from workbench.analysis.faithfulness.task import write as write_tests
from workbench.analysis.saliency import frame_importance, section
from workbench.analysis.saliency.attribution import AttributionRequest, attribute
from workbench.analysis.saliency.displays.heat import overlay
from workbench.analysis.saliency.requests import Request, make_maps
from workbench.analysis.saliency.shown import from_manifest, on_the_face
from workbench.analysis.saliency.temporal import FrameRequest
from workbench.analysis.saliency.verdicts import read_verdicts, verdicts_on
from workbench.analysis.streams.task import Options as StreamOptions
from workbench.analysis.streams.task import run as run_streams
from workbench.app.clip_analyses import budgets
from workbench.cli import app
from workbench.explain.task import Options, run, write
from workbench.figures.ifdd2_maps import MapsSheet
from workbench.figures.study import study_of
from workbench.report.parts import Chart
from workbench.report.parts import Options as SectionOptions
from workbench.store.collecting import collect, load_row
from workbench.store.sources import SourceOptions, inputs_of


class Weighted(nn.Module):
    """Score of class 0: 2 · sum of the face + 3 · sum of the scene; class 1 has none."""

    def forward(self, clips: Mapping[str, Tensor]) -> Tensor:
        score = 2 * clips["face"].flatten(1).sum(1) + 3 * clips["scene"].flatten(1).sum(1)
        return torch.stack([score, torch.zeros_like(score)], 1)


@pytest.fixture
def clips() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {"face": torch.rand(2, 3, 4, 6, 6), "scene": torch.rand(2, 3, 4, 8, 8)}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_checkpoint(train_ous(tmp_path_factory.mktemp("ous"), size=32))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    suite = SuiteConfig("ous", 3, 7, 7, "test", "easy", rho=0.5)
    return render_suite(suite, tmp_path_factory.mktemp("suite") / "clips", frames=8, fps=8.0, size=48, workers=1, progress=False)


@pytest.mark.parametrize(("of", "weight"), [("face", 2), ("scene", 3)])
@pytest.mark.parametrize("method", ["saliency", "integrated-gradients", "occlusion"])
def test_pixels_of_one_input_by_hand(clips: dict[str, Tensor], of: str, weight: int, method: Any) -> None:
    request = AttributionRequest(steps=4, window=(1, 1, 1), stride=(1, 1, 1))
    found = attribute(Weighted(), clips, method, target=0, normalise="none", request=request, of=of)
    adds = weight * clips[of].sum(1).numpy()  # a pixel, to the score
    expected = np.full_like(adds, weight) if method == "saliency" else adds
    np.testing.assert_allclose(found.raw, expected, rtol=1e-4, atol=1e-3)  # differences of sums of 300 numbers
    assert (found.activation, found.input) == (f"input.{of}", of)
    if method == "integrated-gradients":
        np.testing.assert_allclose(found.residue, 0, atol=1e-3)  # the rest of the score is the other input's


@pytest.mark.parametrize("at", ["face", "scene"])
def test_the_packages_maps_are_ours_where_the_formula_is(bundle: Bundle, manifest: Path, at: str) -> None:
    shown = stack([clip.tensor for clip in from_manifest(bundle, manifest, 3)[1]])
    target = [0, 1, 2]
    for method in ("gradcam", "layercam"):
        ours = make_maps(bundle, shown, Request(method, (f"{at}.map",), normalise="none"), target)[at]
        theirs = make_maps(bundle, shown, Request(f"package:{method}", (f"{at}.map",), normalise="none"), target)[at]
        assert theirs.input == at
        np.testing.assert_allclose(theirs.raw, ours.raw, atol=1e-6 + 1e-4 * np.abs(ours.raw).max())
    assert np.abs(ours.raw).max() > 0


@pytest.mark.parametrize("method", ["hirescam", "package:hirescam"])
def test_a_map_that_a_norm_makes_nothing_is_zero_and_says_so(bundle: Bundle, manifest: Path, method: str) -> None:
    shown = stack([clip.tensor for clip in from_manifest(bundle, manifest, 3)[1]])
    assert bundle.model.normed_branches
    for at, found in make_maps(bundle, shown, Request(method)).items():
        assert not found.raw.any()
        assert any(f"a norm follows {at}.map" in note for note in found.notes)


def test_who_makes_them_nothing_opens_with_another(bundle: Bundle) -> None:
    assert Options(method="tested").request(bundle).method == "gradcam"


def test_an_input_has_to_be_named(clips: dict[str, Tensor]) -> None:
    for of in (None, "body"):
        with pytest.raises(InputError, match="These clips have face and scene; name one with of"):
            attribute(Weighted(), clips, target=0, of=of)


def test_a_frame_is_taken_from_both(clips: dict[str, Tensor]) -> None:
    found = frame_importance(Weighted(), clips, target=0, request=FrameRequest(fill="black"))
    by_frame = [clips[name].transpose(1, 2).flatten(2).sum(2).numpy() for name in ("face", "scene")]
    np.testing.assert_allclose(found.drop, 2 * by_frame[0] + 3 * by_frame[1], rtol=1e-4)


def test_one_input_is_that_of_another_clip(bundle: Bundle, manifest: Path) -> None:
    found = run_edits(bundle, manifest, EditOptions(clips=7, shuffles=0, edits=["swap-face", "swap-scene"], donors=2))
    assert "intervals do not hold another draw" in found.counterfactuals.notes[-1]
    table = read_manifest(manifest).set_index("clip_id", drop=False)
    table.attrs = read_manifest(manifest).attrs
    for edit, kept, taken in zip(found.counterfactuals.edits, ("scene", "face"), ("face", "scene"), strict=True):
        before = found.counterfactuals.before
        for row, (clip, donors) in enumerate(zip(found.counterfactuals.clip_ids, found.donors, strict=True)):
            assert len({clip, *donors}) == 3
            own, *theirs = (load_row(table, table.loc[name].to_dict(), bundle) for name in (clip, *donors))
            mixed = [bundle.predict({kept: own[kept][None], taken: other[taken][None]})[0] for other in theirs]
            np.testing.assert_allclose(edit.after[row], np.mean(mixed, 0), atol=1e-5)
            np.testing.assert_allclose(edit.change[row], np.mean(np.abs(mixed - before[row]).sum(1) / 2), atol=1e-5)
            assert edit.flips[row] == np.mean(np.argmax(mixed, 1) != before[row].argmax())
        assert edit.mean.change.value == pytest.approx(edit.change.mean())


def test_the_report_shows_where_each_model_looks_on_either_input(
    bundle: Bundle, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = load_checkpoint(train_ous(tmp_path, "late", size=32, fusion="late"))
    late = replace(late, card=late.card.model_copy(update={"labels": late.labels[::-1]}))  # the same words in another order
    bundles = {bundle.name: bundle, "late": late}
    said = {name: collect(one, manifest, tmp_path / name, ("head.logits",), progress=False) for name, one in bundles.items()}
    study = study_of(bundles, said, manifest)
    shown = section.section(study, SectionOptions())
    table = read_manifest(manifest)
    for part, one in zip(shown.parts, bundles.values(), strict=True):
        sheet = cast(MapsSheet, cast(Chart, part).display)
        assert sheet.about.model == one.name
        assert list(sheet.blocks.values()) == ["face", "face map", "scene", "scene map"]
        for row in sheet.rows:
            read = load_row_inputs(table, table.set_index("clip_id", drop=False).loc[row.clip_id].to_dict(), one.inputs)
            tensors = batch_of(as_clips(read), "cpu")
            assert row.probability == pytest.approx(float(one.predict(tensors)[0][one.labels.index(row.name)]), abs=1e-5)
            maps = make_maps(one, tensors, Request(), [one.labels.index(row.name)])
            for name, clip in read.items():
                even = [int((k + 0.5) * len(clip.pixels) / 3) for k in range(3)]
                for k, t in enumerate(even):
                    np.testing.assert_array_equal(row.blocks[f"input {name}"][k].image, clip.pixels[t])
                    np.testing.assert_array_equal(row.blocks[name][k].image, overlay(clip.pixels, maps[name])[t])
    monkeypatch.setattr(section, "MOST", 1)
    few = section.section(study, SectionOptions())
    assert len(few.parts) == 1
    assert "Of the first 1 models; late: workbench saliency" in few.about


def test_a_map_of_the_scene_alone_has_no_regions_of_a_face(manifest: Path, tmp_path: Path) -> None:
    alone = load_checkpoint(train_ous(tmp_path, "alone", size=32, streams=["scene"]))
    row = read_manifest(manifest).iloc[:1]
    found = run(alone, manifest.parent / row["scene_path"].iloc[0], Options(crop="none", fps=8.0))
    (result,) = found.saliency.values()
    assert found.on_scene(result)
    assert not on_the_face(alone, result)
    assert budgets(alone, found, row) == {}


def test_explained_as_it_was_collected(bundle: Bundle, manifest: Path, tmp_path: Path) -> None:
    table = read_manifest(manifest)
    row = table.iloc[0]
    video, scene = manifest.parent / row["path"], manifest.parent / row["scene_path"]
    options = Options(crop="none", fps=8.0, scene=scene)
    found = run(bundle, video, options)
    clip = load_row(table, row.to_dict(), bundle)
    torch.testing.assert_close(torch.tensor(found.probabilities), bundle.predict(stack([clip]))[0])
    assert list(found.clips) == ["face", "scene"]
    assert {branch: result.input for branch, result in found.saliency.items()} == {"face": "face", "scene": "scene"}
    assert [found.on_scene(result) for result in found.saliency.values()] == [False, True]
    names = {path.name for path in write(found, tmp_path / "out", film_format="gif")}
    assert names == {"explain.json", "film_strip.png", "film_strip.svg", "overlay.gif"}
    told = json.loads((tmp_path / "out/explain.json").read_text())
    assert told["preprocessing"]["scene"]["stream"] == "scene"
    assert told["scene"] == {"path": str(scene), "sha256": file_sha256(scene)}
    other = run(bundle, video, replace(options, scene=manifest.parent / table.iloc[5]["scene_path"]))
    assert not np.array_equal(other.clips["scene"].pixels, found.clips["scene"].pixels)
    np.testing.assert_array_equal(other.clip.pixels, found.clip.pixels)


def test_windows_have_their_own_scenes(bundle: Bundle, manifest: Path) -> None:
    row = read_manifest(manifest).iloc[0]
    options = Options(crop="none", fps=8.0, scene=manifest.parent / row["scene_path"], window=0.5)
    found = run(bundle, manifest.parent / row["path"], options)
    assert found.timeline is not None
    assert found.timeline.probabilities.shape == (2, 7)
    np.testing.assert_array_equal(found.clips["scene"].video_index, found.clip.video_index)


def test_maps_of_pixels_by_input(bundle: Bundle) -> None:
    torch.manual_seed(0)
    clip = {name: torch.rand(1, *shape) for name, shape in bundle.model.inputs.items()}
    found = make_maps(bundle, clip, Request("saliency"))
    assert {key: (result.input, result.frames.shape) for key, result in found.items()} == {
        name: (name, (1, 4, 32, 32)) for name in ("face", "scene")
    }


def test_the_command_leaves_the_scene_out_of_the_regions(bundle: Bundle, manifest: Path, tmp_path: Path) -> None:
    line = ["saliency", "--data", str(manifest), "--checkpoint", str(bundle.path), "--clips", "2", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 0, result.output
    assert list(json.loads((tmp_path / "out/regions.json").read_text())) == ["face"]
    folder = next(path for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert not list(folder.glob("difference*"))  # of a face and a scene there is none
    assert {path.name for path in (folder / "maps").iterdir()} == {"face.map.npy", "scene.map.npy"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(crop="none", fps=8.0), "no scene is named, and the clip is read whole as the face"),
        (Options(crop="none", fps=8.0, scene=Path("scene"), end=0.5), "a scene of its own is as long as its clip"),
        (Options(crop="none", fps=8.0, scene=Path("gone")), "gone"),
        (
            Options(crop="none", scene=Path("dim"), scene_face="blurred"),
            "dim: faces are blurred in its scene, scene reads them kept",
        ),
        (Options(crop="none", scene_face="blurred"), "--scene-face blurred: it tells of --scene, and none is given"),
    ],
)
def test_scenes_that_cannot_be_read(bundle: Bundle, manifest: Path, options: Options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(bundle, manifest.parent / read_manifest(manifest).iloc[0]["path"], options)


def test_a_listed_scene_that_hides_faces_is_refused_as_a_given_one(bundle: Bundle, manifest: Path) -> None:
    table = read_manifest(manifest)
    row = table.iloc[0].to_dict() | {"scene_face": "blurred"}
    with pytest.raises(InputError, match="faces are blurred in its scene, scene reads them kept"):
        load_row(table, row, bundle)


@pytest.mark.parametrize(("side", "told"), [(10, False), (46, True)])
def test_a_face_that_is_its_own_scene_is_told(bundle: Bundle, manifest: Path, side: int, told: bool) -> None:
    video, inputs = manifest.parent / read_manifest(manifest).iloc[0]["path"], bundle.inputs
    clip = load_clip(video, replace(inputs["face"], crop="none"), fps=8.0)
    face = replace(clip, boxes=np.tile([1, 1, 1 + side, 1 + side], (len(clip.boxes), 1)))
    warned = " ".join(scene_clip(clip.source, inputs["scene"], face, 8.0).warnings)
    assert ("so that it is read twice; give what is around it as a scene of its own (--scene)" in warned) == told


def test_who_reads_no_scene_says_so(tiny_bundle_dir: Path, manifest: Path) -> None:
    with pytest.raises(InputError, match="reads no scene; leave it out"):
        run(
            load_checkpoint(tiny_bundle_dir),
            manifest.parent / read_manifest(manifest).iloc[0]["path"],
            Options(scene=Path("scene")),
        )


@pytest.mark.parametrize(("of", "weight"), [("face", 2), ("scene", 3)])
def test_pixels_are_shown_of_one_input_while_the_other_stays(clips: dict[str, Tensor], of: str, weight: int) -> None:
    how = RemovalRequest(kind="logit", steps=4, fill="black", cell=(1, 1, 1))
    found = perturb_clips(Weighted(), clips, {"brightness": clips[of].sum(1)}, 0, how, of=of)
    other, brightest = next(name for name in clips if name != of), clips[of].sum(1).flatten(1).sort(descending=True).values
    rest = (5 - weight) * clips[other].flatten(1).sum(1)
    quarters = torch.stack([rest + weight * part for part in brightest.unflatten(1, (4, -1)).sum(2).cumsum(1).unbind(1)], 1)
    curve = torch.cat([rest[:, None], quarters], 1).mean(0)
    np.testing.assert_allclose(found.score("brightness").insertion_curve, curve, rtol=1e-5)
    assert found.unit == f"pixels of {of}"
    assert found.score("brightness").gap.value > found.score("centre").gap.value
    with pytest.raises(InputError, match="pixels of which input"):
        perturb_clips(Weighted(), clips, {"brightness": clips[of].sum(1)}, 0, how)


def test_a_frame_is_shown_in_both_inputs(clips: dict[str, Tensor]) -> None:
    by_frame = sum(w * clips[name].transpose(1, 2).flatten(2).sum(2) for w, name in ((2, "face"), (3, "scene")))
    assert isinstance(by_frame, Tensor)
    how = RemovalRequest(kind="logit", steps=4, fill="black", unit="frames")
    found = perturb_clips(Weighted(), clips, {"told": by_frame}, 0, how)
    best = by_frame.sort(descending=True).values.cumsum(1).mean(0)
    np.testing.assert_allclose(found.score("told").insertion_curve, [0, *best], rtol=1e-5, atol=1e-3)


def test_maps_are_tested_each_on_its_own_input(bundle: Bundle, manifest: Path, tmp_path: Path) -> None:
    asked = FaithfulnessRequest(("gradcam", "saliency"), clips=7, steps=2, independent=False)
    found = run_tests(bundle, manifest, asked)
    names = ["gradcam face.map", "gradcam scene.map", "saliency face", "saliency scene"]
    assert list(found.randomisation) == names
    assert list(found.removed) == ["pixels of face", "pixels of scene", "frames"]
    assert list(found.channels) == ["face", "scene"]
    own = [[row.name for row in curves.scores if not row.control] for curves in found.removed.values()]
    assert own == [names[::2], names[1::2], names]
    places = [("gradcam", "face.map"), ("gradcam", "scene.map"), ("saliency", "input.face"), ("saliency", "input.scene")]
    assert [(verdict.method, verdict.activation) for verdict in found.verdicts] == places
    assert found.by_input["scene"].score("saliency scene").gap != found.by_input["face"].score("saliency face").gap
    write_tests(found, tmp_path / "out")
    assert FaithfulnessReport.from_dict(json.loads((tmp_path / "out/faithfulness.json").read_text()), "file") == found
    assert "## Deletion and insertion of pixels of scene" in (tmp_path / "out/faithfulness.md").read_text()
    maps = make_maps(bundle, stack([shown.tensor for shown in from_manifest(bundle, manifest, 7)[1]]), Request("saliency"))
    assert set(verdicts_on(read_verdicts(tmp_path / "out", bundle), maps)) == {"face", "scene"}


def test_faces_hidden_in_a_scene_already_are_not_looked_for(bundle: Bundle) -> None:
    values = bundle.card.preprocessing | {"scene": bundle.card.preprocessing["scene"] | {"face": "blurred"}}
    blurring = replace(bundle, card=bundle.card.model_copy(update={"preprocessing": values}))
    for hidden, expected in (("blurred", "kept"), ("kept", "blurred")):
        options = SourceOptions(scene=Path("scene"), scene_face=hidden)
        assert inputs_of(blurring, options)["scene"].face == expected


def test_a_list_without_scenes_is_told_as_a_whole(bundle: Bundle, manifest: Path) -> None:
    bare = manifest.parent / "bare.parquet"
    write_manifest(read_manifest(manifest).drop(columns=["scene_path", "scene_face"]), bare)
    for ask in (
        lambda: from_manifest(bundle, bare, 2),
        lambda: run_edits(bundle, bare, EditOptions(clips=2)),
        lambda: run_streams([bundle], bare, StreamOptions(clips=2)),
    ):
        with pytest.raises(InputError, match="none of its 7 clips has a scene"):
            ask()
