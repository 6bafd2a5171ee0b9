"""What test accuracies by seed are worth: the spread over the seeds, paired differences with an interval, plain words.

Two nets that share a seed see the same images in the same order, so they are compared seed by seed. The interval is
that of the paired t: for 3 to 10 seeds it is exact where its assumption holds, while a bootstrap over so few would be
too narrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from dfn.words import N_, _, ngettext

Accuracies = Mapping[int, float]
"""Test accuracy, from 0 to 1, by seed."""

CONFIDENCE = 0.95
LEVEL = 0.0005  # half of the last digit that is shown

ASSUMPTION = N_(
    "The intervals are those of the paired t: they take the differences by seed for independent draws from one normal "
    "distribution, and speak of other seeds on the same images, not of other images."
)


@dataclass(frozen=True)
class Difference:
    """One net's accuracy less another's: by seed, their mean, and the interval in which the mean over all seeds lies
    with 95 % confidence (None for one seed)."""

    by_seed: dict[int, float]
    mean: float
    interval: tuple[float, float] | None


def spread(accuracies: Accuracies) -> float | None:
    """Highest less lowest accuracy; None for fewer than two seeds."""
    values = accuracies.values()
    return max(values) - min(values) if len(values) > 1 else None


def difference(one: Accuracies, other: Accuracies) -> Difference | None:
    """The paired difference over the seeds that both have; None where there is none."""
    by_seed = {seed: one[seed] - other[seed] for seed in one if seed in other}
    if not by_seed:
        return None
    mean = fmean(by_seed.values())
    return Difference(by_seed, mean, _interval(mean, list(by_seed.values())))


def _interval(mean: float, values: list[float]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    from scipy.special import stdtrit  # half a second, which a list of runs need not wait for

    freedom = len(values) - 1
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * stdev(values) / len(values) ** 0.5
    return mean - half, mean + half


def sentence(label: str, one: Accuracies, other_label: str, other: Accuracies) -> str:
    """What the gap between two nets is worth, over the seeds that both have. It is set beside the larger of the two
    spreads."""
    found = difference(one, other)
    seeds = found.by_seed if found else {}
    width = max(spread({seed: net[seed] for seed in seeds}) or 0.0 for net in (one, other))
    return _verdict(found, width).format(
        net=label,
        other=other_label,
        gap=100 * abs(found.mean) if found else 0.0,
        spread=100 * width,
        count=len(seeds),
    )


def _verdict(found: Difference | None, width: float) -> str:
    """The sentence for a difference beside a spread, without its names and numbers."""
    if found is None:
        return _("{net} and {other} have no seed in common yet.")
    ahead = found.mean > 0
    if abs(found.mean) < LEVEL:
        return ngettext(
            "{net} and {other} are level.", "{net} and {other} are level over {count} seeds.", len(found.by_seed)
        )
    if found.interval is None and ahead:
        return _("{net} is {gap:.1f} points ahead of {other}; one seed says nothing about the spread.")
    if found.interval is None:
        return _("{net} is {gap:.1f} points behind {other}; one seed says nothing about the spread.")
    match ahead, abs(found.mean) > width:
        case True, True:
            return _(
                "{net} is {gap:.1f} points ahead of {other}, larger than the spread of {spread:.1f} points over "
                "{count} seeds."
            )
        case True, False:
            return _(
                "{net} is {gap:.1f} points ahead of {other}, inside the spread of {spread:.1f} points over {count} "
                "seeds."
            )
        case False, True:
            return _(
                "{net} is {gap:.1f} points behind {other}, larger than the spread of {spread:.1f} points over "
                "{count} seeds."
            )
    return _("{net} is {gap:.1f} points behind {other}, inside the spread of {spread:.1f} points over {count} seeds.")


def points(low_high: tuple[float, float] | None) -> str:
    """An interval of differences in points, `-1.2 to 0.4`; a dash where there is none."""
    return "–" if low_high is None else " to ".join(f"{100 * value:+.1f}".replace("-", "−") for value in low_high)
