"""A comparison as a table of Markdown, for the docs and for whoever wants to paste it."""

from collections.abc import Sequence

from dfn.referee.budget import WORDS, Budget
from dfn.referee.claims import Claim
from dfn.referee.judge import ASSUMPTION, difference, points
from dfn.referee.results import Machine, Result, sentences


def table(results: Sequence[Result], budget: Budget) -> str:
    """Every net with mean, spread, every seed, how far the first net is ahead of it, and what it cost."""
    first = results[0]
    head = ["net", "mean", "spread", "every seed", f"{first.label} is ahead by, points", "95 % interval"]
    head += ["width", "parameters", "multiply-adds", "epochs", "seconds"]
    head += [] if budget == "epochs" else ["off the budget"]
    lines = [_row(head), _row(["---"] + ["---:"] * (len(head) - 1))]
    for result in results:
        found = None if result is first else difference(first.by_seed, result.by_seed)
        seeds = ", ".join(f"{100 * value:.1f}" for value in result.accuracies)
        cells = [result.label, share(result.mean), "–" if result.spread is None else f"{100 * result.spread:.1f}"]
        cells += [seeds or "–", "–" if found is None else signed(found.mean), points(found and found.interval)]
        cells += [str(result.width), f"{result.parameters:,}", f"{result.macs:,}", str(result.epochs)]
        cells += ["–" if result.seconds is None else f"{result.seconds:.1f}"]
        cells += [] if budget == "epochs" else [f"{100 * result.excess:+.1f} %".replace("-", "−")]
        lines.append(_row(cells))
    return "\n".join(lines)


def claim_report(claim: Claim, results: Sequence[Result], machine: Machine | None) -> str:
    """A claim with its table, whether each part of it holds, and with what it was measured. Markdown, one section."""
    nets = {result.net: result.by_seed for result in results}
    labels = {result.net: result.label for result in results}
    checks = [f"- {'holds' if check.holds(nets) else 'FAILS'}: {check.words(labels)}" for check in claim.checks]
    checks = checks or ["- nothing is claimed: this is what came out"]
    settings = claim.settings
    measured = (
        f"`dfn reproduce {claim.name}`: {settings['data']}, {settings['epochs']} epochs of batch "
        f"{settings['batch_size']}, seeds 0 to {claim.seeds - 1}; {machine or 'nothing trained yet'}. Test accuracy in "
        f"%, after the last epoch; multiply-adds for one image, seconds for one run. {WORDS[claim.budget]} "
    )
    parts = [f"## {claim.name}", claim.says, table(results, claim.budget), "\n".join(checks)]
    parts += ["\n".join(f"- {line}" for line in sentences(results)), measured + f"{claim.notes} {ASSUMPTION}".strip()]
    return "\n\n".join(parts) + "\n"


def share(value: float | None) -> str:
    """0.912 as `91.2`, per cent."""
    return "–" if value is None else f"{100 * value:.1f}"


def signed(value: float) -> str:
    """0.0123 as `+1.2`, points."""
    return f"{100 * value:+.1f}".replace("-", "−")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
