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
from workbench.analysis.counterfactuals.task import Options, _drawn, read_report, report_text

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
    read = read_report(tmp_path / "out" / "counterfactual.json")
    assert json.loads(report_text(read)) == found
    with pytest.raises(InputError, match="make it with workbench counterfactual"):
        read_report(tmp_path / "counterfactual.json")
    swapped = next(edit for edit in found["edits"] if edit["name"] == "swap Y_D")
    told = pd.read_csv(tmp_path / "out" / "clips.csv")
    assert len(told) == 8 * 3
    assert list(told.loc[told["edit"] == "swap Y_D", "donors"]) == [", ".join(own) for own in found["donors"]]
    # who is given another's dynamic branch says what that one's own clip says
    code, told, _ = run("counterfactual", *command[1:3], "--edits", "drop", "--shuffles", 0, "--json", "--out", tmp_path / "all")
    said = dict(zip(json.loads(told)["clip_ids"], np.array(json.loads(told)["before"]), strict=True))
    for own, clip, after in zip(found["donors"], found["clip_ids"], swapped["after"], strict=True):
        assert len({clip, *own}) == 5
        np.testing.assert_allclose(after, np.mean([said[donor] for donor in own], 0), atol=1e-4)
    assert json.loads(told)["donors"] == []
    chosen = ["--clip", "clip-3", "--edits", "drop", "--frames", "0-2,5", "--json", "--out", tmp_path / "one"]
    code, told, _ = run(*command, *chosen)
    assert code == 0
    assert (json.loads(told)["clip_ids"], json.loads(told)["frames"]) == (["clip-3"], [0, 1, 2, 5])


def test_what_a_clip_takes_from_is_the_same_however_many_are_asked(
    run: Command, tiny_bundle_dir: Path, clips_manifest: Path, tmp_path: Path
) -> None:
    command = ["counterfactual", tiny_bundle_dir, clips_manifest, "--edits", "replace,swap-S", "--shuffles", 0, "--json"]

    def taken(name: str, *options: object) -> dict[str, tuple[list[str], float]]:
        code, told, err = run(*command, *options, "--out", tmp_path / name)
        assert code == 0, err
        found = json.loads(told)
        return dict(zip(found["clip_ids"], zip(found["donors"], found["edits"][0]["change"], strict=True), strict=True))

    every = taken("every", "--donors", 2)
    assert all(len({clip, *own}) == 3 for clip, (own, _) in every.items())
    for name, options in (
        ("one", ["--clip", "clip-3"]),
        ("few", ["--clips", 2]),
        ("order", ["--clip", "clip-4", "--clip", "clip-0"]),
    ):
        for clip, (own, change) in taken(name, "--donors", 2, *options).items():
            assert own == every[clip][0]
            assert change == pytest.approx(every[clip][1], abs=1e-6)
    assert taken("first", "--donors", 1)["clip-0"][0] == every["clip-0"][0][:1]
    assert {tuple(own) for own, _ in taken("other", "--donors", 2, "--seed", 1).values()} != {
        tuple(own) for own, _ in every.values()
    }
    named = taken("named", "--take-from", "clip-1", "--clips", 5, "--clip", "clip-0", "--clip", "clip-2")
    assert [own for own, _ in named.values()] == [["clip-1"], ["clip-1"]]
    all_of_them = [word for clip in ("clip-1", "clip-2", "clip-3") for word in ("--take-from", clip)]
    (own,) = taken("all", *all_of_them, "--donors", 1, "--clip", "clip-0", "--edits", "freeze,replace").values()
    assert sorted(own[0]) == ["clip-1", "clip-2", "clip-3"]
    table = pd.read_csv(tmp_path / "all" / "clips.csv", keep_default_na=False).set_index("edit")["donors"]
    assert table["freeze"] == ""
    assert sorted(table["replace"].split(", ")) == ["clip-1", "clip-2", "clip-3"]


def test_in_a_list_that_is_sorted_by_person_clips_take_from_other_people() -> None:
    """As in corpora with a folder for each actor: the first clips of each class are all of one."""
    n = 180
    listed = pd.DataFrame(
        {
            "clip_id": [f"clip {i}" for i in range(n)],
            "label_name": [f"class {i % 6}" for i in range(n)],
            "subject": [f"actor {i // 60}" for i in range(n)],
        }
    )
    person = dict(zip(listed["clip_id"], listed["subject"], strict=True))
    ids = [f"clip {i}" for i in (0, 41, 70, 179)]
    for clip, own in zip(ids, _drawn(listed, ids, Options()), strict=True):
        assert len(own) == 4
        assert person[clip] not in {person[donor] for donor in own}
    alone = listed[:60]
    assert all(len({*own, clip}) == 5 for clip, own in zip(ids[:2], _drawn(alone, ids[:2], Options()), strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--edits", "jump"], "unknown edit 'jump'; tiny-baseline takes freeze, reverse, shuffle, drop, replace"),
        (["--edits", "swap-D"], "has no branches to swap"),
        (["--edits", "zero-offsets"], "has no offsets to set to zero"),
        (
            ["--edits", "replace", "--clip", "clip-1", "--take-from", "clip-1"],
            "clip-1 takes from another clip, and there is none but itself",
        ),
        (
            ["--edits", "replace", "--clip", "clip-0", "--clip", "clip-1", "--take-from", "clip-1"],
            "clip-1 takes from another clip, and there is none but itself; name another one, or two",
        ),
        (["--edits", "replace", "--take-from", "nobody"], "unknown clip 'nobody'; the manifest has 5 clips"),
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
