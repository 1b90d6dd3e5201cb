"""Temperature against LBFGS and simulated truth; ambiguity against scipy and by hand."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy, spearmanr
from torch.nn.functional import cross_entropy

from ifdd.errors import InputError
from workbench.analysis.confidence.reliability import (
    fit_temperature,
    log_probabilities,
    negative_log_likelihood,
    temperature_scaling,
)
from workbench.analysis.confidence.votes import ambiguity


def simulated(n: int, temperature: float, seed: int = 0, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is right only at a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3, size=(n, classes))
    labels = (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=1)  # the Gumbel trick draws from the softmax
    return logits, labels


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_planted_temperature_is_found(temperature: float) -> None:
    assert fit_temperature(*simulated(20000, temperature)) == pytest.approx(temperature, rel=0.05)


def test_temperature_is_that_of_lbfgs() -> None:
    logits, labels = simulated(300, 2.0, seed=3)
    z, y, log_t = torch.tensor(logits), torch.tensor(labels), torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_t], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-14)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = cross_entropy(z / log_t.exp(), y)
        loss.backward()
        return loss

    optimiser.step(closure)
    assert fit_temperature(logits, labels) == pytest.approx(log_t.detach().exp().item(), rel=1e-5)


@given(st.integers(0, 1000), st.floats(-50, 50), st.floats(0.2, 5))
def test_what_a_temperature_does_not_depend_on(seed: int, shift: float, factor: float) -> None:
    logits, labels = simulated(60, 1.0, seed)
    found = fit_temperature(logits, labels)
    assert fit_temperature(logits + shift, labels) == pytest.approx(found, rel=1e-6)
    assert fit_temperature(logits * factor, labels) == pytest.approx(found * factor, rel=1e-6)
    assert negative_log_likelihood(logits / found, labels) <= negative_log_likelihood(logits, labels) + 1e-12


def test_logarithms_of_probabilities_do_as_well() -> None:
    logits, labels = simulated(200, 2.0)
    probs = torch.tensor(logits).softmax(-1).numpy()
    assert fit_temperature(log_probabilities(probs), labels) == pytest.approx(fit_temperature(logits, labels), rel=1e-9)
    assert np.isfinite(log_probabilities([[1.0, 0.0]])).all()


def test_scaling_of_other_clips() -> None:
    result = temperature_scaling(*simulated(4000, 3.0, 1), *simulated(4000, 3.0, 2), label_names=list("abcde"))
    assert result.before.ece > 0.15
    assert result.after.ece < 0.03
    assert result.nll[1] < result.nll[0]
    assert result.brier[1] < result.brier[0]
    assert (result.n_fit, result.after.n) == (4000, 4000)
    before, after = ((r.counts * np.nan_to_num(r.accuracy)).sum() for r in (result.before, result.after))
    assert before == pytest.approx(after)  # accuracy stays
    assert "from 4000 validation clips; on 4000 others ECE" in result.caption
    json.dumps(result.to_dict(), allow_nan=False)


def test_brier_and_likelihood_by_hand() -> None:
    logits = np.log([[0.8, 0.2], [0.4, 0.6]])
    result = temperature_scaling(*simulated(50, 1.0, classes=2), logits, [0, 0])
    assert result.nll[0] == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert result.brier[0] == pytest.approx((2 * 0.2**2 + 2 * 0.6**2) / 2)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        ([[2.0, 1.0], [0.0, 3.0]], [0, 1], "all 2 validation clips are right"),
        ([[2.0, 1.0], [0.0, 3.0]], [1, 0], "no more likely than chance"),
        ([[1.0, 1.0], [2.0, 2.0]], [1, 0], "equal logits in all 2 clips"),
        ([[np.nan, 1.0]], [0], r"logits\[0\] is not finite"),
        ([1.0, 2.0], [0], "logits has shape"),
        ([[1.0, 2.0]], [2], "allowed is 0 to 1"),
    ],
)
def test_no_temperature(logits: list, labels: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_temperature(logits, labels)


def test_another_number_of_classes() -> None:
    with pytest.raises(InputError, match="fitted on 5 classes, these clips have 2"):
        temperature_scaling(*simulated(50, 1.0), [[1.0, 2.0]], [0])


def test_ambiguity_by_hand_and_scipy() -> None:
    rng = np.random.default_rng(0)
    probs, votes = rng.dirichlet(np.ones(4), 40), rng.integers(0, 6, (40, 4))
    votes[7] = 0
    result = ambiguity(probs, votes)
    kept = np.delete(np.arange(40), 7)
    np.testing.assert_array_equal(result.rows, kept)
    assert (result.n, result.n_without_votes) == (39, 1)
    shares = votes[kept] / votes[kept].sum(1, keepdims=True)
    np.testing.assert_allclose(result.vote_entropy, [entropy(row, base=4) for row in shares])
    np.testing.assert_allclose(result.model_entropy, [entropy(row, base=4) for row in probs[kept]])
    np.testing.assert_allclose(result.divergence, [entropy(q, p) for q, p in zip(shares, probs[kept], strict=True)])
    np.testing.assert_allclose(result.distance, np.abs(shares - probs[kept]).sum(1) / 2)
    np.testing.assert_allclose(result.support, [q[p.argmax()] for q, p in zip(shares, probs[kept], strict=True)])
    assert result.correlation.value == pytest.approx(spearmanr(result.vote_entropy, result.model_entropy).statistic)
    assert result.correlation.low < result.correlation.value < result.correlation.high
    assert result.caption.startswith("n = 39; rank correlation of the entropies")


def test_a_model_that_says_what_the_votes_say() -> None:
    rng = np.random.default_rng(1)
    votes = rng.multinomial(10, rng.dirichlet(np.ones(3), 50))
    result = ambiguity(votes / 10, votes)
    assert result.soft_ece == pytest.approx(0, abs=1e-12)
    assert result.divergence.max() == pytest.approx(0, abs=1e-12)
    assert result.correlation.value == pytest.approx(1)
    doubled = ambiguity(np.tile(votes / 10, (2, 1)), np.tile(votes, (2, 1)), groups=np.tile(np.arange(50), 2))
    assert doubled.correlation.value == pytest.approx(1)


def test_ambiguity_degenerate_and_bad_input() -> None:
    even = ambiguity(np.full((5, 2), 0.5), np.tile([3, 1], (5, 1)))
    assert np.isnan(even.correlation.value)
    assert len(even.notes) == 2
    probs = np.random.default_rng(1).dirichlet(np.ones(3), 6)
    alone = ambiguity(probs, [[3, 1, 0], [1, 1, 1], [0, 2, 1], [4, 0, 0], [0, 0, 0], [0, 0, 0]], groups=list("aaaabb"))
    assert np.isfinite(alone.correlation.value)
    assert np.isnan([alone.correlation.low, alone.correlation.high]).all()  # all clips with votes are of one person
    sure = ambiguity([[1.0, 0.0]], [[1, 1]])
    assert np.isfinite(sure.divergence).all()
    assert any("has probability 0" in note for note in sure.notes)
    for votes, message in (
        ([[1, 2, 3]], "votes has shape"),
        ([[0, 0]], "none of the 1 clips has a vote"),
        ([[-1, 2]], r"votes\[0\] holds -1 for class 0"),
        ([[np.nan, 2]], r"votes\[0\] holds nan"),
    ):
        with pytest.raises(InputError, match=message):
            ambiguity([[0.5, 0.5]], votes)
    with pytest.raises(InputError, match="bins is 0"):
        ambiguity([[0.5, 0.5]], [[1, 1]], bins=0)


def test_equal_entropies_are_one_rank() -> None:
    """The same votes for other classes: equal entropies by the letter, and Spearman's correlation of the exact ranks."""
    rng = np.random.default_rng(0)
    kinds = np.array([[10, 0, 0, 0, 0], [7, 2, 1, 0, 0], [5, 3, 2, 0, 0], [3, 3, 2, 1, 1], [6, 2, 1, 1, 0]])
    which = rng.integers(0, 5, 300)
    votes = np.stack([rng.permutation(kinds[k]) for k in which])
    probs = rng.dirichlet(np.ones(5), 300)
    found = ambiguity(probs, votes)
    assert len(np.unique(found.vote_entropy)) == len(np.unique(which))
    exact = np.array([entropy(kinds[k] / kinds[k].sum()) for k in range(5)])[which]
    model = np.array([entropy(np.sort(row)) for row in probs])
    assert found.correlation.value == pytest.approx(spearmanr(exact, model).statistic, abs=1e-12)
    assert found.soft_ece_interval.low <= found.soft_ece <= found.soft_ece_interval.high
