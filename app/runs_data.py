"""What the Runs page lists of every run, and who is drawn in which colour. No drawing and no cache here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dfn.design.cost import cost
from dfn.design.nodes import Conv, Fusion
from dfn.design.paths import path_spectrum
from dfn.runs.store import Run, Status
from dfn.training.recipe import PRESETS, Recipe, depths_text

LIVING = ("waiting", "running")
MOST_OVERLAID = 9

# A net's own colour first; a second one of its kind takes the next that is free.
_OWN = {"fused": ("fused",), "plain": ("plain", "shallow"), "resnet": ("resnet",), "late": ("late",)}
_OWN |= {"decision": ("decision",)}
_FREE = ("extra1", "extra2", "late", "decision", "resnet", "deep", "shallow", "fused", "plain")


@dataclass(frozen=True)
class Facts:
    """What a run's recipe says, in a few words: its net with the depths of its bases, data, epochs, seed, size."""

    kind: str
    net: str
    data: str
    epochs: int
    seed: int
    parameters: int


def facts_of(run: Run) -> Facts:
    """The facts of a run. Raises RunError where its recipe cannot be read."""
    recipe = run.recipe
    parameters = cost(recipe.design, (recipe.design.in_channels, 32, 32)).parameters  # the same for every image size
    net = f"{recipe.net} {depths_text(recipe.design)}"
    return Facts(recipe.net, net, recipe.data, recipe.epochs, recipe.seed, parameters)


def state_words(status: Status) -> str:
    """The state as a person would say it: `waiting, place 2`, `running, epoch 3 of 5`."""
    match status.state:
        case "waiting" if status.place:
            return f"waiting, place {status.place}"
        case "running":
            return f"running, epoch {min(status.epoch + 1, status.epochs)} of {status.epochs}"
        case "new":
            return "not started"
        case _:
            return status.state


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    run: Run
    name: str
    facts: Facts
    status: Status
    recorded: bool

    def says(self, words: Sequence[str]) -> bool:
        """Whether all these words, in lower case, occur somewhere in the line."""
        facts = self.facts
        text = f"{self.name} {facts.net} {facts.data} seed {facts.seed} {self.run.id} {state_words(self.status)}"
        text += " recorded" * self.recorded
        return all(word in text.lower() for word in words)


def columns(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """The list as columns; what is not known is None."""
    table: dict[str, list[Any]] = {}
    for row in rows:
        facts, status = row.facts, row.status
        line = {
            "run": f"{row.name} (recorded)" if row.recorded else row.name,
            "net": facts.net,
            "data": facts.data,
            "epochs": facts.epochs,
            "seed": facts.seed,
            "state": state_words(status),
            "accuracy": status.test_accuracy,
            "loss": status.train_loss,
            "seconds": status.seconds or None,
            "parameters": facts.parameters,
            "disk": status.disk_bytes / 1e6,
            "when": datetime.fromtimestamp(status.updated, UTC) if status.updated else None,
        }
        for name, value in line.items():
            table.setdefault(name, []).append(value)
    return table


def labels(rows: Sequence[Row]) -> list[str]:
    """A name for every curve; runs of one name are told apart by data and seed, and then by their ids."""
    texts = [row.name for row in rows]
    for more in (lambda row: f", {row.facts.data}, seed {row.facts.seed}", lambda row: f", {row.run.id[:4]}"):
        twice = {text for text in texts if texts.count(text) > 1}
        texts = [text + more(row) if text in twice else text for text, row in zip(texts, rows, strict=True)]
    return texts


def roles(kinds: Sequence[str]) -> list[str]:
    """A colour for every curve: the net's own, or the next free one where there are several of a kind."""
    taken: list[str] = []
    for kind in kinds:
        wanted = (*_OWN.get(kind, ()), *_FREE)
        taken.append(next((role for role in wanted if role not in taken), "plain"))
    return taken


def train_link(recipe: Recipe) -> dict[str, str]:
    """The address of the Train page for this recipe, as far as that page can make it."""
    design = recipe.design
    depths = path_spectrum(design)
    fusions = sum(isinstance(node, Fusion) for node in design.body.nodes)
    link = {"data": recipe.data, "deep": max(depths), "seed": recipe.seed, "epochs": recipe.epochs}
    if recipe.net in ("fused", "late", "decision"):
        link |= {"shallow": min(depths), "fusions": 0 if recipe.net == "decision" else fusions}
    stem = design.body.nodes[0]
    if isinstance(stem, Conv):
        link["width"] = stem.channels
    if fusions and isinstance(node := design.body.nodes[1], Fusion) and recipe.net == "fused":
        link["join"] = node.join
    preset = next((name for name, p in PRESETS.items() if _fits(recipe, p.settings)), None)
    link |= {"preset": preset, "images": recipe.train_limit, "pixels": recipe.size}
    return {key: str(value) for key, value in link.items() if value is not None}


def _fits(recipe: Recipe, settings: Mapping[str, Any]) -> bool:
    return all(getattr(recipe, name) == value for name, value in settings.items() if name != "epochs")
