"""Runs as files for other programs: a table of their metrics, and one archive of everything that matters."""

import io
import zipfile
from collections.abc import Sequence
from csv import DictWriter
from dataclasses import asdict
from pathlib import Path

from dfn.runs.files import to_line
from dfn.runs.run import Run

OF_A_STEP = ["step", "loss", "accuracy", "lr"]
OF_AN_EPOCH = ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds"]
COLUMNS = ["run", "name", "event", *OF_A_STEP, *OF_AN_EPOCH]


def csv(runs: Run | Sequence[Run]) -> str:
    """The records of steps and epochs as CSV, a line each, with the names of the columns in the first line."""
    text = io.StringIO()
    table = DictWriter(text, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    for run in [runs] if isinstance(runs, Run) else runs:
        name = run.name
        if name.startswith(("=", "+", "-", "@")):  # a spreadsheet would take it for a formula
            name = "'" + name
        records = (record for record in run.metrics() if record["event"] in ("step", "epoch"))
        table.writerows({**record, "run": run.id, "name": name} for record in records)
    return text.getvalue()


def write_archive(run: Run, path: Path) -> None:
    """Write the run as a ZIP archive: recipe, environment, status, metrics and the weights of the kept epochs."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(run.recipe_file, f"{run.id}/recipe.json")
        archive.writestr(f"{run.id}/environment.json", to_line(run.environment()))
        archive.writestr(f"{run.id}/status.json", to_line(asdict(run.status())))
        archive.writestr(f"{run.id}/metrics.jsonl", b"".join(map(to_line, run.metrics())))
        for file in run.snapshots().values():
            # Weights hardly become smaller, they only take time.
            archive.write(file, f"{run.id}/snapshots/{file.name}", zipfile.ZIP_STORED)
