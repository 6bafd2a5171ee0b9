"""The runs of the store: list and show them, stop, pause, delete, restore, purge and export them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.markup import escape
from rich.table import Table

from dfn.cli.output import Failed, Json, duration, facts, percent, print_json, refuse, results
from dfn.cli.train import RunId, stop_and_wait, wait_until
from dfn.runs import launch
from dfn.runs.index import SORTS, Entry, choose, entry_of
from dfn.runs.store import Run, State, Store, csv
from dfn.training.recipe import to_data

STATES = get_args(State)
MOST_SHOWN = 50

_State = Annotated[str, typer.Option(help=f"Only those in this state: {', '.join(STATES)}.")]


def show_runs(
    state: _State = "",
    data: Annotated[str, typer.Option(help="Only those on this data set.")] = "",
    net: Annotated[str, typer.Option(help="Only this net of the catalogue.")] = "",
    sort: Annotated[str, typer.Option(help=f"By what: {', '.join(SORTS)}; the best or largest first.")] = "newest",
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"At most so many. Default: {MOST_SHOWN}, with --json all.")
    ] = None,
    json: Json = False,
) -> None:
    """The runs: what was trained, where it stands and what came out."""
    if sort not in SORTS:
        refuse("--sort", sort, ", ".join(SORTS))
    if state and state not in STATES:
        refuse("--state", state, ", ".join(STATES))
    store = Store()
    entries = store.entries()
    chosen = choose(entries, state=state, data=data, net=net, sort=sort)
    if json:
        print_json([row(entry) for entry in chosen[:limit]])
        return
    if not entries:
        results().print(f"No runs in {store.root} yet; dfn train makes the first.")
        return
    shown = chosen[: limit or MOST_SHOWN]
    table = Table(box=None, header_style="dim")
    for name in ("run", "net", "data", "state"):
        table.add_column(name)
    for name in ("seed", "epochs", "test", "time"):
        table.add_column(name, justify="right")
    for entry in shown:
        facts, status = entry.facts, entry.status
        epochs = f"{status.epoch}/{status.epochs}"
        accuracy, seconds = percent(status.test_accuracy), duration(status.seconds)
        names = map(escape, (entry.name, facts.data, status.state))
        table.add_row(entry.id, *names, str(facts.seed), epochs, accuracy, seconds)
    if shown:
        results().print(table)
    if len(shown) < len(entries):
        results().print(f"{len(shown):,} of {len(chosen):,} runs that fit, of {len(entries):,} in {store.root}")


def show(run: RunId, json: Json = False) -> None:
    """One run: its state, its result and its recipe."""
    found = Store().get(run)
    if json:
        print_json(row(entry_of(found)) | {"folder": str(found.folder), "recipe": to_data(found.recipe)})
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


def export(
    run: RunId,
    file: Annotated[Path, typer.Argument(help="A .html, a .zip or a .csv.")],
    image: Annotated[
        list[int] | None, typer.Option(help="A test image whose maps a .html shows, up to eight. Default: the first 3.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a run into a file: as .html a page with its net, curves and maps that opens anywhere without a server, as
    .csv its figures, as .zip everything with the weights of the kept epochs."""
    from dfn.handout import write_page

    found, lacking = Store().get(run), ""
    if image and file.suffix.lower() != ".html":
        refuse("--image", image[0], "only with a FILE that ends in .html")
    try:
        match file.suffix.lower():
            case ".html":
                lacking = write_page(found, file, image)
            case ".csv":
                file.write_text(csv(found), encoding="utf-8")
            case ".zip":
                found.export(file)
            case _:
                refuse("FILE", file, "a name that ends in .html, .zip or .csv")
    except OSError as error:
        raise Failed(f"{file} cannot be written ({error.strerror or error})") from error
    size = file.stat().st_size
    if json:
        print_json({"run": found.id, "file": str(file), "bytes": size})
    else:
        results().print(f"{escape(str(file))}: {size / 1e6:.1f} MB", lacking)


def purge(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    json: Json = False,
) -> None:
    """Delete for good what was deleted before."""
    store = Store()
    gone = store.trashed()
    size = sum(run.written_status().disk_bytes for run in gone)
    words = f"{len(gone):,} deleted {'run' if len(gone) == 1 else 'runs'}, {size / 1e6:.1f} MB"
    if gone and not (yes or json or typer.confirm(f"{words}: delete for good?", err=True)):
        return
    store.purge_trash()
    if json:
        print_json({"purged": sorted(run.id for run in gone)})
    else:
        results().print(f"Gone for good: {words}" if gone else "The trash is empty")


def row(entry: Entry) -> dict[str, Any]:
    """A run as plain data: what it is, where it stands, what came out."""
    facts, status = entry.facts, asdict(entry.status)
    status["epochs_done"] = status.pop("epoch")
    about = {"net": facts.kind, "data": facts.data, "seed": facts.seed}
    return {"run": entry.id, "name": entry.name, **about, **status}


def _say(run: Run, json: bool) -> None:
    if json:
        print_json(row(entry_of(run)))
    else:
        status = run.status()
        results().print(f"Run {run.id} is {status.state} at step {status.step} of {status.steps}")
