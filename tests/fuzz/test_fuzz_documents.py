"""Damaged cards, recipes, reports and passports."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from harness import ROOT, swarm
from matplotlib.figure import Figure
from mutations import changed, damaged, json_file

import ifdd
from ifdd.checkpoints import card_markdown, load_checkpoint, read_card
from ifdd.cli.weights import list_weights
from ifdd.training.clipsets import suite_of_card
from ifdd.training.recipe import load_recipe, recipe_yaml
from ifdd.weights.converting import read_weights
from tests.stored import faithfulness_report, scorecard
from workbench.analysis.saliency.results import Verdict
from workbench.analysis.saliency.verdicts import FILE, read_verdicts
from workbench.benchmark.robustness import variant_of
from workbench.benchmark.stored import read_benchmark
from workbench.report.scores import scorecard_section
from workbench.results.passport import config_hash, issue
from workbench.results.passport_files import PAGE_MARK, read_passport
from workbench.store.workspace import describe, test_data

test_data.__test__ = False  # type: ignore[attr-defined]  # the function of the library is no test
Use = Callable[[], object]
SNIPPETS = (
    "&a [*a]",
    "*a",
    "!!int ''",
    "!!timestamp x",
    "!!python/name:os.system",
    "<<: *x",
    "? [",
    "---",
    "...",
    "%YAML 9.9",
    "{",
    "|",
    "2024-13-45",
    "!!binary x",
    "0x",
    "1:2:3",
    "\t",
    "&a",
    "!!set {a}",
    "'",
    '"',
    "#",
    "- ",
    "\0",
    "\x85",
    "~",
    ".inf",
    "0b2",
)
"""Pieces of YAML to put anywhere."""


def use_card(folder: Path) -> None:
    """All that is done with a card."""
    card = read_card(folder)
    texts = [card_markdown(card), describe(card), test_data(card), variant_of(card), config_hash(card)]
    "\n".join(texts).encode()
    for split in ("val", "test"):
        if split in card.data:
            suite_of_card(card, split)


def test_cards(checkpoint: Path, tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    card = json.loads((checkpoint / "card.json").read_text())

    def write(rng: random.Random, place: Path) -> Use:
        folder = place / "tiny"
        folder.mkdir()
        (folder / "card.json").write_bytes(json_file(card, rng))
        shutil.copy(checkpoint / "weights.safetensors", folder)
        monkeypatch.setenv("IFDD_CHECKPOINTS", str(place))

        def read() -> None:
            list_weights(as_json=rng.random() < 0.5)
            use_card(folder)
            if rng.random() < 0.3:
                load_checkpoint(folder).predict(torch.rand(1, 3, 8, 32, 32))

        return read

    swarm("card", count, tmp_path, write)


def test_recipes(tmp_path: Path, count: int) -> None:
    recipe = yaml.safe_load((ROOT / "recipes" / "scripted-tiny-ifdd.yaml").read_text())

    def write(rng: random.Random, place: Path) -> Use:
        values = changed(recipe, rng) if rng.random() < 0.7 else recipe
        text = yaml.safe_dump(values, allow_unicode=rng.random() < 0.5)
        if rng.random() < 0.4:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(SNIPPETS) + text[at + rng.choice((0, 3)) :]
        data = text.encode(errors="surrogatepass")
        file = place / "recipe.yaml"
        file.write_bytes(damaged(data, rng) if rng.random() < 0.3 else data)

        def read() -> None:
            found = load_recipe(file)
            again = place / "again.yaml"
            again.write_text(recipe_yaml(found), encoding="utf-8")
            assert load_recipe(again) == found

        return read

    swarm("recipe", count, tmp_path, write)


def test_reports(checkpoint: Path, tmp_path: Path, count: int) -> None:
    bundle = ifdd.load_checkpoint(checkpoint)
    verdict = Verdict("gradcam", "ladm.Y_D", True, ("a",), (), ("b",))
    report = faithfulness_report("tiny", bundle.card.sha256, verdict, verdict, manifest="clips", manifest_hash="e")
    benchmark = json.loads((ROOT / "checkpoints" / "benchmark.json").read_text())
    kept = benchmark["rows"][0]["variant"]
    benchmark["rows"] = benchmark["rows"][:1]
    about = benchmark["robustness"]
    about["members"] = {kept: about["members"][kept]}
    about["suites"] = [suite | {"scores": {kept: suite["scores"][kept]}} for suite in about["suites"]]
    card = scorecard(0.5).to_dict()
    kinds = [
        ("benchmark.json", benchmark, lambda file: str(read_benchmark(file).to_dict())),
        (FILE, report, lambda file: [row.badge for row in read_verdicts(file, bundle).values()]),
        ("scorecard.json", {"a": card, "b": card}, scorecard_section),
    ]

    def write(rng: random.Random, place: Path) -> Use:
        name, values, read = rng.choice(kinds)
        (place / name).write_bytes(json_file(values, rng))
        return lambda: read(place / name)

    swarm("report", count, tmp_path, write)


def test_passports(tmp_path: Path, count: int) -> None:
    passport = issue(
        'gradcam: {"analysis": "saliency", "parameters": {"a": 1}, "inputs": {"x": "0"}, "versions": {"numpy": "1"}}'
    )
    figure = Figure(figsize=(0.5, 0.5))
    figure.add_subplot().plot([0, 1])
    whole = {}
    for suffix, key in ((".png", "Description"), (".svg", "Description"), (".pdf", "Subject")):
        figure.savefig(tmp_path / f"whole{suffix}", metadata={key: passport.to_json()})
        whole[suffix] = (tmp_path / f"whole{suffix}").read_bytes()
    whole[".html"] = f"<html>{PAGE_MARK}{passport.to_json()}</script></html>".encode()

    def write(rng: random.Random, place: Path) -> Use:
        suffix = rng.choice(list(whole))
        data = whole[suffix]
        if rng.random() < 0.5:
            if suffix == ".html":
                data = b"<html>" + PAGE_MARK.encode() + json_file(passport.to_dict(), rng) + b"</script>"
            elif suffix == ".pdf":
                data = b"%PDF-1.4 /Subject (" + json_file(passport.to_dict(), rng) + b")"
        file = place / f"figure{suffix}"
        file.write_bytes(damaged(data, rng) if rng.random() < 0.8 else data)
        return lambda: "\n".join(read_passport(file).lines()).encode()

    swarm("passport", count, tmp_path, write)


def test_weights(checkpoint: Path, tmp_path: Path, count: int) -> None:
    """Weights whose card has their checksum: whoever made them meant them so."""
    card = json.loads((checkpoint / "card.json").read_text())
    safetensors = (checkpoint / "weights.safetensors").read_bytes()
    length = int.from_bytes(safetensors[:8], "little")
    header = json.loads(safetensors[8 : 8 + length])
    torch.save(
        {"epoch": 1, "model": {"head.head.1.bias": torch.zeros(7), "a": torch.ones(3, 3)}, "ema": {}}, tmp_path / "whole.pth"
    )
    pickled = (tmp_path / "whole.pth").read_bytes()

    def write(rng: random.Random, place: Path) -> Use:
        if rng.random() < 0.4:
            file = place / "released.pth"
            file.write_bytes(damaged(pickled, rng))
            return lambda: read_weights(file, "model")
        data = safetensors
        if rng.random() < 0.6:
            text = json.dumps(changed(header, rng)).encode(errors="surrogatepass")
            data = len(text).to_bytes(8, "little") + text + safetensors[8 + length :]
        else:
            data = damaged(data[: 8 + length], rng) + data[8 + length :] if rng.random() < 0.5 else damaged(data, rng)
        folder = place / "tiny"
        folder.mkdir()
        (folder / "weights.safetensors").write_bytes(data)
        (folder / "card.json").write_text(json.dumps(card | {"sha256": hashlib.sha256(data).hexdigest()}))

        def read() -> None:
            found = load_checkpoint(folder).predict(torch.rand(1, 3, 8, 32, 32))
            assert np.isclose(found.sum(), 1, atol=1e-4)

        return read

    swarm("weights", count, tmp_path, write)


def test_whole_files_pass(checkpoint: Path) -> None:
    """What the fuzz refuses, it refuses for its damage."""
    use_card(checkpoint)
    assert load_checkpoint(checkpoint).predict(torch.rand(1, 3, 8, 32, 32)).shape == (1, 7)
