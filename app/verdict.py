"""The honest sentence under a race, made from the measured numbers alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from dfn.words import _

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
    if over:
        text = _("After {epochs} epochs **{label}** classifies **{share}** of the test images correctly.")
    else:
        text = _(
            "So far, after {least} of {epochs} epochs, **{label}** classifies **{share}** of the test images correctly."
        )
    said = [text.format(epochs=epochs, least=least, label=fused.label, share=_percent(fused))]
    deep = results.get("plain")
    if deep is not None:
        said.append(_beside_deep(fused, deep))
    controls = [results[role] for role in ("shallow", "resnet", "late", "decision") if role in results]
    if controls:
        said.append(_beside_controls(fused, controls))
    said.append(_("One seed: a gap of a few percent may be chance.") if over else "")
    return " ".join(sentence for sentence in said if sentence)


def _beside_deep(fused: Result, deep: Result) -> str:
    gap = fused.accuracy - deep.accuracy
    if gap > HUGE:
        text = _("Its deep base alone, {label}, reaches {share}: fusion made this depth trainable.")
    elif gap > LARGE:
        text = _("Its deep base alone, {label}, reaches {share}: fused, this depth is easier to train.")
    elif gap < -LARGE:
        text = _("Its deep base alone, {label}, is ahead with {share}: here fusion did not help.")
    else:
        text = _("Its deep base alone, {label}, reaches {share}: this depth trains without fusion as well.")
    return text.format(label=deep.label, share=_percent(deep))


def _beside_controls(fused: Result, controls: list[Result]) -> str:
    named = ", ".join(f"{c.label} {_percent(c)}" for c in controls)
    best = max(controls, key=lambda c: c.accuracy)
    gap = fused.accuracy - best.accuracy
    if gap > SMALL:
        text = _("The controls: {named}. Here the fused net is ahead of them.")
    elif gap < -SMALL:
        text = _("The controls: {named}. On these data depth is not needed; fusion makes it harmless, not better.")
    else:
        text = _("The controls: {named}, within {gap:.0f} points of the fused net.")
    return text.format(named=named, gap=100 * SMALL)


def _percent(result: Result) -> str:
    return f"{100 * result.accuracy:.1f} %"
