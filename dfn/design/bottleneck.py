"""Dealing the numbers of every row to lanes, one number of a row to each lane, so that the largest lane is small.

This is what lies behind the essential depth: a row holds the depths of the blocks before one fusion, a lane is a base
network. For two lanes it is a subset sum over the differences of the rows, which a set of bits solves. For more lanes
it is a bottleneck assignment: two lanes at a time are balanced until no pair can gain; then a lower bound, or else a
bounded search for something better, may show that nothing is.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from math import ceil, factorial, prod

SEARCHED = 10_000

Row = Sequence[int]


def smallest_maximum(rows: Sequence[Row]) -> tuple[int, int]:
    """(the largest lane sum of the best deal found, a lower bound for every deal); equal where it is solved."""
    lanes = _balanced(_dealt_greedily(rows))
    best = max(map(sum, lanes))
    if len(lanes) <= 2:  # balancing two lanes is exact
        return best, best
    lower = _lower_bound(rows)
    return (best, best) if best == lower else _searched(rows, best, lower)


def _dealt_greedily(rows: Sequence[Row]) -> list[list[int]]:
    """The numbers in each lane when, uneven rows first, the largest number goes to the smallest lane."""
    lanes: list[list[int]] = [[] for _ in rows[0]]
    for row in sorted(rows, key=_unevenness, reverse=True):
        for lane, number in zip(sorted(lanes, key=sum), sorted(row, reverse=True), strict=True):
            lane.append(number)
    return lanes


def _balanced(lanes: list[list[int]]) -> list[list[int]]:
    """Balance the largest lane with another one until that no longer helps."""
    lanes = sorted(lanes, key=sum)
    index = 0
    while index < len(lanes) - 1:
        pair = _balanced_pair(lanes[index], lanes[-1])
        if max(map(sum, pair)) < sum(lanes[-1]):
            lanes[index], lanes[-1] = pair
            lanes.sort(key=sum)
            index = 0
        else:
            index += 1
    return lanes


def _balanced_pair(a: Row, b: Row) -> tuple[list[int], list[int]]:
    """Two lanes with numbers exchanged within their rows so that the larger lane is as small as it can be.

    Both lanes have the smaller number of every row; which of the differences to add to the first lane is a subset
    sum. Bit s of `reachable[i]` says whether some of the first i differences sum to s.
    """
    gaps = [abs(x - y) for x, y in zip(a, b, strict=True)]
    reachable = [1]
    for gap in gaps:
        reachable.append(reachable[-1] | reachable[-1] << gap)
    up_to_half = (1 << sum(gaps) // 2 + 1) - 1
    wanted = (reachable[-1] & up_to_half).bit_length() - 1
    first, second = list(map(min, a, b)), list(map(max, a, b))
    for i in reversed(range(len(gaps))):
        if not reachable[i] >> wanted & 1:
            wanted -= gaps[i]
            first[i], second[i] = second[i], first[i]
    return first, second


def _lower_bound(rows: Sequence[Row]) -> int:
    """The j lanes that hold the j largest numbers of a row hold at least the j smallest of every other row."""
    ascending = [sorted(row) for row in rows]
    bounds = []
    for j in range(1, len(rows[0]) + 1):
        least = sum(sum(row[:j]) for row in ascending)
        bounds.append(ceil((least + max(sum(row[-j:]) - sum(row[:j]) for row in ascending)) / j))
    return max(bounds)


def _searched(rows: Sequence[Row], best: int, lower: int) -> tuple[int, int]:
    """Every deal, row by row, without those that cannot end below `best`; given up where there are too many."""
    first, *rest = sorted(rows, key=_unevenness, reverse=True)
    lanes = len(first)
    least, most = sum(map(min, rest)), sum(map(max, rest))  # what the rows to come add to a lane
    shallowest = sum(map(sum, rows)) - (lanes - 1) * (best - 1)  # the others cannot hold more
    states = {tuple(sorted(first))}
    effort = 0
    for row in rest:
        effort += len(states) * factorial(lanes) // prod(map(factorial, Counter(row).values()))
        if effort > SEARCHED:
            return best, lower
        least, most = least - min(row), most - max(row)
        orders = set(permutations(row))
        states = {
            tuple(sorted(sums))
            for state in states
            for order in orders
            for sums in [[lane + number for lane, number in zip(state, order, strict=True)]]
            if max(sums) + least < best and min(sums) + most >= shallowest
        }
    better = min(map(max, states), default=best)
    return better, better


def _unevenness(row: Row) -> int:
    return max(row) - min(row)
