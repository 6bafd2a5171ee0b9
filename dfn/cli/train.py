"""`dfn train` and `dfn resume`: a run of the store, trained in this process or left to a worker.

It is the same run that the app would start: it can be watched, paused and taken up again from anywhere. Ctrl-C is the
same command as `dfn stop`, so that the step that is under way is finished and kept.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from dfn.cli.nets import Images, chosen, frame_of, images_of, recipe_for, settings_of
from dfn.cli.options import Data, MethodOptions, NetOptions, Preset, Seed, ShapeOptions, TrainingOptions, takes
from dfn.cli.output import (
    Failed,
    Interrupted,
    Json,
    duration,
    facts,
    notes,
    percent,
    print_json,
    progress_bar,
    refuse,
    results,
)
from dfn.design.spec import Design
from dfn.runs import launch
from dfn.runs.store import Run, Store
from dfn.training.comparisons import methods
from dfn.training.recipe import Recipe

On = Annotated[
    Literal["here", "ray"], typer.Option("--on", help="Where: here, or on the Ray cluster that DFN_CLUSTER names.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Leave the run to a worker and return at once.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or how it begins.")]
METHOD = "A method of `dfn methods`, beside the fused net that --deep, --shallow and so on name."
PATIENCE = 20.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)

OnRecord = Callable[[Run, dict[str, Any]], None]


@takes
def train(
    *,
    net: NetOptions,
    shape: ShapeOptions,
    method: Annotated[str | None, typer.Option(help=METHOD, rich_help_panel="The net")] = None,
    data: Data = "digits",
    preset: Preset = "classroom",
    training: TrainingOptions,
    own: MethodOptions,
    seed: Seed = 0,
    on: On = "here",
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Train a net or a method; what was trained before is answered at once, and what has to come first does.

    Ctrl-C keeps all that was computed, and `dfn resume` goes on from there.
    """
    settings: dict[str, Any] = settings_of(data, preset, training) | own.given() | {"seed": seed}
    images = images_of(settings["data"], training.size)
    store, before = Store(), ()
    if method is not None:
        for option, value in {"net": net.net, "design": net.design, "objective": own.objective}.items():
            if value is not None:
                refuse(f"--{option}", value, "nothing beside --method, which decides it")
        wanted = methods().get(method) or refuse("--method", method, ", ".join(methods()))
        frame = frame_of(shape, images)
        recipe, before = wanted.make(frame, settings), wanted.first(frame, settings)
    else:
        name, design = chosen(net, shape, images)
        _check_fit(design, images, data)
        if own.teacher is not None:
            settings["teacher"] = store.get(own.teacher).id
        recipe = recipe_for(name, design, settings)
    if _follows(detach):
        for other in (*before, recipe):
            _follow(other)
        return
    first = [store.create(other) for other in before]
    run = store.create(recipe)
    if detach:
        _leave_to_worker(run, first, on, json)
        return
    for other in first:
        if not json and other.status().state != "done":
            notes().print(escape(f"Run {other.id} comes first: {run.name} learns from it"))
        _finish(other, on, json)
    _finish(run, on, json)


def resume(run: RunId, on: On = "here", detach: Detach = False, json: Json = False) -> None:
    """Go on with a run from where it stands, to its end."""
    found = Store().get(run)
    if _follows(detach):
        _follow(found.recipe)
    elif detach:
        _leave_to_worker(found, [], on, json)
    else:
        _finish(found, on, json)


def train_here(run: Run, on_record: OnRecord, on: On = "here") -> None:
    """Train a run to its end, in this process or watched by it. Raises Failed or Interrupted where it does not come
    there."""
    if run.status().state == "done" and not _by_torchrun():
        return
    from dfn.runs.worker import work
    from dfn.training.distributed import started

    if on == "ray":
        check_ended(run, train_on_ray([run], on_record))
        return
    if run.status().state == "paused":  # its worker may still wait for somebody to go on
        stop_and_wait(run)
    with started() as group, _stop_on_signal([run]) as signals:
        try:
            work([run], on_record=on_record)
        finally:
            group.end()
    check_ended(run, signals)


def train_on_ray(runs: Sequence[Run], on_record: OnRecord) -> Sequence[int]:
    """Train runs on the cluster, all at once as far as it has room; how they ended is in their status. Returns the
    signals that stopped them."""
    from dfn.runs import cluster

    for run in runs:
        if run.status().state == "paused":
            stop_and_wait(run)
    with _stop_on_signal(runs) as signals:
        cluster.work(runs, on_record=on_record)
    return signals


def check_ended(run: Run, signals: Sequence[int] = ()) -> None:
    """Raises Failed or Interrupted for a run that did not come to its end."""
    status = run.status()
    if status.state == "done":
        return
    if status.state == "failed":
        raise Failed(f"run {run.id} failed at step {status.step} of {status.steps}: {status.message}")
    rest = f"run {run.id} {status.state} at step {status.step} of {status.steps}"
    if status.state == "new":
        rest = f"run {run.id} was stopped before its first step"
    rest += f"; go on with: dfn resume {run.id}"
    if signals:
        raise Interrupted(rest, signals[0])
    raise Failed(rest)  # somebody else stopped it, or paused it for too long


def stop_and_wait(run: Run) -> None:
    """Stop a run, and wait until its worker has let go of it. Raises Failed where that takes too long."""
    launch.stop([run])
    wait_until(lambda: not run.alive(), f"run {run.id} did not stop")


def wait_until(over: Callable[[], bool], otherwise: str) -> None:
    """A worker takes a command within some hundredths of a second, but not before the step it is in is over."""
    patience = time.monotonic() + PATIENCE
    while not over():
        if time.monotonic() > patience:
            raise Failed(f"{otherwise} within {PATIENCE:.0f} seconds; try again")
        time.sleep(0.02)


@contextlib.contextmanager
def progress(run: Run, *, epochs: bool) -> Iterator[OnRecord]:
    """A bar on standard error for the time of a training, and with `epochs` a line after every epoch."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"))
    with progress_bar(*columns, TimeRemainingColumn()) as bar:
        status = run.status()
        steps = {"total": status.steps or None, "completed": status.step}
        task = bar.add_task(escape(run.name), **steps, loss="")

        def on_record(run: Run, line: dict[str, Any]) -> None:
            match line["event"]:
                case "begin":
                    bar.update(task, total=line["steps"])
                case "step":
                    bar.update(task, completed=line["step"], loss=f"loss {line['loss']:.3f}")
                case "epoch" if epochs:
                    bar.console.print(_epoch(line, run.recipe.epochs))

        yield on_record


def done_line(run: Run) -> dict[str, Any]:
    """What a finished run gave."""
    status = run.status()
    return {
        "event": "done",
        "run": run.id,
        "test_accuracy": status.test_accuracy,
        "train_loss": status.train_loss,
        "seconds": status.seconds,
        "weights_sha256": status.weights_sha256,
    }


def _finish(run: Run, on: On, json: bool) -> None:
    if on == "ray" and _by_torchrun():
        refuse("--on", "ray", "here under torchrun")
    if json:
        train_here(run, _print_record, on)
        print_json(done_line(run))
        return
    recipe = run.recipe
    length = "1 epoch" if recipe.epochs == 1 else f"{recipe.epochs} epochs"
    notes().print(escape(f"Run {run.id}: {run.name} on {recipe.data}, {length}, seed {recipe.seed}"))
    with progress(run, epochs=True) as on_record:
        train_here(run, on_record, on)
    status = run.status()
    if status.message:
        notes().print(escape(status.message))
    loss = "–" if status.train_loss is None else f"{status.train_loss:.4f}"
    rows = {"test accuracy": percent(status.test_accuracy), "train loss": loss}
    rows |= {"time": duration(status.seconds), "weights": status.weights_sha256 or "–"}
    results().print(facts(rows))


def _by_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def _follows(detach: bool) -> bool:
    """Whether `torchrun` started this process to take part in the training of another one."""
    if detach and _by_torchrun():
        refuse("--detach", "a worker of its own", "no --detach: torchrun has started the processes that train")
    return _by_torchrun() and os.environ["RANK"] != "0"


def _follow(recipe: Recipe) -> None:
    from dfn.training.distributed import follow

    for kind in SIGNALS:  # who leads is told as well, and says when it is over
        signal.signal(kind, signal.SIG_IGN)
    follow(recipe)


def _leave_to_worker(run: Run, first: list[Run], on: On, json: bool) -> None:
    if on == "ray":
        refuse("--on", "ray", "here with --detach (DFN_CLUSTER decides where)")
    launch.play([*first, run])
    state = run.status().state
    if json:
        print_json(done_line(run) if state == "done" else {"event": "detached", "run": run.id, "state": state})
    else:
        results().print(f"Run {run.id} is {state}; see it with: dfn show {run.id}")


def _print_record(run: Run, line: dict[str, Any]) -> None:
    if line["event"] == "done":  # that one comes last and says more
        return
    try:
        print_json({"event": line["event"], "run": run.id} | line)
    except BrokenPipeError:  # nobody reads any more
        run.command("stop")


def _epoch(line: dict[str, Any], epochs: int) -> str:
    train = "before training"
    if line["train_loss"] is not None:
        train = f"train loss {line['train_loss']:.3f}, {percent(line['train_accuracy'])}"
    test = f"test loss {line['test_loss']:.3f}, {percent(line['test_accuracy'])}"
    return f"epoch {line['epoch']}/{epochs}  {train}  {test}"


def _check_fit(design: Design, images: Images, data: str) -> None:
    """A design from a file may be made for other images."""
    channels = images.shape[0]
    if design.in_channels != channels:
        refuse("--design", f"a design with in_channels={design.in_channels}", f"in_channels={channels} with {data}")
    if design.classes < images.classes:
        refuse("--design", f"a design with classes={design.classes}", f"classes={images.classes} or more with {data}")


@contextlib.contextmanager
def _stop_on_signal(runs: Sequence[Run]) -> Iterator[Sequence[int]]:
    """While it lasts, the first Ctrl-C (or SIGTERM) tells the runs to stop, a second one ends this process."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # signals go to the main thread alone
        yield received
        return
    before = {kind: signal.getsignal(kind) for kind in SIGNALS}

    def restore() -> None:
        for kind, handler in before.items():
            signal.signal(kind, handler)

    def on_signal(number: int, _: object) -> None:
        if not _by_torchrun():  # which passes on what the keyboard has said already
            restore()
        received.append(number)
        for run in runs:
            run.command("stop")

    for kind in SIGNALS:
        signal.signal(kind, on_signal)
    try:
        yield received
    finally:
        restore()
