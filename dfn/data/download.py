"""Downloads of the official archives through pooch: nothing gets its name before its checksum is right."""

from collections.abc import Callable
from pathlib import Path

from dfn.data.archives import ARCHIVES, Download, by_hand, data_folder, locate
from dfn.data.errors import DataError

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in total, over all files of a set."""


def fetch(name: str, progress: Progress | None = None, *, root: Path | None = None) -> Path:
    """Download what is missing of a set into the data folder, each file verified before it gets its name, and
    return the folder. Files that are already there are kept, so that a broken download is taken up file by file.

    Raises:
        DataError: the set has nothing to download, or the network, the folder or the checksum stands in the way.
    """
    if name not in ARCHIVES:
        raise DataError(f"{name!r} has nothing to download: accepted are {', '.join(ARCHIVES)}.")
    import pooch
    import requests

    archive = ARCHIVES[name]
    folder = data_folder(root) / archive.folders[0]
    missing = {member.name for member in archive.members} - set(locate(name, root))
    wanted = [d for d in archive.downloads if missing and (archive.inside or d.name.removesuffix(".gz") in missing)]
    done, everything = 0, sum(download.size for download in wanted)
    pooch.get_logger().setLevel("WARNING")
    for download in wanted:
        bar = _Bar(progress, done, download.size, everything) if progress else False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = pooch.retrieve(
                download.url,
                f"md5:{download.md5}",
                fname=download.name,
                path=folder,
                # Called as pooch's manual shows; its annotations allow neither the class nor the bar.
                downloader=pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 18),  # pyright: ignore[reportArgumentType]
            )
            # pooch's temporary file is readable by its owner alone; a class shares its data folder.
            Path(path).chmod(0o644)
        except (requests.RequestException, OSError, ValueError) as error:
            raise DataError(
                f"{name} could not be downloaded ({_reason(error, download)}): try again, or {by_hand(name, root)}."
            ) from error
        done += download.size
    return data_folder(root)


def _reason(error: Exception, download: Download) -> str:
    import requests

    host = download.url.split("/")[2]
    if isinstance(error, requests.HTTPError):
        return f"{host} answers: {error}"
    if isinstance(error, requests.RequestException):
        return f"no connection to {host}"
    if isinstance(error, OSError):
        return f"{error.filename or download.name}: {error.strerror or error}"
    return f"what {host} sent as {download.name} does not have the published md5 {download.md5}; nothing was kept"


class _Bar:
    """pooch's progress-bar protocol for one file (total, update, reset, close) on top of `progress`."""

    def __init__(self, progress: Progress, before: int, size: int, everything: int) -> None:
        self.total = size
        self._progress, self._before, self._size, self._all = progress, before, size, everything
        self._now = 0

    def update(self, count: int) -> None:
        # pooch counts whole chunks, also where the last one is smaller.
        self._now = min(self._now + count, self._size)
        self._progress(self._before + self._now, self._all)

    def reset(self) -> None:
        self._now = 0

    def close(self) -> None:
        pass
