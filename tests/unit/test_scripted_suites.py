"""Named suites: what they promise about their scripts, renders that go on after an interruption, the command."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ifdd import cli
from ifdd.data.manifest import read_manifest
from ifdd.data.scripted import (
    REGIONS,
    SUITES,
    RenderedClip,
    Script,
    SuiteConfig,
    models,
    read_mask,
    read_regions,
    render_suite,
    sample_script,
    suite,
    suite_hash,
    suite_scripts,
    suites,
)
from ifdd.data.scripted.clips import default_model
from ifdd.data.scripted.extras import POLARITY, SCENE_OF, scene_of
from ifdd.data.scripted.position import position_auroc
from ifdd.data.scripted.script import Curve
from ifdd.data.scripted.suites import factors
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

NEW = [name for name in SUITES if name != "standard"]
PEOPLE = {"seed": 1, "clips": 420, "identities": 105}


@cache
def scripts(name: str, split: str = "test", **changes: int) -> list[Script]:
    return suite_scripts(SuiteConfig("x", split=split, difficulty=name, **{**PEOPLE, **changes}))


def polarity(clips: list[Script]) -> tuple[list[int], list[int]]:
    """Of emotions and of scenes."""
    number = {scene: value for value, scene in SCENE_OF.items()}
    return [POLARITY[s.emotion] for s in clips], [number[s.scene] for s in clips]


def test_names_of_the_suites() -> None:
    noisy = ["noisy-00", "noisy-25", "noisy-50", "noisy-75"]
    assert list(SUITES) == ["standard", *noisy, "subtle", "occluded", "head-motion", "scene-shift"]
    assert all(s.version for s in SUITES.values())
    ninth = scripts("standard", clips=14)[9]
    assert ninth == sample_script(ninth.seed, EMOTIONS[2], ninth.identity, "standard")


@pytest.mark.parametrize("name", SUITES)
def test_splits_share_nobody(name: str) -> None:
    people = [{s.identity for s in scripts(name, split, clips=70)} for split in ("train", "val", "test")]
    assert all(people)
    assert len(set.union(*people)) == sum(map(len, people))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", NEW)
def test_position_alone_does_not_tell_when(name: str, split: str) -> None:
    assert max(position_auroc(scripts(name, split))) <= 0.6


def test_position_auroc_by_hand() -> None:
    base = sample_script(0, "happy", 0)
    late = replace(base, curve=Curve(1.0, 1.0, 9.0, 9.0))  # the second half of its frames
    assert position_auroc([late], 8) == pytest.approx((1.0, 0.5))
    early = replace(base, curve=Curve(-9.0, -9.0, 1.0, 1.0))
    assert position_auroc([early], 8) == pytest.approx((1.0, 0.5))
    assert position_auroc([late, early], 8) == pytest.approx((0.5, 0.5))
    middle = replace(base, curve=Curve(0.5, 0.5, 1.5, 1.5))
    assert position_auroc([middle, sample_script(0, "neutral", 0)], 8) == pytest.approx((0.5, 1.0))
    with pytest.raises(InputError, match="no clip shows an emotion"):
        position_auroc([sample_script(0, "neutral", 0)])


def test_noisy_suites_differ_in_noise_alone() -> None:
    shares = (0.0, 0.25, 0.5, 0.75)
    noisy = [scripts(f"noisy-{round(100 * share):02d}", clips=140) for share in shares]
    for share, clips in zip(shares, noisy, strict=True):
        assert [replace(s, irrelevant=()) for s in clips] == noisy[0]
        assert {factors(s)["irrelevant_share"] for s in clips} == {share}
    assert any(s.emotion for script in noisy[3] for s in script.irrelevant)


def test_what_else_the_suites_promise() -> None:
    easy = scripts("standard", clips=140)
    assert max(factors(s)["peak"] for s in scripts("subtle", clips=140)) <= 0.4
    assert min(factors(s)["occluded_share"] for s in scripts("occluded", clips=140)) > 0
    assert {factors(s)["occluded_share"] for s in easy} == {0.0}
    moved = [np.mean([factors(s)["motion_deg"] for s in clips]) for clips in (easy, scripts("head-motion", clips=140))]
    assert moved[1] == pytest.approx(2 * moved[0], rel=1e-6)


@pytest.mark.parametrize(("split", "rho"), [("train", 0.9), ("val", 0.9), ("test", -0.9)])
def test_scene_shift(split: str, rho: float) -> None:
    emotions, scenes = polarity(scripts("scene-shift", split))
    assert np.corrcoef(emotions, scenes)[0, 1] == pytest.approx(rho, abs=0.06)
    assert {factors(s)["scene"] for s in scripts("scene-shift", split, clips=70)} == set(SCENE_OF.values())
    assert {factors(s)["scene"] for s in scripts("noisy-50", split, clips=14)} == {"none"}


@pytest.mark.parametrize("rho", [-1.0, -0.4, 0.0, 0.5, 1.0])
def test_rho_is_the_correlation(rho: float) -> None:
    rng = np.random.default_rng(0)
    number = {scene: value for value, scene in SCENE_OF.items()}
    emotions = [EMOTIONS[i % 7] for i in range(7000)]
    scenes = [number[scene_of(rng, e, rho)] for e in emotions]
    assert np.corrcoef([POLARITY[e] for e in emotions], scenes)[0, 1] == pytest.approx(rho, abs=0.04)


@pytest.mark.parametrize("rho", [-1.1, 2.0, float("nan")])
def test_impossible_correlation(rho: float) -> None:
    with pytest.raises(InputError, match=f"rho {rho} is outside"):
        scene_of(np.random.default_rng(0), "happy", rho)


def test_hash_is_of_what_the_suite_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = SuiteConfig("x", 1, 14, 4, "test", "subtle")
    first = suite_hash(cfg)
    assert suite_hash(replace(cfg, name="another file name")) == first
    for other in ({"seed": 2}, {"clips": 15}, {"split": "val"}, {"difficulty": "occluded"}, {"duration": 1.0}, {"identities": 5}):
        assert suite_hash(replace(cfg, **other)) != first  # type: ignore[arg-type]
    monkeypatch.setattr(suites, "GENERATOR_VERSION", 99)
    assert suite_hash(cfg) != first


def test_config_names_what_cards_and_demo_folders_name() -> None:
    """A card's or a demo folder's config equals one made today only while no field is added."""
    shipped = Path(__file__).resolve().parents[2] / "checkpoints" / "scripted-tiny-ifdd" / "card.json"
    about = json.loads(shipped.read_text(encoding="utf-8"))["data"]["test"]
    assert {"source": "scripted", **asdict(SuiteConfig("scripted", 1, 560, 140, "test", "easy"))} == about


TINY = SuiteConfig("tiny", 5, 5, 3, "test", "noisy-50")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds of the clips that were written."""
    seeds: list[int] = []
    real: Callable[..., None] = suite._render_job

    def counted(job: suite._Job) -> None:
        seeds.append(job.script.seed)
        real(job)

    monkeypatch.setattr(suite, "_render_job", counted)
    return seeds


def render(out: Path, cfg: SuiteConfig = TINY, **changes: object) -> Path:
    return render_suite(cfg, out, **{"frames": 3, "size": 24, "workers": 1, "progress": False, **changes})  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.suffix != ".npz"}


def test_interrupted_render_goes_on(tmp_path: Path, drawn: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    render(tmp_path / "whole")
    order = list(drawn)
    drawn.clear()
    real, calls = suite.write_clip, iter(range(9))

    def fails_third(clip: RenderedClip, folder: Path, name: str) -> None:
        if next(calls) == 2:
            real(clip, folder, name)
            (folder / "truth" / f"{name}.npz").unlink()  # what a kill between frames and truth leaves
            (folder / "clips" / f".{name}.01234567.ifdd-part").mkdir()  # and one in the middle of a clip
            (folder / ".clips.parquet.01234567.ifdd-part").touch()
            raise KeyboardInterrupt
        real(clip, folder, name)

    out = tmp_path / "out"
    monkeypatch.setattr(suite, "write_clip", fails_third)
    with pytest.raises(KeyboardInterrupt):
        render(out)
    assert not out.exists()
    assert not list(tmp_path.glob(".out*/clips.parquet"))
    monkeypatch.setattr(suite, "write_clip", real)
    drawn.clear()
    table = read_manifest(render(out))
    assert drawn == order[2:]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "whole"]
    assert contents(out) == contents(tmp_path / "whole")
    assert all((out / p).is_dir() for p in table.path)
    for file in table.truth:
        with np.load(out / file) as mine, np.load(tmp_path / "whole" / file) as other:
            assert set(mine) == set(other)
            for key in mine:
                np.testing.assert_array_equal(mine[key], other[key])


@pytest.mark.parametrize("changes", [{"size": 25}, {"fps": 15.0}, {"full": True}, {"cfg": replace(TINY, seed=6)}])
def test_clips_of_another_render_are_not_taken(
    changes: dict[str, object], tmp_path: Path, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(suite, "write_manifest", stop)
        with pytest.raises(KeyboardInterrupt):
            render(tmp_path / "out")
    drawn.clear()
    render(tmp_path / "out", **changes)  # type: ignore[arg-type]
    assert len(drawn) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["out"]  # the unfinished work is of no use any more


def test_what_was_made_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, real = tmp_path / "out", suite.write_manifest

    def meanwhile(table: pd.DataFrame, folder: Path) -> None:
        real(table, folder)
        out.mkdir()

    monkeypatch.setattr(suite, "write_manifest", meanwhile)
    with pytest.raises(InputError, match="out exists; choose another folder or remove it"):
        render(out)
    assert not list(out.iterdir())
    out.rmdir()
    monkeypatch.setattr(suite, "write_manifest", real)
    monkeypatch.setattr(suite, "_render_job", lambda _: pytest.fail("drawn again"))
    assert len(read_manifest(render(out))) == 5


def test_truth_on_disk(tmp_path: Path) -> None:
    table = read_manifest(render(tmp_path / "full", full=True))
    render(tmp_path / "plain")
    assert set(table.suite) == {"noisy-50"}
    assert {"scene", "occluded_share", "irrelevant_share"} <= set(table.columns)
    file = Path("truth") / f"{table.clip_id[0]}.npz"
    with np.load(tmp_path / "full" / file, allow_pickle=False) as truth:
        assert truth["regions"].shape == (3, 24, 24)
        assert truth["nuisance"].shape == truth["nuisance_energy"].shape == (3, len(truth["nuisance_names"]))
        assert truth["emotion_motion"].shape == (3,)
        assert str(truth["scene"]) == ""
    assert read_mask(tmp_path / "full" / file, "nuisance_mask").shape == (3, 24, 24)
    assert read_regions(tmp_path / "full" / file).max() < len(REGIONS)
    with pytest.raises(InputError, match="holds no regions; render"):
        read_regions(tmp_path / "plain" / file)
    with pytest.raises(InputError, match="holds no nuisance_mask; render the suite with its full truth"):
        read_mask(tmp_path / "plain" / file, "nuisance_mask")
    about = json.loads((tmp_path / "full" / "suite.json").read_text(encoding="utf-8"))
    assert about["suite_hash"] == suite_hash(replace(TINY, duration=3 / 16))
    assert (about["suite"], about["suite_version"], about["face"]) == ("noisy-50", SUITES["noisy-50"].version, "built-in")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["data", "render", "--clips", "2", "--frames", "2", "--size", "32", *arguments])
    return result.exit_code, str(result.exception or result.output)


def test_command_renders_a_named_suite(tmp_path: Path) -> None:
    assert run("--suite-name", "scene-shift", "--split", "val", "--out", str(tmp_path / "a"))[0] == 0
    table = read_manifest(tmp_path / "a")
    assert (set(table.suite), set(table.split), table.clip_id[0]) == ({"scene-shift"}, {"val"}, "scene-shift-val-00000")
    assert read_mask(tmp_path / "a" / table.truth[0], "nuisance_mask").shape == (2, 32, 32)
    assert run("--suite", "train", "--difficulty", "hard", "--out", str(tmp_path / "b"))[0] == 0
    table = read_manifest(tmp_path / "b")
    assert (set(table.suite), set(table.split), table.clip_id[0]) == ({"hard"}, {"train"}, "scripted-train-00000")
    with np.load(tmp_path / "b" / table.truth[0]) as truth:
        assert "regions" not in truth


def test_command_names_what_is_wrong(tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "a"))
    assert "--suite-name nosy: is not one of standard, noisy-00" in run("--suite-name", "nosy", *out)[1]
    assert "give one of the two" in run("--suite-name", "subtle", "--difficulty", "easy", *out)[1]
    assert "no-face.npz" in run("--face", str(tmp_path / "no-face.npz"), *out)[1]
    assert list(tmp_path.iterdir()) == []


def test_face_model_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "head.npz"
    file.write_bytes(b"a head")
    asked = []
    monkeypatch.setattr(models, "face_model", lambda spec: asked.append(spec) or default_model())
    render(tmp_path / "out", face=str(file))
    assert set(asked) == {str(file)}
    about = json.loads((tmp_path / "out" / "suite.json").read_text(encoding="utf-8"))
    assert about["face"] == "head.npz"
    assert len(about["face_sha256"]) == 64
