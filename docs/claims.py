"""Write what the table of the family says of the paper's claims: every figure in it comes from checkpoints/benchmark.json.

    python docs/claims.py          # after workbench benchmark … --table checkpoints/README.md

The text stands between the marks `claims` of checkpoints/README.md; a test makes it again and compares.
"""

from math import isfinite
from pathlib import Path

from ifdd.io import replace_between
from workbench.analysis.comparison.seeds import mean_over_seeds
from workbench.benchmark.results import NOISY, TOLD_CONTROL, UNIFORM_CONTROL, FamilyResult, Figure
from workbench.benchmark.stored import read_benchmark
from workbench.results.interval import Interval, number_text

FOLDER = Path(__file__).resolve().parents[1] / "checkpoints"
BENCHMARK, README, MARK = FOLDER / "benchmark.json", FOLDER / "README.md", "claims"
PAIRS = (
    ("every second frame (even-odd)", "noisy-frozen-even-odd", "noisy-frozen-even-odd-lift"),
    ("learned places, the same for all clips (constant)", "noisy-frozen-constant", "noisy-frozen-constant-lift"),
    ("learned places for each clip (ISSM; with the lift IFDD)", "noisy-frozen-issm", "noisy-frozen-ifdd"),
    ("told the truth, an upper bound", "noisy-frozen-truth", "noisy-frozen-truth-lift"),
    ("all frames: pooled baseline", "noisy-frozen-baseline", ""),
    ("all frames: the control, IFDD's refinement and pooling", "noisy-frozen-control", ""),
)
ISSM, IFDD, CONTROL = "noisy-frozen-issm", "noisy-frozen-ifdd", "noisy-frozen-control"


class Numbers:
    """Figures of a benchmark, as words of a sentence."""

    def __init__(self, result: FamilyResult) -> None:
        self.result = result

    def test(self, variant: str) -> str:
        """UAR in percent on the checkpoint's own test clips, mean over seeds."""
        return f"{100 * self._test(variant).interval.value:.1f}"

    def seeds(self, variant: str) -> str:
        """Mean, and each seed where there are several."""
        each = self._test(variant).each
        return self.test(variant) + (f" ({', '.join(f'{100 * value:.1f}' for value in each)})" if len(each) > 1 else "")

    def difference(self, first: str, second: str) -> Interval:
        """Percent points by which the first is above the second, over the seeds that both have (Student's t)."""
        pairs = zip(self._test(first).each, self._test(second).each, strict=False)
        return mean_over_seeds([100 * (one - other) for one, other in pairs])

    def apart(self, first: str, second: str) -> str:
        """The difference in words."""
        return _bare(self.difference(first, second))

    def measure(self, variant: str, name: str) -> str:
        """A measure with its interval."""
        return _share(self.result.row(variant).measures[name].interval)

    def null(self, variant: str, name: str) -> str:
        """The same with other people's clips."""
        return number_text(mean_of(self.result.row(variant).measures[name].null))

    def control(self, control: str, name: str) -> str:
        """A measure of what is known."""
        return _share(self.result.controls[control][name].interval)

    def own(self, variant: str) -> str:
        """UAR in percent with a model's own places."""
        return f"{100 * self.result.row(variant).places.own.value:.1f}"

    def swap(self, variant: str, group: str, places: str) -> str:
        """UAR in percent with other places, and the interval of the change."""
        found = self.result.row(variant).places.swap(group, places)
        return f"{100 * found.uar.value:.1f} ({_signed(_percent(found.change))})"

    def suite(self, variant: str, suite: str) -> str:
        """UAR in percent on a suite of the benchmark."""
        return f"{100 * self.result.robustness.suite(suite).scores[variant].uar.value:.1f}"

    def validation(self, variant: str) -> str:
        """UAR in percent on the checkpoint's own validation clips."""
        return f"{100 * self.result.row(variant).validation.interval.value:.1f}"

    def _test(self, variant: str) -> Figure:
        return self.result.row(variant).test


def mean_of(values: tuple[float, ...]) -> float:
    """Mean of those figures that are known."""
    known = [value for value in values if isfinite(value)]
    return sum(known) / len(known)


def _percent(interval: Interval) -> Interval:
    return Interval(100 * interval.value, 100 * interval.low, 100 * interval.high)


def _bare(found: Interval) -> str:
    return f"{number_text(found.value, '.1f')} [{number_text(found.low, '.1f')}, {number_text(found.high, '.1f')}]"


def _signed(found: Interval) -> str:
    return ("+" if found.value > 0 else "") + _bare(found)


def _share(found: Interval) -> str:
    if found.low != found.low:
        return number_text(found.value)
    return f"{number_text(found.value)} [{number_text(found.low)}, {number_text(found.high)}]"


def finding(interval: Interval) -> str:
    """What an interval of a difference shows: on which side of nought it lies, if it leaves it out."""
    if interval.low > 0:
        return "above"
    return "below" if interval.high < 0 else "no difference shown"


def claims(result: FamilyResult) -> str:
    """The section, in Markdown."""
    n = Numbers(result)
    table = [f"| {name} | {n.seeds(plain)} | {n.seeds(lifted) if lifted else ''} |" for name, plain, lifted in PAIRS]
    clips = result.robustness.suite(result.scored).clips
    lost = max(
        100 * (max(values) - min(values))
        for values in (
            [result.robustness.suite(suite).scores[variant].uar.value for suite in NOISY if suite in _suites(result)]
            for variant in (ISSM, IFDD, CONTROL, "noisy-frozen-baseline")
        )
    )
    hard = [
        100 * result.robustness.suite(suite).scores[variant].uar.value
        for suite in ("subtle", "occluded", "head-motion")
        for variant in (ISSM, IFDD, CONTROL, "noisy-frozen-baseline")
    ]
    lines = [
        "UAR in percent on each checkpoint's own test clips of noisy-50 (mean over seeds; in round brackets each seed). "
        "Backbones are "
        "frozen and shared by the rows of a seed, so differences are taken seed by seed: three seeds, Student's t with two "
        "degrees of "
        "freedom, 95 % intervals in square brackets. Above in every seed is no finding: of three fair coins one throw in four "
        "falls alike.",
        "",
        "| what the head reads | no lift | with the lift |",
        "| --- | --- | --- |",
        *table,
        "",
        "- **ISSM against fixed places, where the head reads the dynamic group alone: against even-odd "
        f"{finding(n.difference(ISSM, 'noisy-frozen-even-odd'))}, mostly by interpolation; against learned constant places "
        f"{finding(n.difference(ISSM, 'noisy-frozen-constant'))}.** Without a lift it is "
        f"{n.apart(ISSM, 'noisy-frozen-even-odd')} points above even-odd and "
        f"{n.apart(ISSM, 'noisy-frozen-constant')} above learned constant places. But the places need not follow the clip: "
        f"trained ISSM ({_trainings(result, ISSM)}) has {n.own(ISSM)} on the benchmark's {clips} clips with its own places, "
        f"{n.swap(ISSM, 'D', 'half-way')} with half-way places for every clip, {n.swap(ISSM, 'D', 'own mean')} with its own mean "
        f"places, {_other(n, ISSM)} with those of another person's clip, and {n.swap(ISSM, 'D', 'even-odd')} with even and odd "
        "ones. A step between two frames sees both of them; even-odd leaves half of the frames unread.",
        f"- **Split and lift together against the control: {finding(n.difference(IFDD, CONTROL))}.** IFDD minus the control: "
        f"{n.apart(IFDD, CONTROL)} points (it has the same refinement and pooling on all frames); minus "
        f"the pooled baseline: {n.apart(IFDD, 'noisy-frozen-baseline')}. With the lift the kind of split makes no difference "
        f"that three seeds can show: IFDD minus even-odd {n.apart(IFDD, 'noisy-frozen-even-odd-lift')}, minus constant places "
        f"{n.apart(IFDD, 'noisy-frozen-constant-lift')}.",
        f"- **Which frames the groups read ({_trainings(result, IFDD)}, {result.scored}).** IFDD's dynamic group reads "
        "the emotion's frames "
        f"{_than(result, 'AUROC D')} (AUROC {n.measure(IFDD, 'AUROC D')}; with other people's places "
        f"{n.null(IFDD, 'AUROC D')}), its *static* group clearly more often ({n.measure(IFDD, 'AUROC S')}). So the difference "
        "D − S is "
        f"below a half ({n.measure(IFDD, 'AUROC D − S')}), which an earlier version of this page took for a dynamic group "
        "that avoids "
        f"the emotion. In intensity: D reads {n.measure(IFDD, 'intensity D')} of the clip's maximum, S "
        f"{n.measure(IFDD, 'intensity S')}; reading every frame alike gives {n.control(UNIFORM_CONTROL, 'intensity D')}, told "
        "places "
        f"{n.control(TOLD_CONTROL, 'intensity D')} (AUROC {n.control(TOLD_CONTROL, 'AUROC D')}). Of ISSM alone: D "
        f"{n.measure(ISSM, 'AUROC D')}, S {n.measure(ISSM, 'AUROC S')}.",
        "- **The places do follow the clip.** A linear model that sees X of every feature frame knows "
        f"{n.measure(IFDD, 'content R²')} of "
        f"the variance of IFDD's places on unseen people, and {n.measure(ISSM, 'content R²')} of ISSM's (with other people's "
        "clips "
        f"{n.null(IFDD, 'content R²')}). An earlier version said nought: its features were averaged over time, so that "
        "nothing that "
        f"varies in time could be seen. It is not the emotion alone that they follow: from the true intensity "
        f"{n.measure(IFDD, 'intensity R²')} and {n.measure(ISSM, 'intensity R²')} are known, of places that are told the truth "
        f"{n.control(TOLD_CONTROL, 'intensity R²')}; and told places follow X less ({n.control(TOLD_CONTROL, 'content R²')}), "
        "since "
        "X does not hold the intensity in a linear form.",
        f"- **Whether it matters where IFDD reads ({_trainings(result, IFDD)}).** Own places {n.own(IFDD)}; D at half-way places "
        f"{n.swap(IFDD, 'D', 'half-way')}, at those of another person's clip {_other(n, IFDD)}, told the truth "
        f"{n.swap(IFDD, 'D', 'told')}. S at half-way places {n.swap(IFDD, 'S', 'half-way')}, at those of another person's clip "
        f"{_other(n, IFDD, 'S')}, told {n.swap(IFDD, 'S', 'told')}: the prediction hangs on the static places; of an "
        "exchange of the dynamic ones no effect is shown. "
        f"Both told: {n.swap(IFDD, 'D and S', 'told')}; a model has to be trained with the places that it is told.",
        f"- **Room that the split does not find:** trained with told places the same network is "
        f"{n.apart('noisy-frozen-truth-lift', IFDD)} points above IFDD.",
        f"- **λ, the weight of the lifting loss (seed 0):** λ = 0: {n.test('noisy-frozen-ifdd-no-loss')}; the paper's: "
        f"{_seed0(n, IFDD)}. **Other splits with the lift** (seed 0): offset {n.test('noisy-frozen-offset')}, topk "
        f"{n.test('noisy-frozen-topk')}, weight {n.test('noisy-frozen-weight')}, which mixes all frames by learned weights "
        "and did not "
        f"recover in five epochs on a frozen backbone. **Attention pooling over time:** {n.test('noisy-frozen-attention')}. "
        "One seed "
        "each: no ranking.",
        f"- **Whole networks tuned for one epoch** (seed 0): baseline {n.test('noisy-baseline')}, control "
        f"{n.test('noisy-control')}, "
        f"IFDD {n.test('noisy-ifdd')}.",
        f"- **Scene-shift** (seed 0; the scene tells the emotion in training and misleads in test): baseline "
        f"{n.validation('scene-shift-baseline')} on validation, {n.test('scene-shift-baseline')} on test; IFDD "
        f"{n.validation('scene-shift-ifdd')} and {n.test('scene-shift-ifdd')}. Separating branches did not protect IFDD from "
        "the scene.",
        f"- **Irrelevant stretches hurt little** once a network was trained on them: from none to three quarters of the frames "
        f"baseline, control, ISSM and IFDD lose at most {lost:.1f} points. Weak expressions, occluders and head turns are "
        "what none of "
        f"them was trained for: {min(hard):.1f} to {max(hard):.1f}.",
        f"- **The suite does test dynamics:** shown the middle frame alone a baseline stays near chance "
        f"({n.test('noisy-one-frame')}; chance {100 / 7:.1f}), shown all frames in random order it reaches "
        f"{n.test('noisy-shuffled')} instead of {n.test('noisy-baseline')}.",
        f"- **A residual network** (r3d-tiny, seed 0, the whole network, three epochs from a common start): pooled baseline "
        f"{n.test('noisy-cnn-baseline')}, IFDD {n.test('noisy-cnn-ifdd')}. Its IFDD learns more slowly and is far behind "
        "after the same "
        "number of steps; how it would end we did not see.",
        f"- **From random weights** (seed 0, eight epochs, easy test clips of their own): pooled baseline "
        f"{n.test('scripted-tiny-baseline')}, IFDD {n.test('easy-scratch-ifdd')}.",
    ]
    return "\n".join(lines) + "\n"


def _suites(result: FamilyResult) -> set[str]:
    return {found.suite for found in result.robustness.suites}


def _other(n: Numbers, variant: str, group: str = "D") -> str:
    return n.swap(variant, group, "other clips'")


def _seed0(n: Numbers, variant: str) -> str:
    return f"{100 * n.result.row(variant).test.each[0]:.1f}"


def _than(result: FamilyResult, name: str) -> str:
    found = result.row(IFDD).measures[name].interval
    null = mean_of(result.row(IFDD).measures[name].null)
    if found.low > max(0.5, null):
        return "a little more often than chance" if found.value < 0.6 else "more often than chance"
    return "less often than chance" if found.high < min(0.5, null) else "about as often as chance"


def _trainings(result: FamilyResult, variant: str) -> str:
    """Of how many trainings the measures of a variant are."""
    known = [i for i, value in enumerate(result.row(variant).measures["AUROC D"].each) if value == value]
    return "seed 0" if known == [0] else f"mean of {len(known)} seeds"


def main() -> None:
    """Writes the section."""
    replace_between(README, MARK, claims(read_benchmark(BENCHMARK)))


if __name__ == "__main__":
    main()
