"""The command counterfactual on random checkpoints."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ifdd.checkpoints import load_checkpoint
from ifdd.data.manifest import data_hash, read_manifest
from ifdd.errors import InputError
from workbench.analysis.counterfactuals.task import read_report, report_text

Command = Callable[..., tuple[int, str, str]]


def test_counterfactual(run: Command, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path) -> None:
    command = ["counterfactual", tiny_bundle_dir, clips_manifest, "--clips", 3, "--shuffles", 1]
    code, told, err = run(*command, "--out", tmp_path / "out")
    assert code == 0, err
    for name in ("freeze", "reverse", "shuffle", "drop", "replace", "zero offsets", "swap Y_D", "swap Y_S"):
        assert f"{name}: change " in told
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"counterfactual.json", "clips.csv", "clips.png", "clip.png"}
    found = json.loads((tmp_path / "out" / "counterfactual.json").read_text())
    assert found["frames"] == list(range(4, 12))
    assert found["caption"].startswith("n = 3; ")
    assert found["data_hash"] == data_hash(read_manifest(clips_manifest))
    assert found["provenance"]["source"]["checkpoint"] == load_checkpoint(tiny_bundle_dir).card.sha256
    assert sorted(found["donors"]) == sorted(found["clip_ids"])
    read = read_report(tmp_path / "out" / "counterfactual.json")
    assert json.loads(report_text(read)) == found
    with pytest.raises(InputError, match="make it with workbench counterfactual"):
        read_report(tmp_path / "counterfactual.json")
    swapped = next(edit for edit in found["edits"] if edit["name"] == "swap Y_D")
    donors = [found["clip_ids"].index(name) for name in found["donors"]]
    np.testing.assert_allclose(swapped["after"], np.array(found["before"])[donors], atol=1e-4)
    assert len(pd.read_csv(tmp_path / "out" / "clips.csv")) == 8 * 3
    chosen = ["--clip", "clip-3", "--edits", "drop", "--frames", "0-2,5", "--json", "--out", tmp_path / "one"]
    code, told, _ = run(*command, *chosen)
    assert code == 0
    assert (json.loads(told)["clip_ids"], json.loads(told)["frames"]) == (["clip-3"], [0, 1, 2, 5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--edits", "jump"], "unknown edit 'jump'; tiny-baseline takes freeze, reverse, shuffle, drop, replace"),
        (["--edits", "swap-D"], "has no branches to swap"),
        (["--edits", "zero-offsets"], "has no offsets to set to zero"),
        (["--edits", "replace", "--clip", "clip-1"], "replace takes from another clip, and there is one"),
        (["--frames", "9-4"], "frames '9-4' is neither a number nor a range"),
        (["--frames", "99", "--edits", "drop"], "are not all among 0 to 15"),
        (["--clip", "nobody"], "unknown clip 'nobody'; the manifest has 5 clips"),
        (["--edits", ","], "',' names nothing"),
    ],
)
def test_counterfactual_refuses(
    run: Command, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    code, out, err = run("counterfactual", baseline_bundle_dir, clips_manifest, "--out", tmp_path / "out", *options)
    assert code == 1
    assert out == ""
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "out").exists()
