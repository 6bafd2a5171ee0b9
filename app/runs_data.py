"""What the Runs page lists of every run, and who is drawn in which colour. No drawing and no cache here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dfn.design.cost import cost
from dfn.design.nodes import Conv, Fusion, Series
from dfn.design.paths import base_depths, path_spectrum
from dfn.design.spec import from_json
from dfn.runs.run import Run, RunError, Status
from dfn.training.recipe import PRESETS, Recipe, depths_text

LIVING = ("waiting", "running")
MOST_OVERLAID = 9

# A net's own colour first; a second one of its kind takes the next that is free.
_OWN = {"fused": ("fused",), "plain": ("plain", "shallow"), "resnet": ("resnet",), "late": ("late",)}
_OWN |= {"decision": ("decision",)}
_FREE = ("extra1", "extra2", "late", "decision", "resnet", "deep", "shallow", "fused", "plain")


@dataclass(frozen=True)
class Facts:
    """What a run's recipe says, in a few words. `kind` is the net's name in the catalogue, `label` the name that a run
    has until somebody gives it another, `net` the same with what the label leaves out."""

    kind: str
    label: str
    net: str
    data: str
    epochs: int
    seed: int
    parameters: int


def net_words(design: str, kind: str) -> tuple[str, str, int]:
    """Label, words and parameters of a net, its design given as JSON text."""
    net = from_json(design)
    label = f"{kind} {depths_text(net)}"
    joins = {node.join for node in net.body.nodes if isinstance(node, Fusion)} - {"sum"}
    words = f"{label}, {', '.join(joins)}" if kind in ("fused", "late") and joins else label
    return label, words, cost(net, (net.in_channels, 32, 32)).parameters  # the same for every size of images


def written_recipe(run: Run) -> dict[str, Any]:
    """The recipe of a listed run as it is written, without checking it once more: a thousand of them take a while."""
    try:
        return json.loads(run.recipe_file.read_bytes())
    except (OSError, ValueError) as error:
        raise RunError(f"run {run.id}: its recipe cannot be read any more") from error


def state_words(status: Status) -> str:
    """The state as a person would say it: `waiting, place 2`, `running 3/5` (its third epoch)."""
    match status.state:
        case "waiting" if status.place:
            return f"waiting, place {status.place}"
        case "running":
            return f"running {min(status.epoch + 1, status.epochs)}/{status.epochs}"
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

    @property
    def title(self) -> str:
        """The name that somebody gave the run, or else its net."""
        return self.facts.net if self.name == self.facts.label else self.name

    def says(self, wanted: Sequence[str]) -> bool:
        """Whether each of these, in lower case, begins a word of the line (or, from four digits on, the run's id)."""
        facts = self.facts
        text = f"{self.name} {facts.net} {facts.data} seed {facts.seed} {state_words(self.status)}"
        words = (text + " recorded" * self.recorded).lower().replace(",", " ").split()
        return all(
            any(word.startswith(start) for word in words) or (len(start) >= 4 and self.run.id.startswith(start))
            for start in wanted
        )


def columns(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """The list as columns; what is not known is None."""
    table: dict[str, list[Any]] = {}
    for row in rows:
        facts, status = row.facts, row.status
        line = {
            "net": facts.net,
            "name": "recorded" if row.recorded else row.name if row.name != facts.label else "",
            "data": facts.data,
            "epochs": facts.epochs,
            "seed": facts.seed,
            "state": state_words(status),
            "accuracy": None if status.test_accuracy is None else 100 * status.test_accuracy,
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
    """A name for every curve: the run's title, and what tells runs of one title apart."""
    texts = [row.title for row in rows]
    for more in (
        lambda row: row.facts.data,
        lambda row: f"seed {row.facts.seed}",
        lambda row: f"{row.facts.epochs} epochs",
        lambda row: row.run.id[:4],
    ):
        alike = {text: {more(row) for row, other in zip(rows, texts, strict=True) if other == text} for text in texts}
        texts = [
            f"{text}, {more(row)}" if len(alike[text]) > 1 else text for row, text in zip(rows, texts, strict=True)
        ]
    return texts


def roles(nets: Sequence[Facts]) -> list[str]:
    """A colour for every curve: the net's own, the largest net of a kind first, or the next free one."""
    taken: dict[int, str] = {}
    for place in sorted(range(len(nets)), key=lambda place: -nets[place].parameters):
        wanted = (*_OWN.get(nets[place].kind, ()), *_FREE)
        taken[place] = next((role for role in wanted if role not in taken.values()), "plain")
    return [taken[place] for place in range(len(nets))]


def train_link(recipe: Recipe) -> dict[str, str]:
    """The address of the Train page for this recipe, as far as that page can make it."""
    fusions = [node for node in recipe.design.body.nodes if isinstance(node, Fusion)]
    depths = path_spectrum(recipe.design)  # exchanged blocks change the bases, but not these two
    link = {"data": recipe.data, "epochs": recipe.epochs, "seed": recipe.seed, "images": recipe.train_limit}
    link |= {"pixels": recipe.size, "width": _width(recipe.design.body), "deep": max(depths)}
    link["preset"] = next((name for name, preset in PRESETS.items() if _fits(recipe, preset.settings)), None)
    if recipe.net in ("fused", "late") and fusions:
        link |= {"shallow": min(depths), "fusions": len(fusions), "join": fusions[0].join}
        if len(fusions[0].branches) > 2:
            deep, shallow, *more = base_depths(recipe.design)
            link |= {"deep": deep, "shallow": shallow, "bases": 2 + len(more)}
            link |= {f"base{number}": depth for number, depth in enumerate(more, start=3)}
    elif recipe.net == "decision":
        link |= {"shallow": min(depths), "fusions": 0}
    return {key: str(value) for key, value in link.items() if value is not None}


def _width(series: Series) -> int | None:
    """The channels of the stem, also where every branch has its own."""
    first = series.nodes[0]
    if isinstance(first, Fusion):
        return _width(first.branches[0])
    return first.channels if isinstance(first, Conv) else None


def _fits(recipe: Recipe, settings: Mapping[str, Any]) -> bool:
    return all(getattr(recipe, name) == value for name, value in settings.items() if name != "epochs")
