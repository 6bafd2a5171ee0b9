"""What the runs of a comparison reached, read from the store, also while they are trained."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from pydantic import TypeAdapter

from dfn.referee.budget import Entry
from dfn.referee.judge import Accuracies, difference, sentence, spread
from dfn.runs.store import Run, Status, Store
from dfn.training.recipe import Recipe
from dfn.words import ngettext


@dataclass(frozen=True)
class Result:
    """One net over the seeds. `seeds`, `accuracies` (0 to 1) and `runs` belong together and name the runs that came to
    their end, `failed` those that did not and do not go on; `so_far` has the test accuracy by seed of those under way.
    `seconds` is the mean of a run, `macs` are for one image; `excess` and `pace` are those of the budget."""

    net: str
    label: str
    role: str
    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    runs: tuple[str, ...]
    failed: tuple[str, ...]
    so_far: dict[int, float]
    seconds: float | None
    parameters: int
    macs: int
    width: int
    epochs: int
    excess: float = 0.0
    pace: float | None = None

    @property
    def by_seed(self) -> Accuracies:
        return dict(zip(self.seeds, self.accuracies, strict=True))

    @property
    def mean(self) -> float | None:
        return fmean(self.accuracies) if self.accuracies else None

    @property
    def spread(self) -> float | None:
        """Highest less lowest accuracy; None for fewer than two runs."""
        return spread(self.by_seed)


@dataclass(frozen=True)
class Machine:
    """With what the runs were trained, and when the last of them ended (a date, UTC)."""

    date: str
    device: str
    threads: int | None
    torch: str
    python: str
    dfn: str

    def __str__(self) -> str:
        device = self.device
        if self.threads is not None:
            text = ngettext("{device}, {count} thread", "{device}, {count} threads", self.threads)
            device = text.format(device=device, count=self.threads)
        return f"{self.date}, {device}, torch {self.torch}, Python {self.python}, dfn {self.dfn}"


def find(store: Store, recipe: Recipe) -> Run | None:
    """The run of a recipe, where there is one."""
    run = Run(store.root / recipe.id, recipe.label)
    return run if run.recipe_file.exists() else None


def result(entry: Entry, seeds: Iterable[int], store: Store) -> Result:
    """What one entry reached so far."""
    found = {seed: find(store, entry.recipe(seed)) for seed in seeds}
    return result_of(entry, {seed: (run, run.status()) for seed, run in found.items() if run})


def result_of(entry: Entry, found: dict[int, tuple[Run, Status]]) -> Result:
    """What these runs of one entry reached, by seed."""
    done = {seed: (run, status) for seed, (run, status) in found.items() if status.state == "done"}
    open_ = {seed: status for seed, (_, status) in found.items() if seed not in done}
    return Result(
        net=entry.contender.name,
        label=entry.contender.label,
        role=entry.contender.role,
        seeds=tuple(done),
        accuracies=tuple(status.test_accuracy or 0.0 for _, status in done.values()),
        runs=tuple(run.id for run, _ in done.values()),
        failed=tuple(run.id for run, status in found.values() if status.state == "failed"),
        so_far={seed: status.test_accuracy for seed, status in open_.items() if status.test_accuracy is not None},
        seconds=fmean(status.seconds for _, status in done.values()) if done else None,
        parameters=entry.parameters,
        macs=entry.macs,
        width=entry.width,
        epochs=entry.epochs,
        excess=entry.excess,
        pace=entry.pace,
    )


def pace(run: Run) -> float | None:
    """Seconds of a run's last epoch, evaluation included; None before its second one is over."""
    ends = [record["seconds"] for record in run.metrics() if record["event"] == "epoch"]
    return ends[-1] - ends[-2] if len(ends) > 1 else None


def machine(runs: Sequence[Run]) -> Machine | None:
    """What the runs noted of their machine; that of the newest where they differ."""
    if not runs:
        return None
    updated, newest = max(((run.written_status().updated, run) for run in runs), key=lambda pair: pair[0])
    noted = newest.environment()
    words = (str(noted.get(name, "not noted")) for name in ("device", "torch", "python", "dfn"))
    device, torch, python, version = words
    threads = noted.get("threads")
    date = datetime.fromtimestamp(updated, UTC).date().isoformat()
    return Machine(date, device, threads if isinstance(threads, int) else None, torch, python, version)


def sentences(results: Sequence[Result]) -> list[str]:
    """What the gaps between the first net and each other are worth."""
    first, *others = results
    return [sentence(first.label, first.by_seed, other.label, other.by_seed) for other in others]


def to_data(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The results as plain data, with means, spreads, and the paired difference of the first net to each other."""
    rows = []
    for result in results:
        found = None if result is results[0] else difference(results[0].by_seed, result.by_seed)
        more = {"mean": result.mean, "spread": result.spread, "difference": found and asdict(found)}
        rows.append(asdict(result) | more)
    return rows


def from_data(rows: Any) -> list[Result]:
    """The results that `to_data` wrote down. Raises pydantic's ValidationError."""
    return _RESULTS.validate_python(rows)


_RESULTS = TypeAdapter(list[Result])
