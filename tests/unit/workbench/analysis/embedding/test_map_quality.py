"""Quality figures of a map against hand-counted cases, scikit-learn, and what chance gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score

from ifdd.errors import InputError
from workbench.analysis.embedding import quality as map_quality
from workbench.analysis.embedding.quality import knn_accuracy, neighbourhoods, random_trust, sample, silhouette


def test_knn_accuracy_by_hand() -> None:
    # on a line, three neighbours: only the a at 10 sits among b
    xy = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [10, 0], [10.5, 0], [11, 0], [9, 0]], dtype=float)
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    assert knn_accuracy(xy, labels, 3).value == 7 / 8


def test_tied_votes_go_to_the_nearer_class() -> None:
    xy = np.array([[0.0, 0], [1, 0], [-1.5, 0], [50, 0], [50.1, 0], [50.2, 0]])
    labels = np.array([1, 1, 0, 0, 0, 0])
    # clip 0 has neighbours 1 (its class, nearer) and 2; clip 1: 0 and 2, also right; clip 2: both of class 1, wrong
    assert knn_accuracy(xy, labels, 2).value == 5 / 6


def test_more_votes_win_however_many_neighbours() -> None:
    # 200 neighbours: the nearest 99 are of the other class, the 101 behind them of the clip's own
    xy = np.stack([np.concatenate([[0.0], np.linspace(1, 2, 99), np.linspace(3, 4, 101)]), np.zeros(201)], 1)
    labels = np.array([0] + [1] * 99 + [0] * 101)
    far = np.vstack([xy, [[1000.0, 0]]])
    asked = knn_accuracy(far, np.append(labels, 0), 200)
    assert asked.k == 200
    assert asked.value == pytest.approx(103 / 202)  # 0s: at 0, the 101, the far one


def test_duplicates_do_not_vote_for_themselves() -> None:
    assert knn_accuracy(np.zeros((6, 2)), np.array([0, 0, 1, 1, 2, 2]), 1).value <= 0.5


@pytest.mark.parametrize(
    ("labels", "k", "groups", "reason"),
    [
        (range(6), 2, None, "no class has two clips"),
        ([0] * 6, 2, None, "all clips are of one class"),
        ([0, 0, 0, 1, 1, 1], 5, None, "all other clips vote, wherever they lie: 6 clips, k = 5"),
        ([0, 0, 0, 1, 1, 1], 2, [0, 0, 0, 1, 1, 1], "no class has two groups"),
        ([0, 1, 0, 1, 0, 1], 4, [0, 0, 1, 1, 2, 2], "all other clips vote, wherever they lie: 6 clips, k = 4"),
    ],
)
def test_where_the_map_cannot_matter_there_is_no_accuracy(
    labels: list[int], k: int, groups: list[int] | None, reason: str
) -> None:
    """The number that was given is the same for every map: 20 random ones."""
    from workbench.analysis.embedding.quality import vote

    y, random = np.array(labels), np.random.default_rng(0)
    for _ in range(20):
        xy = random.normal(size=(6, 2))
        found = knn_accuracy(xy, y, k, groups=groups)
        assert np.isnan([found.value, found.null]).all()
        assert (found.reason, str(found)) == (reason, f"– ({reason})")
    for _ in range(20 if groups is None else 0):
        order = np.stack([random.permutation(np.delete(np.arange(6), i))[:k] for i in range(6)])
        right = vote(y[order]) == y
        assert right.mean() == (1 if len(set(labels)) == 1 else 0)  # whatever the neighbours are


def test_where_the_map_matters_there_is_an_accuracy() -> None:
    assert knn_accuracy(np.array([[0, 0], [0, 1], [9, 9]]), np.array([0, 0, 1]), 1).reason == ""
    assert silhouette(np.eye(4), np.arange(4)).reason == "no class has two clips"
    assert silhouette(np.eye(4), np.zeros(4, int)).reason == "all clips are of one class"


def test_a_person_does_not_vote_for_their_own_clips() -> None:
    """Each person is a point: left out alone, a clip finds its twins; without the person, it finds the person beside."""
    place = np.repeat([0.0, 1.0, 10.0, 11.0], 3)
    xy = np.stack([place, np.zeros(12)], 1)
    persons = np.repeat([0, 1, 2, 3], 3)
    labels = np.repeat([0, 1, 2, 2], 3)  # two neighbours who differ, two who agree
    assert knn_accuracy(xy, labels, 2).value == 1.0
    held_out = knn_accuracy(xy, labels, 2, groups=persons)
    assert held_out.value == 0.5
    assert (held_out.name, held_out.n, held_out.k) == ("kNN accuracy, other groups", 12, 2)


def test_no_more_neighbours_than_other_groups_have() -> None:
    assert knn_accuracy(np.eye(4)[:, :2], np.array([0, 0, 1, 1]), 5, groups=[0, 0, 0, 1]).k == 1
    with pytest.raises(InputError, match="all clips are of one group"):
        knn_accuracy(np.eye(4), np.zeros(4, int), 1, groups=[7, 7, 7, 7])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_knn_accuracy_is_the_plain_definition(seed: int, k: int, grouped: bool) -> None:
    rng = np.random.default_rng(seed)
    x, y, groups = rng.normal(size=(25, 3)), rng.integers(0, 3, 25), rng.integers(0, 5, 25) if grouped else np.arange(25)
    right = 0
    for i in range(25):
        others = np.flatnonzero(groups != groups[i])
        order = others[np.argsort(((x[others] - x[i]) ** 2).sum(1))][:k]
        counts = np.bincount(y[order], minlength=3)
        best = np.flatnonzero(counts == counts.max())
        if len(best) == 1:
            right += best[0] == y[i]
        else:  # of equal counts, the class whose clips are nearer on the whole
            ranks = [np.flatnonzero(y[order] == c).sum() for c in best]
            right += best[int(np.argmin(ranks))] == y[i]
    found = knn_accuracy(x, y, k, groups=groups if grouped else None)
    assert found.value == pytest.approx(right / 25)


def test_many_neighbours_are_found_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 2)), rng.integers(0, 3, 40)
    whole = knn_accuracy(x, y, 4)
    monkeypatch.setattr(map_quality, "_BLOCK", 12)
    assert knn_accuracy(x, y, 4) == whole


def test_trustworthiness_by_hand() -> None:
    """Five clips on a line, one neighbour: the map's neighbours A→E, B→D, C→E, D→C, E→A have the ranks 4, 3, 4, 1, 4 in x."""
    x, xy = np.array([[0.0], [1], [3], [6], [10]]), np.array([[0.0, 0], [10, 0], [3.4, 0], [6, 0], [1, 0]])
    trust, _ = neighbourhoods(x, xy, 1)
    assert trust.value == pytest.approx(1 - 2 / (5 * 1 * (10 - 3 - 1)) * (3 + 2 + 3 + 0 + 3))


def test_continuity_exchanges_the_spaces() -> None:
    rng = np.random.default_rng(0)
    x, xy = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
    trust, back = neighbourhoods(x, xy, 4)
    assert back.value == trustworthiness(xy, x, n_neighbors=4)
    assert trust.value != back.value


def test_a_faithful_map_is_perfect_and_a_random_one_at_its_null() -> None:
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(60, 2))
    for measure in neighbourhoods(3 * xy, xy, 5):
        assert measure.value == 1.0
    x = rng.normal(size=(60, 8))
    values = np.array([[m.value for m in neighbourhoods(x, rng.permutation(xy), 5)] for _ in range(200)])
    error = values.std(0) / np.sqrt(200)
    assert (np.abs(values.mean(0) - random_trust(60, 5)) < 4 * error).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_silhouette_is_that_of_scikit_learn(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 3)).round(1), rng.integers(0, classes, 30)
    y[:2] = [0, 1]
    assert silhouette(x, y).value == pytest.approx(silhouette_score(x, y), abs=1e-12)


def test_silhouette_without_a_second_class_is_undefined() -> None:
    assert np.isnan(silhouette(np.eye(4), np.zeros(4, int)).value)
    assert np.isnan(silhouette(np.eye(4), np.arange(4)).value)
    assert silhouette(np.zeros((4, 2)), np.array([0, 0, 1, 1])).value == 0


def test_silhouette_of_shuffled_labels_is_near_nothing() -> None:
    rng = np.random.default_rng(1)
    found = silhouette(rng.normal(size=(300, 2)), rng.integers(0, 2, 300))
    assert abs(found.null) < 0.02
    assert abs(found.value - found.null) < 0.02


def test_measures_of_all_distances_take_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_quality, "MOST_CLIPS", 50)
    rng = np.random.default_rng(5)
    x, xy, y = rng.normal(size=(90, 4)), rng.normal(size=(90, 2)), rng.integers(0, 3, 90)
    chosen = np.sort(np.random.default_rng(5).choice(90, 50, replace=False))
    np.testing.assert_array_equal(sample(90, 5), chosen)
    trust, _ = neighbourhoods(x, xy, 5, seed=5)
    assert (trust.value, trust.n) == (trustworthiness(x[chosen], xy[chosen], n_neighbors=5), 50)
    assert silhouette(x, y, seed=5).n == 50
    assert knn_accuracy(x, y, 5, seed=5).n == 50
    assert knn_accuracy(xy, y, 5, seed=5).n == 90


def test_the_null_of_a_map_that_clusters_by_person_is_not_chance():
    """Every person shows one class and lies apart: the map finds persons, and the null says that this is all it finds."""
    rng = np.random.default_rng(0)
    persons = np.repeat(np.arange(30), 6)
    x = (10 * rng.normal(size=(30, 2)))[persons] + rng.normal(size=(180, 2)) / 10
    labels = rng.integers(0, 3, 30)[persons]
    blind, seeing = knn_accuracy(x, labels, 5), knn_accuracy(x, labels, 5, persons=persons)
    assert blind.value == seeing.value > 0.95
    assert blind.null < 0.5
    assert seeing.null > 0.95
    own = np.tile(np.arange(3), 60)  # the positive control: classes lie apart within each person
    found = knn_accuracy(x + 2 * np.array([[0, 0], [1, 0], [0, 1]])[own], own, 1, persons=persons)
    assert found.value > 0.8
    assert found.null < 0.5
