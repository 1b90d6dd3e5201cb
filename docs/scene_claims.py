"""Write what the scenes do to the shipped models, and whether their maps are true.

    python docs/scene_claims.py          # after workbench scenes … --out, whose scenes.json lies beside the checkpoints

Every figure comes from checkpoints/scenes.json and the faithfulness.json beside a checkpoint's card. Texts and tables stand
between the marks `scenes` and `maps` of docs/ous.md; a test makes them again and compares.
"""

from collections.abc import Sequence
from pathlib import Path

from ifdd.documents import read_json
from ifdd.io import replace_between
from workbench.analysis.comparison.results import SeedScore
from workbench.analysis.comparison.seeds import mean_over_seeds
from workbench.analysis.faithfulness.results import FaithfulnessReport
from workbench.analysis.saliency.attribution import INPUT
from workbench.analysis.saliency.displays.heat import METHODS
from workbench.analysis.saliency.verdicts import FILE
from workbench.benchmark.scenes.results import ScenesResult, markdown, percent, read_scenes
from workbench.plotting.text import markdown_table
from workbench.results.interval import Interval, number_text

ROOT = Path(__file__).resolve().parents[1]
SCENES, PAGE = ROOT / "checkpoints" / "scenes.json", ROOT / "docs" / "ous.md"
TESTED = ("scenes-ous-r90-0", "scenes-late-r90-0")
"""Checkpoints beside which a report of `workbench faithfulness` lies."""
NAMES = {
    "scenes-face": "face alone",
    "scenes-scene": "scene alone",
    "scenes-late-r00": "late fusion, ρ 0",
    "scenes-late-r50": "late fusion, ρ 0.5",
    "scenes-late-r90": "late fusion, ρ 0.9",
    "scenes-ous-r00": "OUS, ρ 0",
    "scenes-ous-r50": "OUS, ρ 0.5",
    "scenes-ous-r90": "OUS, ρ 0.9",
    "scenes-baseline": "pooled baseline, another start",
    "scenes-ifdd": "IFDD, another start",
    "scenes-ous-no-similarity": "OUS, ρ 0.5, without L_sim",
    "scenes-ous-no-polarity": "OUS, ρ 0.5, without L_pol",
    "scenes-ous-no-global": "OUS, ρ 0.5, without L_global",
    "scenes-ous-per-block": "OUS, ρ 0.5, queries per block",
    "scenes-ous-lstm-type": "OUS, ρ 0.5, LSTM over types",
    "scenes-ous-no-lstm": "OUS, ρ 0.5, no LSTM",
    "scenes-ous-released": "OUS, ρ 0.5, preset released",
}
"""Variants in the order of the table, and what they are called."""
ABLATIONS = tuple(name for name, told in NAMES.items() if told.startswith("OUS, ρ 0.5, "))
TRAINED = {"r00": 0.0, "r50": 0.5, "r90": 0.9}


class Numbers:
    """Figures of the measurement, as words of a sentence."""

    def __init__(self, result: ScenesResult) -> None:
        self.result = result

    def uar(self, variant: str, rho: float) -> str:
        """UAR in percent at one ρ of the test."""
        return percent(self._score(variant, rho).uar)

    def difference(self, first: str, second: str, rho: float) -> Interval:
        """Percent points by which the first is above the second at one ρ, seed by seed (Student's t)."""
        pairs = zip(self._score(first, rho).each, self._score(second, rho).each, strict=False)
        return mean_over_seeds([100 * (one - other) for one, other in pairs])

    def apart(self, first: str, second: str, rho: float) -> str:
        """The difference, and what it shows."""
        found = self.difference(first, second, rho)
        return f"{bare(found)} ({shown(found)})"

    def follows(self, variant: str) -> str:
        """By how many per cent of the clips more the scene's polarity is said where it is the opposite one."""
        return percent(self.result.row(variant).follows)

    def helps(self, variant: str) -> str:
        """Points of UAR gained where every scene fits."""
        return percent(self.result.row(variant).helps.uar)

    def misleads(self, variant: str) -> str:
        """Points of UAR gained, below nothing where lost, where every scene has the opposite polarity."""
        return percent(self.result.row(variant).misleads.uar)

    def _score(self, variant: str, rho: float) -> SeedScore:
        return self.result.row(variant).scores[self.result.rhos.index(rho)]


def bare(found: Interval) -> str:
    """A difference in points, with its interval where there is one."""
    value, low, high = (number_text(one, "+.1f") for one in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]" if found.low == found.low else value


def shown(found: Interval) -> str:
    """What an interval of a difference shows: on which side of nought it lies, if it leaves it out."""
    if found.low != found.low:
        return "one seed"
    if found.low > 0:
        return "above"
    return "below" if found.high < 0 else "no difference shown"


def claims(result: ScenesResult) -> str:
    """The sentences, then the table."""
    n, low, high = Numbers(result), min(result.rhos), max(result.rhos)
    rhos = {name: number_text(rho, "g") for name, rho in TRAINED.items()}
    against = {name: n.apart(f"scenes-ous-{name}", f"scenes-late-{name}", rho) for name, rho in TRAINED.items()}
    over_face = {name: n.apart(f"scenes-ous-{name}", "scenes-face", rho) for name, rho in TRAINED.items()}
    turned = {name: n.apart(f"scenes-ous-{name}", "scenes-face", -0.9) for name in TRAINED}
    lines = [
        f"- **Face and scene alone.** From the face alone {n.uar('scenes-face', 0.0)} % UAR, whatever the scene is; from the "
        f"scene alone {n.uar('scenes-scene', 0.0)} % where it tells nothing and {n.uar('scenes-scene', high)} % at ρ "
        f"{number_text(high, 'g')}: it tells the polarity and never the emotion.",
        "- **Where scenes are as in training, OUS against the face alone:** "
        + "; ".join(f"ρ {rhos[name]}: {told} points" for name, told in over_face.items())
        + ".",
        "- **OUS against late fusion of the same two streams, scenes as in training:** "
        + "; ".join(f"ρ {rhos[name]}: {told}" for name, told in against.items())
        + ".",
        f"- **Where scenes mislead (ρ {number_text(low, 'g')} in the test), OUS against the face alone:** "
        + "; ".join(f"trained at ρ {rhos[name]}: {told}" for name, told in turned.items())
        + ".",
        "- **How far the scene is followed** (0: not looked at, 100: nothing else is): OUS "
        + ", ".join(f"{n.follows(f'scenes-ous-{name}')} trained at ρ {rhos[name]}" for name in TRAINED)
        + "; late fusion "
        + ", ".join(n.follows(f"scenes-late-{name}") for name in TRAINED)
        + f"; scene alone {n.follows('scenes-scene')}.",
        "- **Each part of OUS left out** (trained and tested at ρ 0.5), against the whole: "
        + "; ".join(
            f"{NAMES[name].rpartition(', ')[2]} {n.apart(name, 'scenes-ous-r50', 0.5)}"
            for name in ABLATIONS
            if name in {row.variant for row in result.rows}
        )
        + ".",
        f"- **IFDD and its baseline** read the same faces through another backbone with another start, so that their distance "
        f"to OUS says nothing of the methods: {n.uar('scenes-ifdd', 0.0)} and {n.uar('scenes-baseline', 0.0)} %. What "
        f"scenes do to them: {n.helps('scenes-ifdd')} and {n.misleads('scenes-ifdd')} points, as it must be.",
    ]
    count = 3 * len(TRAINED) + sum(name in {row.variant for row in result.rows} for name in ABLATIONS)
    lines.append(
        f"- {count} differences stand here, each with an interval of its own: one in twenty leaves 0 out by chance alone, so "
        "that one that barely does is no finding."
    )
    known = [name for name in NAMES if name in {row.variant for row in result.rows}]
    return "\n".join(lines) + "\n\n" + markdown(result.of(known), NAMES)


def map_claims(reports: Sequence[FaithfulnessReport]) -> str:
    """One row a map: how far the probability follows it, beside a random order and the best order that knows no model."""
    rows = []
    for report in reports:
        for verdict in report.verdicts:
            name = f"{verdict.method} {verdict.activation.removeprefix(f'{INPUT}.')}"
            scores = next(s for s in (found.scores for found in report.by_input.values()) if name in {row.name for row in s})
            gaps = {row.name: row.gap for row in scores}
            best = max((row for row in scores if row.control), key=lambda row: row.gap.value)
            told = [report.checkpoint, METHODS[verdict.method], verdict.activation, gaps[name].text(), gaps["random"].text()]
            rows.append([*told, f"{best.name} {best.gap.text()}", verdict.badge])
    head = ["model", "method", "map of", "gap", "random order", "best order without a model", "verdict"]
    return "\n".join(markdown_table(head, rows)) + "\n"


def reports() -> list[FaithfulnessReport]:
    """What the tests found of the shipped models' maps."""
    files = [ROOT / "checkpoints" / name / FILE for name in TESTED]
    return [
        FaithfulnessReport.from_dict(read_json(file), str(file), "make it again with workbench faithfulness") for file in files
    ]


def main() -> None:
    """Writes the texts into the page."""
    replace_between(PAGE, "scenes", claims(read_scenes(SCENES)))
    replace_between(PAGE, "maps", map_claims(reports()))


if __name__ == "__main__":
    main()
