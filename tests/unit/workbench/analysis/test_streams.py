"""Shares of two inputs by hand: models that read one alone, add both, or multiply them; roll-out; the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

import ifdd
from ifdd.errors import InputError
from ifdd.hooks import HookPoint
from ifdd.models.base import Output, VideoModel
from ifdd.models.config import VideoConfig
from ifdd.scripted.suite import SuiteConfig, render_suite
from tests.tiny_ous import train_ous
from workbench import cli
from workbench.analysis.streams import rollout, stream_shares
from workbench.analysis.streams.displays import StreamsDisplay, rows
from workbench.analysis.streams.results import StreamsResult
from workbench.analysis.streams.task import Options, read_report, run, write
from workbench.results.controls import other_clips

NAMES = ("red", "green", "blue")
N = 18


class Config(VideoConfig):
    """A face and a scene, in three colours."""

    family: Literal["colours"] = "colours"
    num_classes: int = 3

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        return {"face": (3, 2, 4, 4), "scene": (3, 2, 4, 4)}


class Colours(VideoModel):
    """Logits are a function of the mean colours of both inputs."""

    def __init__(self, mixed: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(Config())
        self.embedding, self.logits = HookPoint("B C", role="embedding"), HookPoint("B classes", role="logits")
        self.scale = torch.nn.Parameter(torch.tensor(10.0))
        self.mixed = mixed

    def forward(self, clips: Any) -> Output:
        given = self.check_clips(clips)
        embedding = self.embedding(self.mixed(*(given[name].mean((2, 3, 4)) for name in ("face", "scene"))))
        return Output(self.logits(self.scale * embedding), embedding)


def coloured() -> tuple[dict[str, Tensor], np.ndarray]:
    """Clips whose face and scene show one of three colours each, all pairs twice; persons hold three clips."""
    colours = np.array([(f, s) for f in range(3) for s in range(3)] * 2)
    light = 0.2 + 0.5 * np.eye(3)[colours] + 0.01 * np.arange(N)[:, None, None]
    clips = torch.from_numpy(light).float()[..., None, None, None].expand(-1, -1, -1, 2, 4, 4)
    return {"face": clips[:, 0].contiguous(), "scene": clips[:, 1].contiguous()}, np.arange(N) // 3


def shares(mixed: Callable[[Tensor, Tensor], Tensor], **more: Any) -> StreamsResult:
    clips, persons = coloured()
    return stream_shares(Colours(mixed), clips, NAMES, [f"c{i}" for i in range(N)], groups=persons, donors=8, **more)


def test_who_reads_the_face_alone_owes_it_everything() -> None:
    found = shares(lambda face, scene: face)
    assert (found.share[0].value, found.share[1].value) == pytest.approx((1, 0), abs=1e-9)
    assert (found.flips[0].value, found.flips[1].value) == (1, 0)
    assert (found.goes_along[0].value, found.goes_along[1].value) == (1, 0)
    np.testing.assert_allclose(found.together, 0, atol=1e-5)
    assert "exact parts" in found.notes[0]


def test_shares_of_a_sum_are_its_parts() -> None:
    found = shares(lambda face, scene: 2 * face + scene)
    clips, persons = coloured()
    np.testing.assert_allclose(found.together, 0, atol=1e-5)
    face, scene = (clips[name].mean((2, 3, 4)).double().numpy() for name in ("face", "scene"))
    said = np.array([NAMES.index(name) for name in found.predicted])
    for i, part in enumerate((20 * face, 10 * scene)):
        above = (part - part.mean(1, keepdims=True))[:, said]  # (clip, class of the clip that asks)
        others = np.mean([above[order, np.arange(N)] for order in other_clips(persons, 8, 0)], 0)
        np.testing.assert_allclose(found.shares[:, i], np.diag(above) - others, atol=1e-5)
    assert found.share[0].value > 0.6 > found.share[1].value > 0.2


def test_what_inputs_do_together_is_told() -> None:
    found = shares(lambda face, scene: face * scene)
    assert np.abs(found.together).max() > 0.1
    assert found.interaction.value > 0.1
    assert not found.notes


def test_small_shares_do_not_make_a_sum() -> None:
    """A network that hardly looks at its inputs yet: what they do together is as much of it as of a trained one."""
    found = shares(lambda face, scene: torch.tensor([1.0, 0, 0]) + 1e-3 * face * scene)
    assert 0 < np.abs(found.together).max() < 5e-3
    assert found.interaction.value > 0.1
    assert found.notes == ("every clip is red to it, so that no exchange can tell what an answer follows",)
    assert np.isnan([found.flips[0].value, found.goes_along[1].value]).all()


def test_shares_add_up_to_what_the_clip_is_above_others() -> None:
    """Efficiency: both shares together are the logit with both inputs, less that of other clips."""

    def mixed(face: Tensor, scene: Tensor) -> Tensor:
        return face * scene + face**2

    found, (clips, persons) = shares(mixed), coloured()
    with torch.no_grad():
        logits = Colours(mixed)(clips).logits.double().numpy()
    said = logits.argmax(1)
    above = (logits - logits.mean(1, keepdims=True))[:, said]  # (clip, class of the clip that asks)
    others = np.mean([above[order, np.arange(N)] for order in other_clips(persons, 8, 0)], 0)
    np.testing.assert_allclose(found.shares.sum(1), np.diag(above) - others, atol=1e-5)
    assert [NAMES[c] for c in said] == list(found.predicted)


def test_rollout_by_hand() -> None:
    first = np.array([[1.0, 0.0], [1.0, 0.0]])  # both queries read the first type
    flow = (first + np.eye(2)) / 2  # [[1, 0], [½, ½]]
    assert rollout(first[None, None, None])[0].tolist() == [0.75, 0.25]
    np.testing.assert_allclose(rollout(np.stack([first, first])[None, :, None])[0], (flow @ flow).mean(0))
    assert rollout(np.full((2, 3, 4, 3, 3), 1 / 3)).tolist() == pytest.approx(np.full((2, 3), 1 / 3))


def test_what_has_no_shares() -> None:
    clips, _ = coloured()
    with pytest.raises(InputError, match="reads clip; shares are of two inputs"):
        stream_shares(ifdd.create_model("ifdd-mvit-tiny", frames=4, size=(32, 32)), clips, NAMES, ())
    alone = {name: part[:1] for name, part in clips.items()}
    with pytest.raises(InputError, match="there is one; pass two or more"):
        stream_shares(Colours(lambda face, scene: face), alone, NAMES, ("c",))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[ifdd.checkpoints.Bundle], Path]:
    """OUS, and its late fusion, of one step, and clips."""
    folder, found = tmp_path_factory.mktemp("streams"), []
    for name, more in (("ous", {}), ("late", {"fusion": "late"})):
        found.append(ifdd.load_checkpoint(train_ous(folder, name, **more)))
    suite = SuiteConfig("streams", 3, 7, 7, "test", "easy", rho=0.5)
    return found, render_suite(suite, folder / "clips", frames=8, fps=8.0, size=48, workers=1, progress=False)


def test_late_fusion_adds_up_and_ous_tells_what_it_attends_to(trained: Any, tmp_path: Path) -> None:
    bundles, manifest = trained
    found = run(bundles, manifest, Options(clips=7, donors=2))
    late, ous = found["late"], found["ous"]
    assert np.abs(late.together).max() < 1e-3 < np.abs(ous.together).max()
    assert (late.types, ous.types) == ((), ("face", "scene", "polarity"))
    assert sum(share.value for share in ous.rollout) == pytest.approx(1)
    assert ous.uniform == pytest.approx(1 / 3)
    files = write(found, tmp_path / "out")
    assert [file.name for file in files] == ["clips.csv", "streams.json", "streams.md", "streams.png"]
    assert read_report(tmp_path / "out/streams.json") == found
    assert [row[:2] for row in rows(found)] == [
        ["ous", "face"],
        ["ous", "scene"],
        ["ous", "polarity"],
        ["late", "face"],
        ["late", "scene"],
    ]
    assert len(StreamsDisplay.from_result(found).to_plotly().data) == 2


def test_the_command(trained: Any, tmp_path: Path) -> None:
    bundles, manifest = trained
    words = ["streams", str(bundles[0].path), "--data", str(manifest), "--clips", "7", "--donors", "1", "--device", "cpu"]
    ran = CliRunner().invoke(cli.app, [*words, "--out", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    assert "| ous | polarity | – | – | – |" in ran.output
    several = ["streams", "scripted-tiny-ifdd", *words[1:], "--json", "--out", str(tmp_path / "several")]
    ran = CliRunner().invoke(cli.app, several)
    assert ran.exit_code == 0, ran.output
    assert ran.stderr.splitlines()[0] == "Left out: scripted-tiny-ifdd. With one input there is nothing to exchange."
    assert list(json.loads(ran.stdout)) == ["ous"]
    ran = CliRunner().invoke(cli.app, ["streams", "scripted-tiny-ifdd", "--data", str(manifest), "--out", str(tmp_path / "no")])
    assert "scripted-tiny-ifdd reads clip alone" in str(ran.exception)
    assert not (tmp_path / "no").exists()
