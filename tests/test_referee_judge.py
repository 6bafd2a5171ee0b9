"""The referee's arithmetic: known values, brute force, and intervals that cover what they promise."""

import random
from statistics import NormalDist, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dfn.referee.judge import difference, points, sentence, spread

ACCURACIES = st.dictionaries(st.integers(0, 9), st.floats(0, 1), min_size=2, max_size=10)


def test_a_known_interval() -> None:
    """Differences 1, 2, 3 points: mean 2, standard error 1/sqrt(3), t(2) = 4.3027 (any table of Student's t)."""
    found = difference({0: 0.91, 1: 0.92, 2: 0.93}, {0: 0.90, 1: 0.90, 2: 0.90})
    assert found and found.mean == pytest.approx(0.02)
    assert found.interval == pytest.approx((0.02 - 0.043027 / 3**0.5, 0.02 + 0.043027 / 3**0.5), rel=1e-4)


@pytest.mark.medium
@given(ACCURACIES, ACCURACIES)
def test_the_interval_is_that_of_an_independent_implementation(one: dict[int, float], other: dict[int, float]) -> None:
    seeds = sorted(one.keys() & other.keys())
    found = difference(one, other)
    if len(seeds) < 2:
        assert (found is None) == (not seeds) and (found is None or found.interval is None)
        return
    assert found and sorted(found.by_seed) == seeds
    if max(found.by_seed.values()) - min(found.by_seed.values()) > 1e-9:  # the reference divides by their spread
        reference = stats.ttest_rel([one[s] for s in seeds], [other[s] for s in seeds])
        assert found.interval == pytest.approx(tuple(reference.confidence_interval(0.95)), abs=1e-9)
    turned = difference(other, one)
    assert turned and turned.interval and found.interval
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]), abs=1e-12)


@pytest.mark.medium
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_covers_as_often_as_it_says(seeds: int) -> None:
    """4000 experiments whose nets share a luck of each seed: the pairs cancel it, and 95 % of the intervals hold the
    true difference (plus or minus four standard deviations of that count)."""
    luck, draws, true, trials = random.Random(seeds), NormalDist(0, 0.02), 0.03, 4000
    hits = 0
    for _ in range(trials):
        shared = draws.samples(seeds, seed=luck.random())
        own = draws.samples(2 * seeds, seed=luck.random())
        one = {seed: 0.5 + true + 3 * shared[seed] + own[seed] for seed in range(seeds)}
        other = {seed: 0.5 + 3 * shared[seed] + own[seeds + seed] for seed in range(seeds)}
        found = difference(one, other)
        assert found and found.interval
        hits += found.interval[0] <= true <= found.interval[1]
    assert abs(hits / trials - 0.95) < 4 * (0.95 * 0.05 / trials) ** 0.5


def test_the_spread_is_the_range() -> None:
    assert spread({0: 0.9, 3: 0.7, 4: 0.8}) == pytest.approx(0.2)
    assert spread({0: 0.9}) is None and spread({}) is None


def test_only_common_seeds_are_paired() -> None:
    found = difference({0: 0.9, 1: 0.8, 5: 0.1}, {1: 0.7, 0: 0.6, 2: 1.0})
    assert found and found.by_seed == pytest.approx({0: 0.3, 1: 0.1}) and found.mean == pytest.approx(0.2)
    assert difference({0: 0.5}, {1: 0.5}) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ((0.9, 0.92), (0.8, 0.83), "9.5 points ahead of b, larger than the spread of 3.0 points over 2 seeds"),
        ((0.8, 0.83), (0.9, 0.92), "9.5 points behind b, larger than"),
        ((0.90, 0.92), (0.86, 0.92), "2.0 points ahead of b, inside the spread of 6.0 points"),
        ((0.9,), (0.8,), "one seed says nothing about the spread"),
        ((0.9,), (0.9,), "a and b are level."),
        ((), (0.9,), "no seed in common yet"),
        ((0.9, 0.5), (0.9,), "a and b are level."),
    ],
)
def test_the_honest_sentence(ours: tuple[float, ...], theirs: tuple[float, ...], said: str) -> None:
    assert said in sentence("a", dict(enumerate(ours)), "b", dict(enumerate(theirs)))


def test_the_spread_in_words_is_that_of_the_paired_seeds() -> None:
    """A seed that only one of the nets has come to must not widen the spread that the gap is held against."""
    one, other = {0: 0.9, 1: 0.91, 2: 0.1}, {0: 0.8, 1: 0.81}
    assert "larger than the spread of 1.0 points over 2 seeds" in sentence("a", one, "b", other)
    assert fmean(one.values()) < fmean(other.values())


def test_intervals_as_people_read_them() -> None:
    assert points((-0.012, 0.004)) == "−1.2 to +0.4" and points(None) == "–"
