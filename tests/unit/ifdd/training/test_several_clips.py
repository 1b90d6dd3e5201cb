"""Several clips of each video: averaged, told, and the same every time."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from bundles import save_random
from small_corpus import make_corpus
from typer.testing import CliRunner

import ifdd
from ifdd.checkpoints import Bundle
from ifdd.cli import app
from ifdd.data.clips import analyse, frames_shown, load_clip
from ifdd.data.preprocessing import Preprocessing
from ifdd.errors import InputError
from ifdd.inputs import to_clips
from ifdd.labels import EMOTIONS

pytestmark = pytest.mark.filterwarnings("ignore:.*the last one is repeated")
VIEWS = 3


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of 12 clips of 13, 20 and 40 frames."""
    return make_corpus(tmp_path_factory.mktemp("corpus"), 12, lengths=(13, 20, 40))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("checkpoints") / "tiny", "mvit-tiny-baseline", 1)


def evaluate(checkpoint: Path, corpus: Path, out: Path, *words: str) -> tuple[dict[str, object], pd.DataFrame]:
    command = ["evaluate", str(checkpoint), "--manifest", str(corpus), "--out", str(out), "--device", "cpu"]
    told = CliRunner().invoke(app, [*command, "--cache", str(out.parent / "cache"), *words])
    assert told.exit_code == 0, (told.output, told.exception)
    return json.loads((out / "metrics.json").read_text()), pd.read_parquet(out / "predictions.parquet")


def uncropped(bundle: Bundle) -> Preprocessing:
    """As clips of a corpus are read, which are faces already."""
    return replace(bundle.preprocessing, crop="none")


def test_probabilities_are_the_mean_over_clips_at_even_moments(checkpoint: Path, corpus: Path, tmp_path: Path):
    metrics, frame = evaluate(checkpoint, corpus, tmp_path / "out", "--clips", str(VIEWS))
    bundle = ifdd.load_checkpoint(checkpoint)
    listed = pd.read_parquet(corpus)
    each = []
    for i in range(VIEWS):
        clips = []
        for path in listed["path"]:
            source = analyse(corpus.parent / path, uncropped(bundle))
            crops = dict(source.crops())
            at = frames_shown(source.seconds, source.start, source.end, bundle.preprocessing.frames, (i + 0.5) / VIEWS)
            clips.append(np.stack([crops[index] for index in at.tolist()]))
        each.append(bundle.predict(to_clips(torch.from_numpy(np.stack(clips)))).numpy())
    columns = [f"p_{label}" for label in EMOTIONS]
    np.testing.assert_allclose(frame[columns], np.mean(each, axis=0), atol=1e-5)
    assert metrics["clips_per_video"] == VIEWS
    guesses = np.argmax(each, axis=2)
    single = metrics["single_clips"]
    assert single["called_differently"] == pytest.approx((guesses.min(0) != guesses.max(0)).mean())
    assert single["WAR"] == pytest.approx((guesses == listed["label"].to_numpy()).mean(1).tolist())
    assert f"probabilities are the mean over {VIEWS} clips of each video" in metrics["notes"]


def test_the_same_command_gives_the_same_bytes(checkpoint: Path, corpus: Path, tmp_path: Path):
    for name in ("one", "two"):
        evaluate(checkpoint, corpus, tmp_path / name, "--clips", "2")
    for file in ("metrics.json", "predictions.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_one_clip_is_what_it_always_was(checkpoint: Path, corpus: Path, tmp_path: Path):
    metrics, frame = evaluate(checkpoint, corpus, tmp_path / "one", "--clips", "1")
    assert metrics["clips_per_video"] == 1
    assert "single_clips" not in metrics
    bundle = ifdd.load_checkpoint(checkpoint)
    clip = load_clip(corpus.parent / "00000", uncropped(bundle))
    expected = bundle.predict(clip.tensor()[None])[0].numpy()
    np.testing.assert_allclose(frame[[f"p_{label}" for label in EMOTIONS]].iloc[0], expected, atol=1e-5)


def test_a_checkpoint_is_tested_as_its_own_test_was(checkpoint: Path, corpus: Path, tmp_path: Path):
    card = json.loads((checkpoint / "card.json").read_text())
    card["training"] = {"recipe": {"data": {"test_clips": 2}}}
    (checkpoint / "card.json").write_text(json.dumps(card))
    assert ifdd.load_checkpoint(checkpoint).card.test_clips == 2
    assert evaluate(checkpoint, corpus, tmp_path / "own")[0]["clips_per_video"] == 2
    assert evaluate(checkpoint, corpus, tmp_path / "one", "--clips", "1")[0]["clips_per_video"] == 1
    told = CliRunner().invoke(app, ["evaluate", str(checkpoint), "--suite", "test", "--out", str(tmp_path / "x"), "--clips", "3"])
    assert isinstance(told.exception, InputError)
    assert "rendered clips are shown in one way" in str(told.exception)
