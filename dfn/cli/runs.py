"""The runs of the store: list and show them, stop, pause, delete, restore and export them."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from dfn.cli.output import Failed, Json, duration, facts, percent, print_json, refuse, results
from dfn.cli.train import RunId, stop_and_wait, wait_until
from dfn.runs import launch
from dfn.runs.store import Run, Store, csv
from dfn.training.recipe import to_data

_SORTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "newest": lambda row: -row["updated"],
    "name": lambda row: row["name"],
    "data": lambda row: row["data"],
    "state": lambda row: row["state"],
    "accuracy": lambda row: -(row["test_accuracy"] or 0.0),
    "seconds": lambda row: row["seconds"],
}


def show_runs(
    sort: Annotated[str, typer.Option(help=f"By what: {', '.join(_SORTS)}.")] = "newest", json: Json = False
) -> None:
    """Every run: what was trained, where it stands and what came out."""
    if sort not in _SORTS:
        refuse("--sort", sort, ", ".join(_SORTS))
    store = Store()
    rows = sorted((row(run) for run in store.runs()), key=_SORTS[sort])
    if json:
        print_json(rows)
        return
    if not rows:
        results().print(f"No runs in {store.root} yet; dfn train makes the first.")
        return
    table = Table(box=None, header_style="dim")
    for name in ("run", "net", "data", "state"):
        table.add_column(name)
    for name in ("seed", "epochs", "test", "time"):
        table.add_column(name, justify="right")
    for found in rows:
        epochs = f"{found['epochs_done']}/{found['epochs']}"
        accuracy, seconds = percent(found["test_accuracy"]), duration(found["seconds"])
        names = map(escape, (found["name"], found["data"], found["state"]))
        table.add_row(found["run"], *names, str(found["seed"]), epochs, accuracy, seconds)
    results().print(table)


def show(run: RunId, json: Json = False) -> None:
    """One run: its state, its result and its recipe."""
    found = Store().get(run)
    if json:
        print_json(row(found) | {"folder": str(found.folder), "recipe": to_data(found.recipe)})
        return
    status = found.status()
    recipe = found.recipe.model_dump(mode="json", exclude={"design", "net", "epochs"})
    place = f", number {status.place} in the queue" if status.place else ""
    rows = {
        "state": status.state + place,
        "epochs done": f"{status.epoch} of {status.epochs}, step {status.step} of {status.steps}",
        "test accuracy": percent(status.test_accuracy),
        "train loss": "–" if status.train_loss is None else f"{status.train_loss:.4f}",
        "time": duration(status.seconds),
        "weights": status.weights_sha256 or "–",
        "on disk": f"{status.disk_bytes / 1e6:.1f} MB in {found.folder}",
    }
    results().print(f"[bold]{escape(found.name)}[/] {found.id}")
    if status.message:
        results().print(escape(status.message))
    settings = {name.replace("_", " "): str(value) for name, value in recipe.items() if value is not None}
    results().print(facts(rows), "", facts(settings), sep="\n")


def stop(run: RunId, json: Json = False) -> None:
    """Stop a run; what it computed is kept, and dfn resume goes on from there."""
    found = Store().get(run)
    stop_and_wait(found)
    _say(found, json)


def pause(run: RunId, json: Json = False) -> None:
    """Pause a run; its worker waits a while for dfn resume, then lets go of it."""
    found = Store().get(run)
    launch.pause([found])
    wait_until(lambda: found.status().state not in ("running", "waiting"), f"run {found.id} did not pause")
    _say(found, json)


def delete(run: RunId, json: Json = False) -> None:
    """Move a run into the trash of the store."""
    Store().delete(run)
    if json:
        print_json({"deleted": run})
    else:
        results().print(f"Run {run} is in the trash; bring it back with: dfn restore {run}")


def restore(run: RunId, json: Json = False) -> None:
    """Bring a deleted run back."""
    _say(Store().restore(run), json)


def export(run: RunId, file: Annotated[Path, typer.Argument(help="A .zip or a .csv.")], json: Json = False) -> None:
    """Write a run into a file: its figures as .csv, or everything with the weights of the kept epochs as .zip."""
    found = Store().get(run)
    try:
        match file.suffix.lower():
            case ".csv":
                file.write_text(csv(found), encoding="utf-8")
            case ".zip":
                found.export(file)
            case _:
                refuse("FILE", file, "a name that ends in .zip or .csv")
    except OSError as error:
        raise Failed(f"{file} cannot be written ({error.strerror or error})") from error
    size = file.stat().st_size
    if json:
        print_json({"run": found.id, "file": str(file), "bytes": size})
    else:
        results().print(f"{escape(str(file))}: {size / 1e6:.1f} MB")


def row(run: Run) -> dict[str, Any]:
    """A run as plain data: what it is, where it stands, what came out."""
    recipe, status = run.recipe, asdict(run.status())
    status["epochs_done"] = status.pop("epoch")
    return {"run": run.id, "name": run.name, "net": recipe.net, "data": recipe.data, "seed": recipe.seed, **status}


def _say(run: Run, json: bool) -> None:
    if json:
        print_json(row(run))
    else:
        status = run.status()
        results().print(f"Run {run.id} is {status.state} at step {status.step} of {status.steps}")
