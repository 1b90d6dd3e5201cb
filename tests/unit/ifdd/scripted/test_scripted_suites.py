"""Named suites: what they promise about their scripts, renders that go on after an interruption, the command."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from ifdd import cli
from ifdd.data.manifest import read_manifest
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted import (
    REGIONS,
    SUITES,
    UNITS,
    RenderedClip,
    Script,
    SuiteConfig,
    class_note,
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
from ifdd.scripted.position import position_auroc
from ifdd.scripted.render.clips import default_model
from ifdd.scripted.script.elements import Curve
from ifdd.scripted.script.extras import POLARITY, SCENE_OF, scene_of
from ifdd.scripted.suites import factors
from workbench.analysis.comparison.seeds import over_seeds

NEW = [name for name in SUITES if name not in ("standard", "hard") and not name.endswith("-v2")]
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
    first = ["standard", *noisy, "subtle", "occluded", "head-motion", "scene-shift", "hard"]
    assert list(SUITES) == [*first, *(f"{name}-v2" for name in first)]
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
    found = position_auroc(scripts(name, split))
    assert found.frame == pytest.approx(0.5, abs=0.1)
    assert found.centre == pytest.approx(0.5, abs=0.1)


def test_position_auroc_by_hand() -> None:
    base = sample_script(0, "happy", 0)
    late = replace(base, curve=Curve(1.0, 1.0, 9.0, 9.0))  # the second half of its frames
    assert position_auroc([late], 8)[:2] == pytest.approx((1.0, 0.5))
    early = replace(base, curve=Curve(-9.0, -9.0, 1.0, 1.0))
    assert position_auroc([early], 8)[:2] == pytest.approx((0.0, 0.5))  # signed: it lies early
    assert position_auroc([late, early], 8)[:2] == pytest.approx((0.5, 0.5))
    middle = replace(base, curve=Curve(0.5, 0.5, 1.5, 1.5))
    assert position_auroc([middle, sample_script(0, "neutral", 0)], 8)[:2] == pytest.approx((0.5, 1.0))
    with pytest.raises(InputError, match="no clip shows an emotion"):
        position_auroc([sample_script(0, "neutral", 0)])


def test_position_has_a_null_of_its_own() -> None:
    base = sample_script(0, "happy", 0)
    anywhere = [replace(base, curve=Curve(t, t, t + 0.5, t + 0.5)) for t in np.linspace(-0.45, 1.95, 60)]  # as often anywhere
    middle = [replace(base, curve=Curve(0.75, 0.75, 1.25, 1.25))] * 60
    for clips, outside in ((anywhere, False), (middle, True)):
        found = position_auroc(clips)
        low, high = found.centre_null
        assert low < 0.5 < high
        assert high - low < 0.2
        assert (found.centre > high) == outside
        assert found.frame_null[0] <= found.frame <= found.frame_null[1]


@pytest.mark.parametrize("version", ["", suites.SECOND])
def test_noisy_suites_differ_in_noise_alone(version: str) -> None:
    shares = (0.0, 0.25, 0.5, 0.75)
    noisy = [scripts(f"noisy-{round(100 * share):02d}{version}", clips=140) for share in shares]
    for share, clips in zip(shares, noisy, strict=True):
        assert [replace(s, irrelevant=()) for s in clips] == noisy[0]
        assert {factors(s)["irrelevant_share"] for s in clips} == {share}
    assert any(s.emotion for script in noisy[3] for s in script.irrelevant) == (not version)


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
    """A card's or a demo folder's config equals one made today only while no field is added that is always written."""
    shipped = Path(__file__).resolve().parents[4] / "checkpoints" / "scripted-tiny-ifdd" / "card.json"
    about = json.loads(shipped.read_text(encoding="utf-8"))["data"]["test"]
    assert {"source": "scripted", **SuiteConfig("scripted", 1, 560, 140, "test", "easy").to_dict()} == about


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


def distractors(clips: list[Script]) -> np.ndarray:
    """What the irrelevant stretches of each clip are called, which units move, when they begin and end: (n, features)."""
    names = [e for e in EMOTIONS if e != "neutral"]
    rows = []
    for script in clips:
        units = np.array([max((dict(s.units).get(u, 0.0) for s in script.irrelevant), default=0.0) for u in UNITS])
        called = [sum(s.emotion == name for s in script.irrelevant) for name in names]
        edges = [t for s in script.irrelevant for t in (s.curve.start, s.curve.end)]
        when = np.histogram(edges, bins=8, range=(0, script.duration))[0]
        rows.append(np.concatenate([called, units, when, [len(script.irrelevant)]]))
    return np.array(rows)


def told_by_distractors(clips: list[Script]) -> tuple[float, float, float]:
    """UAR of a classifier of the emotion from the distractors alone, on people held out, and its 95 % interval over people."""
    x, y = distractors(clips), np.array([EMOTIONS.index(s.emotion) for s in clips])
    people = np.array([s.identity for s in clips])
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    guess = cross_val_predict(model, x, y, groups=people, cv=GroupKFold(5))
    found = over_seeds([guess], y, groups=people).uar
    return found.value, found.low, found.high


@pytest.mark.parametrize(
    "name", [f"{n}{v}" for n in ("standard", "noisy-50", "scene-shift", "hard") for v in ("", suites.SECOND)]
)
def test_distractors_alone_do_not_tell_the_class(name: str) -> None:
    """In the second versions; the first ones are the positive control: their names alone tell a little."""
    value, low, high = told_by_distractors(scripts(name, clips=2100, identities=300))
    if name.endswith(suites.SECOND):
        assert low <= 1 / 7 <= high
        assert not class_note(name)
    else:
        assert low > 1 / 7
        assert value > 0.18
        assert f"{name}{suites.SECOND} shows the same clips" in class_note(name)


@pytest.mark.parametrize("name", [name for name in SUITES if not name.endswith(suites.SECOND)])
def test_second_versions_differ_in_distractors_alone(name: str) -> None:
    first, second = (scripts(n, clips=140) for n in (name, name + suites.SECOND))
    assert [replace(s, irrelevant=()) for s in first] == [replace(s, irrelevant=()) for s in second]
    assert not any(stretch.emotion for script in second for stretch in script.irrelevant)
    shares = [np.mean([factors(s)["irrelevant_share"] for s in clips]) for clips in (first, second)]
    assert shares[1] == pytest.approx(shares[0], abs=0 if name.startswith("noisy") else 0.08)
    assert (SUITES[name].version, SUITES[name + suites.SECOND].version) == ("1", "2")


def test_first_versions_keep_every_byte() -> None:
    """Hashes of the benchmark's clips as they have always been; they stand in checkpoints/benchmark.json."""
    file = Path(__file__).resolve().parents[4] / "checkpoints" / "benchmark.json"
    kept = {found["suite"]: found["hash"] for found in json.loads(file.read_text(encoding="utf-8"))["robustness"]["suites"]}
    assert len(kept) == 8
    for name in ("noisy-50", "scene-shift"):
        assert suite_hash(SuiteConfig("benchmark", 11, 560, 140, "test", name)) == kept[name]


def test_hard_keeps_its_bytes_as_a_suite() -> None:
    """It was a level before: the hash is of the clips as they were then."""
    assert suite_hash(SuiteConfig("x", 3, 21, 6, "test", "hard")) == HARD_BEFORE


HARD_BEFORE = "24bb5f0139a4dbef46cb362db17d91606db4998390857e0c2a30394ad5b95fda"


def test_render_says_what_distractors_tell(tmp_path: Path) -> None:
    said = run("--suite-name", "noisy-50", "--out", str(tmp_path / "a"))[1]
    assert "note: noisy-50: irrelevant stretches tell the class a little" in said
    assert "note" not in run("--suite-name", "noisy-50-v2", "--out", str(tmp_path / "b"))[1]
    assert "note" not in run("--difficulty", "easy", "--out", str(tmp_path / "c"))[1]
