"""The honest sentence under a race, made from the measured numbers alone."""

from collections.abc import Mapping
from dataclasses import dataclass

HUGE = 0.40
LARGE = 0.10
SMALL = 0.02


@dataclass(frozen=True)
class Result:
    """What one net reached: its name at the curve, its role, test accuracy from 0 to 1, after which epoch."""

    label: str
    role: str
    accuracy: float
    epoch: int


def verdict(results: Mapping[str, Result], epochs: int) -> str:
    """One to three sentences in Markdown over the results by role (`fused`, `plain`, `shallow`, `resnet`, ...)."""
    fused = results.get("fused")
    if fused is None:
        return ""
    over = all(result.epoch >= epochs for result in results.values())
    least = min(result.epoch for result in results.values())
    when = f"After {epochs} epochs" if over else f"So far, after {least} of {epochs} epochs,"
    said = [f"{when} **{fused.label}** classifies **{_percent(fused)}** of the test images correctly."]
    deep = results.get("plain")
    if deep is not None:
        said.append(_beside_deep(fused, deep))
    controls = [results[role] for role in ("shallow", "resnet", "late", "decision") if role in results]
    if controls:
        said.append(_beside_controls(fused, controls))
    said.append("One seed: a gap of a few percent may be chance." if over else "")
    return " ".join(sentence for sentence in said if sentence)


def _beside_deep(fused: Result, deep: Result) -> str:
    gap = fused.accuracy - deep.accuracy
    if gap > HUGE:
        return f"Its deep base alone, {deep.label}, reaches {_percent(deep)}: fusion made this depth trainable."
    if gap > LARGE:
        return f"Its deep base alone, {deep.label}, reaches {_percent(deep)}: fused, this depth is easier to train."
    if gap < -LARGE:
        return f"Its deep base alone, {deep.label}, is ahead with {_percent(deep)}: here fusion did not help."
    return f"Its deep base alone, {deep.label}, reaches {_percent(deep)}: this depth trains without fusion as well."


def _beside_controls(fused: Result, controls: list[Result]) -> str:
    named = ", ".join(f"{c.label} {_percent(c)}" for c in controls)
    best = max(controls, key=lambda c: c.accuracy)
    gap = fused.accuracy - best.accuracy
    if gap > SMALL:
        return f"The controls: {named}. Here the fused net is ahead of them."
    if gap < -SMALL:
        return f"The controls: {named}. On these data depth is not needed; fusion makes it harmless, not better."
    return f"The controls: {named}, within {100 * SMALL:.0f} points of the fused net."


def _percent(result: Result) -> str:
    return f"{100 * result.accuracy:.1f} %"
