"""The official archives: where their files may lie and how they are checked.

Rule: nothing is read that does not have the published checksum. A file may lie packed or not, at the top of the
data folder or in one of a few sub-folders; unpacking never yields more bytes than the set is known to have; of a
tar archive only the named regular files are read, and nothing is extracted to disk. No torch in here.
"""

import gzip
import hashlib
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from dfn.data.errors import DataError

OPENERS = {"": open, ".gz": gzip.open, ".xz": lzma.open}


@dataclass(frozen=True)
class Member:
    """One file of a set as its makers lay it out: `size` in bytes unpacked. Without a published `md5` a member
    counts as genuine inside an archive that has its own, and as a loose file by size and contents."""

    name: str
    size: int
    md5: str | None = None


@dataclass(frozen=True)
class Download:
    """One file as it is offered for download: `size` in bytes as packed."""

    url: str
    size: int
    md5: str

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Archive:
    """A set's files. `folders` are the sub-folders of the data folder that are searched before its top; a
    download goes into the first. `inside` is the folder of the members where the download is one tar archive."""

    members: tuple[Member, ...]
    downloads: tuple[Download, ...]
    folders: tuple[str, ...]
    inside: str = ""

    @property
    def origin(self) -> str:
        """The address that offers the files."""
        return self.downloads[0].url.rsplit("/", 1)[0]

    @property
    def download_bytes(self) -> int:
        return sum(download.size for download in self.downloads)


# Sources: github.com/zalandoresearch/fashion-mnist and www.cs.toronto.edu/~kriz/cifar.html, which publish the md5
# sums of what they offer; those of the unpacked members follow from the verified files.
FASHION_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CIFAR_URL = "https://www.cs.toronto.edu/~kriz/"
CIFAR10_MD5 = (
    "5dd7e06a14cb22eb9f671a540d1b7c25",
    "5ea93a67294ea407fff1d09f752e9692",
    "942cd6a4bcdd0dd3c604fbe906cb4421",
    "ae636b3ba5c66a11e91e8cb52e771fcb",
    "53f37980c15c3d472c316c40844f3f0d",
)

ARCHIVES: dict[str, Archive] = {
    "fashion-mnist": Archive(
        members=(
            Member("train-images-idx3-ubyte", 47_040_016, "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
            Member("train-labels-idx1-ubyte", 60_008, "9018921c3c673c538a1fc5bad174d6f9"),
            Member("t10k-images-idx3-ubyte", 7_840_016, "8181f5470baa50b63fa0f6fddb340f0a"),
            Member("t10k-labels-idx1-ubyte", 10_008, "15d484375f8d13e6eb1aabb0c3f46965"),
        ),
        downloads=(
            Download(FASHION_URL + "train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            Download(FASHION_URL + "train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
            Download(FASHION_URL + "t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
            Download(FASHION_URL + "t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        folders=("fashion-mnist", "FashionMNIST/raw"),
    ),
    "cifar10": Archive(
        members=(
            *(Member(f"data_batch_{i}.bin", 30_730_000, md5) for i, md5 in enumerate(CIFAR10_MD5, 1)),
            Member("test_batch.bin", 30_730_000, "803d5f7f4d78ea53de84dbe85f74fb6d"),
        ),
        downloads=(Download(CIFAR_URL + "cifar-10-binary.tar.gz", 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"),),
        folders=("cifar-10", "cifar-10-batches-bin", "cifar-10/cifar-10-batches-bin"),
        inside="cifar-10-batches-bin",
    ),
    "cifar100": Archive(
        members=(Member("train.bin", 153_700_000), Member("test.bin", 30_740_000)),
        downloads=(Download(CIFAR_URL + "cifar-100-binary.tar.gz", 168_513_733, "03b5dce01913d631647c71ecec9e9cb8"),),
        folders=("cifar-100", "cifar-100-binary", "cifar-100/cifar-100-binary"),
        inside="cifar-100-binary",
    ),
}


def cache_folder() -> Path:
    """Where the project may keep what it can make again: `DFN_CACHE`, or the user's cache folder."""
    named = os.environ.get("DFN_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("dfn", appauthor=False)


def data_folder(root: Path | None = None) -> Path:
    """Where data sets lie: `root`, or `DFN_DATA`, or `data/` in the cache folder."""
    if root is not None:
        return Path(root)
    named = os.environ.get("DFN_DATA")
    return Path(named).expanduser() if named else cache_folder() / "data"


def locate(name: str, root: Path | None = None) -> dict[str, Path]:
    """The file that holds each member of a set, by member name: a loose file, packed or not, or the tar archive.
    Members that are nowhere are left out."""
    archive, top = ARCHIVES[name], data_folder(root)
    places = [*(top / folder for folder in archive.folders), top]
    loose = {
        member.name: path
        for member in archive.members
        for path in [_first(place / (member.name + suffix) for place in places for suffix in OPENERS)]
        if path
    }
    if len(loose) < len(archive.members):
        tar = _first(
            place / download.name
            for place in places
            for download in archive.downloads
            if download.name.endswith(".tar.gz")
        )
        if tar:
            return {member.name: tar for member in archive.members}
    return loose


def is_here(name: str, root: Path | None = None) -> bool:
    """Whether every file of a set lies in the data folder (checked for presence; loading checks the contents)."""
    return len(locate(name, root)) == len(ARCHIVES[name].members)


def read(name: str, root: Path | None = None) -> Iterator[tuple[str, bytes]]:
    """The members of a set one by one, unpacked and verified.

    Raises:
        DataError: a file is missing, damaged, truncated, or not the published one.
    """
    archive, found = ARCHIVES[name], locate(name, root)
    missing = [member.name for member in archive.members if member.name not in found]
    if missing:
        lack = f"is not complete ({', '.join(missing)} missing)" if found else "is not on this machine"
        raise DataError(f"{name} {lack}: `dfn data fetch {name}` downloads it, or {by_hand(name, root)}.")
    path = found[archive.members[0].name]
    if path.name.endswith(".tar.gz"):
        yield from _read_tar(archive, path)
        return
    for member in archive.members:
        path = found[member.name]
        yield member.name, _contents(path, member, path.suffix if path.suffix in OPENERS else "")


def by_hand(name: str, root: Path | None) -> str:
    """What to do without a network: which file goes where."""
    archive = ARCHIVES[name]
    names = ", ".join(download.name for download in archive.downloads)
    return (
        f"put {names} from {archive.origin} into {data_folder(root) / archive.folders[0]}, "
        "or let DFN_DATA name a folder that holds the official files"
    )


_REPLACE = "remove it and fetch the set again, or put the official file in its place"


def _first(paths: Iterator[Path]) -> Path | None:
    # Not Path.is_file, which raises where a folder may not be entered: such a file is not there for us.
    return next((path for path in paths if os.path.isfile(path)), None)


def _contents(path: Path, member: Member, packing: str) -> bytes:
    try:
        with OPENERS[packing](path, "rb") as file:
            data = file.read(member.size + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} cannot be read, it may be damaged or cut short ({error}): {_REPLACE}.") from error
    _check(path, member, data)
    return data


def _check(path: Path, member: Member, data: bytes) -> None:
    if len(data) != member.size:
        held = f"more than {member.size}" if len(data) > member.size else str(len(data))
        raise DataError(f"{path} holds {held} bytes of {member.name} where {member.size} are expected: {_REPLACE}.")
    if member.md5 and _md5(data) != member.md5:
        raise DataError(
            f"{path} is not the official {member.name} (md5 {_md5(data)}, published {member.md5}): {_REPLACE}."
        )


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _read_tar(archive: Archive, path: Path) -> Iterator[tuple[str, bytes]]:
    expected = next(download for download in archive.downloads if download.name == path.name)
    packed = _contents(path, Member(path.name, expected.size, expected.md5), packing="")
    wanted = {f"{archive.inside}/{member.name}": member for member in archive.members}
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r|gz") as tar:
        for entry in tar:
            member = wanted.get(entry.name)
            if member is None or not entry.isreg():
                continue
            file = tar.extractfile(entry)
            assert file is not None  # a regular file has contents
            data = file.read(member.size + 1)
            _check(path, member, data)
            del wanted[entry.name]
            yield member.name, data
    if wanted:
        raise DataError(f"{path} lacks {', '.join(wanted)}: {_REPLACE}.")
