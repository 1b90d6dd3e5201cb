"""Odd arguments of the two commands: exit 0, one line and exit 1, or the usage and exit 2."""

import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import ROOT, fault, swarm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media import numbered_image, write_video
from mutations import weird

import ifdd.cli
import workbench.cli
from ifdd.documents import parse_yaml
from ifdd.training.recipe import load_recipe

Use = Callable[[], object]
TIMES = (
    "0",
    "1",
    "-1",
    "0.1",
    "0.4",
    "1e-6",
    "1e-300",
    "1e300",
    "1e9",
    "nan",
    "inf",
    "-inf",
    "",
    "x",
    "0x1",
    "1_0",
    "١",
    "9" * 400,
)
TEXTS = (
    "",
    " ",
    ",",
    ",,",
    "a",
    "a,a",
    "a, b",
    "happy,sad",
    "é",
    "🙂",
    "a\nb",
    "-",
    "--",
    "~nosuchuser/x",
    "/",
    ".",
    "..",
    "x" * 300,
    "{}",
    "![x](http://x.test)",
    "\udcff",
    "/dev/null",
    "/dev/zero",
    "con",
    "a/../b",
    "=",
    "a=b",
    "a.b=c",
    "1e9",
    "*",
    "$HOME",
)
SEEDS = ("0", "-1", "4294967295", "4294967296", "9" * 30, "1.5", "x")
SETTINGS = (
    "model.size=[1e9,1e9]",
    "model.size=[64,64]",
    "optim.lr=nan",
    "optim.lr=1e-4",
    "seed=-1",
    "labels=[a,a,b,c,d,e,f]",
    "a.b=1",
    "name=../x",
    "=",
    "optim=1",
    "optim.=1",
    ".=1",
    "model.frames=1e12",
    "data.cache=/dev/null/x",
    "name={seed}",
    "optim.epochs=!!int ''",
    "ema=&a [*a]",
    "model.stages=[0,0]",
    "augment=null",
    "data.train.clips=99999999999999999999",
)
PIECES = (
    "a",
    ": ",
    "- ",
    "\n",
    "  ",
    "&x ",
    "*x",
    "[",
    "]",
    "{",
    "}",
    "!!int ",
    "!!map ",
    "<<",
    "? ",
    "|",
    ">",
    "'",
    '"',
    "1",
    ".inf",
    "~",
    ",",
    "#",
    "---",
    "%YAML 1.1\n",
    "\t",
    "0x1",
    "1:2",
    "=",
    "@",
    "é",
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames, 0.4 s."""
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", [numbered_image(i, 48, 64) for i in range(10)])


def run(main: Callable[[], None], words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command as a shell would start it. A fault is what does not end as a command should."""
    monkeypatch.setattr(sys, "argv", words)
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    err = capsys.readouterr().err
    if code not in (0, 1, 2):
        raise AssertionError(f"exit {code}: {err[-200:]}")
    if "Traceback" in err or (code == 1 and not err.strip()):
        raise AssertionError(f"exit {code} without one clear line: {err[-200:]}")


def test_arguments(
    checkpoint: Path, film: Path, tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = ROOT / "recipes" / "scripted-tiny-ifdd.yaml"

    def write(rng: random.Random, place: Path) -> Use:
        text, when = (lambda: rng.choice(TEXTS)), (lambda: rng.choice(TIMES))
        there = place / "there"
        there.mkdir()
        (there / "happy").mkdir()
        shutil.copy(film, there / "happy")
        source = rng.choice((str(film), str(film), str(film), text(), str(there)))
        known = rng.choice((str(checkpoint), str(checkpoint), text()))

        def some(options: dict[str, Callable[[], str]]) -> list[str]:
            chosen = rng.sample(list(options), rng.randrange(0, min(3, len(options)) + 1))
            return [word for option in chosen for word in (option, options[option]())]

        when_read = {"--start": when, "--end": when, "--fps": when, "--face": when, "--crop": lambda: rng.choice(("none", "x"))}
        kinds = {
            # the folder is there: what passes the recipe's checks trains nothing
            "train": [
                "ifdd",
                "train",
                rng.choice((str(recipe), text())),
                "--out",
                str(there),
                *some(
                    {
                        "--set": lambda: rng.choice((rng.choice(SETTINGS), f"{text()}={weird(rng)}")),
                        "--seed": lambda: rng.choice(SEEDS),
                        "--device": text,
                        "--max-minutes": when,
                    }
                ),
            ],
            "sweep": ["ifdd", "sweep", str(place / "none.yaml"), "--out", str(there), "--seeds", rng.choice((*SEEDS, *TEXTS))],
            "predict": ["ifdd", "predict", source, "--checkpoint", known, "--crop", "none", *some(when_read)],
            "evaluate": [
                "ifdd",
                "evaluate",
                known,
                "--out",
                str(there / "new"),
                *some({"--manifest": text, "--suite": text, "--batch": when}),
            ],
            "index": [
                "ifdd",
                "data",
                "index",
                rng.choice((str(there), text())),
                *some({"--labels": text, "--out": lambda: str(there / "m.parquet"), "--crop": text}),
            ],
            "convert": [
                "ifdd",
                "weights",
                "convert",
                rng.choice((str(film), text())),
                "--out",
                str(place / "c"),
                "--labels",
                text(),
            ],
            "models": ["ifdd", "models", "--variants", text()],
            "verify": ["ifdd", "weights", "verify", known],
            "explain": [
                "workbench",
                "explain",
                source,
                "--checkpoint",
                known,
                "--out",
                str(there),
                *some({**when_read, "--window": when, "--stride": when, "--target": text}),
            ],
            "collect": [
                "workbench",
                "collect",
                known,
                rng.choice((str(there), text())),
                "--out",
                rng.choice((str(there / "c"), text())),
                *some({"--names": text, "--batch": when}),
            ],
            "passport": ["workbench", "passport", rng.choice((str(film), text()))],
            "calibrate": ["workbench", "calibrate", text(), text(), "--out", str(there / "x")],
            "app": ["workbench", "app", "--port", rng.choice((*SEEDS, "70000")), "--address", rng.choice(("256.1.1.1", "x", ""))],
        }
        words = [word.replace("\0", "") for word in kinds[rng.choice(list(kinds))]]
        main = ifdd.cli.main if words[0] == "ifdd" else workbench.cli.main
        monkeypatch.chdir(place)
        return lambda: run(main, words, monkeypatch, capsys)

    swarm("command", count, tmp_path, write)


keys = st.lists(
    st.sampled_from(["model", "optim", "lr", "data", "train", "seed", "labels", "", "a", "é"]), min_size=1, max_size=70
)
LENGTHS = [pytest.param(25, id="few"), pytest.param(1000, id="many", marks=pytest.mark.slow)]


def refused_in_one_line(call: Use) -> None:
    """Whether it goes well or is refused, it says so in one line."""
    if found := fault(call):
        raise AssertionError(found)


@pytest.mark.parametrize("examples", LENGTHS)
def test_settings_of_any_text(examples: int) -> None:
    recipe = ROOT / "recipes" / "scripted-tiny-ifdd.yaml"

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(keys.map(".".join), st.text(max_size=40))
    def any_setting(key: str, value: str) -> None:
        refused_in_one_line(lambda: load_recipe(recipe, [f"{key}={value}"]))

    any_setting()


@pytest.mark.parametrize("examples", LENGTHS)
def test_yaml_of_any_text(examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
    def any_text(text: str) -> None:
        refused_in_one_line(lambda: parse_yaml(text, "f"))

    any_text()
