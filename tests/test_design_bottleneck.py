"""Dealing numbers to lanes: against every possible deal, and within the effort that it promises."""

import time
from itertools import permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from dfn.design.bottleneck import smallest_maximum


def rows(lanes, most_rows, largest=12):
    row = st.lists(st.integers(0, largest), min_size=lanes, max_size=lanes)
    return st.lists(row, min_size=1, max_size=most_rows)


def brute_force(rows):
    first, *rest = [list(set(permutations(row))) for row in rows]
    return min(max(map(sum, zip(first[0], *deal, strict=True))) for deal in product(*rest))


@settings(deadline=None)
@given(rows(lanes=2, most_rows=8))
def test_two_lanes_are_solved(dealt):
    assert smallest_maximum(dealt) == (brute_force(dealt),) * 2


@settings(max_examples=60, deadline=None)
@given(st.one_of(rows(lanes=3, most_rows=5), rows(lanes=4, most_rows=3)))
def test_few_lanes_are_solved(dealt):
    assert smallest_maximum(dealt) == (brute_force(dealt),) * 2


@settings(max_examples=30, deadline=None)
@given(st.one_of(rows(lanes=5, most_rows=3), rows(lanes=6, most_rows=2)))
def test_more_lanes_are_between_the_bounds(dealt):
    best, lower = smallest_maximum(dealt)
    assert lower <= brute_force(dealt) <= best


def test_one_lane_holds_everything():
    assert smallest_maximum([[3], [4]]) == (7, 7)


def test_very_many_lanes_and_rows_are_no_trap():
    began = time.process_time()
    for lanes, count in ((4, 64), (64, 2), (64, 40), (9, 300), (3, 1000)):
        dealt = [[(k * k + b * k) % 37 for k in range(lanes)] for b in range(count)]
        best, lower = smallest_maximum(dealt)
        assert lower <= best <= lower + 37
    assert time.process_time() - began < 5
