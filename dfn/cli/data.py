"""`dfn data`: which data sets there are, and downloads with their checksums."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.table import Table

from dfn.cli.output import Failed, Json, print_json, progress_bar, refuse, results
from dfn.data.archives import data_folder
from dfn.data.errors import DataError
from dfn.data.info import DataInfo, data_sets


def list_sets(json: Json = False) -> None:
    """Every data set by name; folder:PATH takes any folder with a sub-folder of images for each class."""
    sets = data_sets().values()
    if json:
        print_json([asdict(info) for info in sets])
        return
    table = Table("name", "images", "train", "test", "classes", "on this machine", box=None, header_style="dim")
    for info in sets:
        shape = " x ".join(map(str, info.shape))
        counts = (f"{info.train_size:,}", f"{info.test_size:,}", str(len(info.classes)))
        table.add_row(info.name, shape, *counts, _whereabouts(info))
    results().print(table)


def fetch(name: Annotated[str, typer.Argument(help="A name of `dfn data list`.")], json: Json = False) -> None:
    """Download a data set into DFN_DATA, or the user's cache folder; a broken download can be taken up again."""
    info = data_sets().get(name)
    if info is None:
        refuse("NAME", name, ", ".join(data_sets()))
    if not info.available:
        _download(name)
    folder = str(data_folder()) if info.download_bytes else None
    if json:
        print_json({"event": "done", "data": name, "folder": folder})
    else:
        results().print(f"{name} lies in {folder}" if folder else f"{name} {info.origin}: nothing to fetch")


def _download(name: str) -> None:
    from dfn.data.download import fetch as download

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    try:
        with progress_bar(*columns) as bar:
            task = bar.add_task(name, total=None)
            download(name, lambda done, total: bar.update(task, completed=done, total=total))
    except DataError as error:
        raise Failed(str(error)) from error


def _whereabouts(info: DataInfo) -> str:
    if not info.download_bytes:
        return info.origin
    return "yes" if info.available else f"no: dfn data fetch {info.name} ({info.download_bytes / 1e6:,.0f} MB)"
