"""What the Runs page lists of every run, and who is drawn in which colour. No drawing and no cache here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dfn.design.nodes import Conv, Fusion, Series
from dfn.design.paths import base_depths, path_spectrum
from dfn.runs.index import Entry, Facts, Index, choose
from dfn.runs.run import Run, Status
from dfn.training.recipe import PRESETS, Recipe
from dfn.words import N_, _, ngettext

LIVING = ("waiting", "running")
MOST_OVERLAID = 9
STATES = {
    "new": N_("new"),
    "waiting": N_("waiting"),
    "running": N_("running"),
    "paused": N_("paused"),
    "done": N_("done"),
    "stopped": N_("stopped"),
    "failed": N_("failed"),
    "interrupted": N_("interrupted"),
}
KINDS = {
    "fused": N_("fused"),
    "plain": N_("plain"),
    "late": N_("late"),
    "decision": N_("decision"),
    "resnet": N_("resnet"),
}
"""Kinds of nets whose name is no name of the field."""

# A net's own colour first; a second one of its kind takes the next that is free.
_OWN = {"fused": ("fused",), "plain": ("plain", "shallow"), "resnet": ("resnet",), "late": ("late",)}
_OWN |= {"decision": ("decision",)}
_FREE = ("extra1", "extra2", "late", "decision", "resnet", "deep", "shallow", "fused", "plain")


def state_words(status: Status, words: Callable[[str], str] = _) -> str:
    """The state as a person would say it: `waiting, place 2`, `running 3/5` (its third epoch)."""
    match status.state:
        case "waiting" if status.place:
            return words(N_("waiting, place {place}")).format(place=status.place)
        case "running":
            now = min(status.epoch + 1, status.epochs)
            return words(N_("running {now}/{epochs}")).format(now=now, epochs=status.epochs)
        case "new":
            return words(N_("not started"))
        case state:
            return words(STATES[state])


@dataclass(frozen=True)
class Row:
    """One line of the list: a run under the root of its store."""

    entry: Entry
    root: Path
    recorded: bool

    @property
    def run(self) -> Run:
        return Run(self.root / self.entry.id, self.entry.facts.label)

    @property
    def facts(self) -> Facts:
        return self.entry.facts

    @property
    def status(self) -> Status:
        return self.entry.status

    @property
    def title(self) -> str:
        """The name that somebody gave the run, or else its net."""
        return self.facts.net if self.entry.name == self.facts.label else self.entry.name

    def says(self, wanted: Sequence[str], also: str = "") -> bool:
        """Whether each of these, in lower case, begins a word of the line (or, from four digits on, the run's id). The
        line is in English, as links are; `also` is what stands there in another language."""
        facts = self.facts
        text = f"{self.entry.name} {facts.net} {facts.data} seed {facts.seed} {state_words(self.status, str)} {also}"
        words = (text + " recorded" * self.recorded).lower().replace(",", " ").split()
        return all(
            any(word.startswith(start) for word in words) or (len(start) >= 4 and self.entry.id.startswith(start))
            for start in wanted
        )


def list_rows(own: Index, recorded: Index) -> list[Row]:
    """Every run that can be read, the newest first, and then the recorded example."""
    rows = [Row(entry, own.root, False) for entry in own.entries()]
    ids = {row.entry.id for row in rows}
    return rows + [Row(entry, recorded.root, True) for entry in recorded.entries() if entry.id not in ids]


def find(rows: Sequence[Row], words: str, *, state: str, data: str, net: str, sort: str) -> list[Row]:
    """The rows that say all these words and are of this state, data set and kind of net (an empty word takes all), in
    the order of one of SORTS; people's own before the recorded ones."""
    wanted = words.lower().replace(",", " ").split()
    # once: there may be thousands of rows
    state_of, seed, recorded = {state: _(name) for state, name in STATES.items()}, _("seed {number}"), _("recorded")
    also = (
        f"{state_of[row.status.state]} {seed.format(number=row.facts.seed)} {recorded * row.recorded}" for row in rows
    )
    said = [row for row, more in zip(rows, also, strict=True) if row.says(wanted, more)] if wanted else rows
    of = {row.entry.id: row for row in said}
    chosen = [of[e.id] for e in choose((r.entry for r in said), state=state, data=data, net=net, sort=sort)]
    return sorted(chosen, key=lambda row: row.recorded)


def columns(rows: Iterable[Row]) -> dict[str, list[Any]]:
    """The list as columns; what is not known is None."""
    table: dict[str, list[Any]] = {}
    for row in rows:
        facts, status = row.facts, row.status
        line = {
            "net": facts.net,
            "name": _("recorded") if row.recorded else row.entry.name if row.entry.name != facts.label else "",
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
        lambda row: _("seed {number}").format(number=row.facts.seed),
        lambda row: ngettext("{count} epoch", "{count} epochs", row.facts.epochs).format(count=row.facts.epochs),
        lambda row: row.entry.id[:4],
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
