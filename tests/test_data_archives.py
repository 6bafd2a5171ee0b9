"""Official archives, made small: every layout is read, whatever is not the published data is refused by name."""

import gzip
import hashlib
import io
import lzma
import re
import tarfile

import numpy as np
import pytest
import requests

from dfn.data import DataError, data_sets, fetch, load_data, official
from dfn.data.archives import ARCHIVES, Archive, Download, Member

PER_CLASS = 2


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def _idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def _cifar(labels: np.ndarray, label_bytes: int, rng: np.random.Generator) -> bytes:
    records = rng.integers(0, 256, (len(labels), label_bytes + 3072), np.uint8)
    records[:, label_bytes - 1] = labels
    return records.tobytes()


def _contents(name: str) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    classes = len(data_sets()[name].classes)
    labels = np.tile(np.arange(classes, dtype=np.uint8), PER_CLASS)
    if name == "fashion-mnist":
        return {
            f"{prefix}-{kind}": _idx(array)
            for prefix in ("train", "t10k")
            for kind, array in (
                ("images-idx3-ubyte", rng.integers(0, 256, (len(labels), 28, 28), np.uint8)),
                ("labels-idx1-ubyte", labels),
            )
        }
    members = [member.name for member in ARCHIVES[name].members]
    return {member: _cifar(labels, 1 if name == "cifar10" else 2, rng) for member in members}


def _publish(monkeypatch, name: str, contents: dict[str, bytes]) -> dict[str, bytes]:
    """Let these contents be the published ones; what is offered for download, by file name."""
    real = ARCHIVES[name]
    if real.inside:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for member, data in {"readme.html": b"hello", **contents}.items():
                entry = tarfile.TarInfo(f"{real.inside}/{member}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        offered = {real.downloads[0].name: packed.getvalue()}
    else:
        offered = {member + ".gz": gzip.compress(data) for member, data in contents.items()}
    fake = Archive(
        members=tuple(Member(member, len(data), _md5(data)) for member, data in contents.items()),
        downloads=tuple(
            Download(f"https://example.org/{file}", len(data), _md5(data)) for file, data in offered.items()
        ),
        folders=real.folders,
        inside=real.inside,
    )
    monkeypatch.setitem(ARCHIVES, name, fake)
    return offered


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Folders of this test's own, and no network."""
    monkeypatch.setenv("DFN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DFN_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()

    def refuse(*_, **__):
        raise requests.ConnectionError("no network in this test")

    monkeypatch.setattr(requests, "get", refuse)


def _lay_out(folder, contents: dict[str, bytes], offered: dict[str, bytes], packing: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pack = {"plain": bytes, "gz": gzip.compress, "xz": lambda data: lzma.compress(data, preset=0)}
    if packing == "offered":
        for file, data in offered.items():
            (folder / file).write_bytes(data)
    else:
        suffix = "" if packing == "plain" else f".{packing}"
        for member, data in contents.items():
            (folder / (member + suffix)).write_bytes(pack[packing](data))


OFFICIAL = ["fashion-mnist", "cifar10", "cifar100"]


@pytest.mark.medium
@pytest.mark.parametrize("packing", ["plain", "gz", "xz", "offered"])
@pytest.mark.parametrize("place", [0, 1, "top"])
@pytest.mark.parametrize("name", OFFICIAL)
def test_every_layout_gives_the_same_images(name, place, packing, monkeypatch, tmp_path):
    contents = _contents(name)
    offered = _publish(monkeypatch, name, contents)
    assert not data_sets()[name].available
    folder = tmp_path / "data" / ("" if place == "top" else ARCHIVES[name].folders[place])
    _lay_out(folder, contents, offered, packing)
    assert data_sets()[name].available

    dataset = load_data(name)
    assert dataset.classes == data_sets()[name].classes
    assert dataset.test.labels.bincount().eq(PER_CLASS).all()
    last = list(contents)[-1] if name != "fashion-mnist" else "t10k-images-idx3-ubyte"
    assert dataset.test.images[-1].numpy().tobytes() == contents[last][-dataset.test.images[0].numel() :]
    first = next(iter(contents.values()))
    offset = {"fashion-mnist": 16, "cifar10": 1, "cifar100": 2}[name]
    assert dataset.train.images[0].numpy().tobytes() == first[offset : offset + dataset.train.images[0].numel()]
    assert len(dataset.train) == (5 if name == "cifar10" else 1) * PER_CLASS * len(dataset.classes)


def test_what_was_unpacked_is_kept_until_a_file_changes(monkeypatch, tmp_path):
    contents = _contents("cifar10")
    offered = _publish(monkeypatch, "cifar10", contents)
    folder = tmp_path / "data"
    _lay_out(folder, contents, offered, "xz")
    first = load_data("cifar10")
    with monkeypatch.context() as patch:
        patch.setattr(official, "read", None)  # a second unpacking would fail
        assert load_data("cifar10").train.images.equal(first.train.images)
    (folder / "test_batch.bin.xz").write_bytes(lzma.compress(b"something else"))
    with pytest.raises(DataError, match="test_batch"):
        load_data("cifar10")
    (folder / "test_batch.bin.xz").unlink()
    with pytest.raises(DataError, match=r"not complete \(test_batch.bin missing\)"):
        load_data("cifar10")


@pytest.mark.parametrize("spoil", ["unwritable", "torn"])
def test_a_cache_that_does_not_work_is_no_error(spoil, monkeypatch, tmp_path):
    contents = _contents("fashion-mnist")
    _lay_out(tmp_path / "data", contents, _publish(monkeypatch, "fashion-mnist", contents), "plain")
    if spoil == "unwritable":
        (tmp_path / "cache").write_text("a file where the folder should be")
        load_data("fashion-mnist")
    else:
        load_data("fashion-mnist")
        (kept,) = (tmp_path / "cache" / "tensors").iterdir()
        kept.write_bytes(kept.read_bytes()[:1000])
    assert load_data("fashion-mnist").train.labels.tolist() == list(range(10)) * PER_CLASS


@pytest.mark.parametrize("packing", ["plain", "gz", "xz"])
@pytest.mark.parametrize("damage", ["changed", "cut", "longer"])
@pytest.mark.parametrize("name", OFFICIAL)
def test_a_member_that_is_not_the_published_one_is_refused_by_name(name, damage, packing, monkeypatch, tmp_path):
    contents = _contents(name)
    offered = _publish(monkeypatch, name, contents)
    bad = list(contents)[-1]
    data = contents[bad]
    contents[bad] = {"changed": data[:-1] + bytes([data[-1] ^ 1]), "cut": data[:-7], "longer": data + b"x"}[damage]
    _lay_out(tmp_path / "data", contents, offered, packing)
    with pytest.raises(DataError, match=re.escape(bad)) as refused:
        load_data(name)
    assert str(refused.value).count("\n") == 0
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_truncated_or_changed_archive_is_refused_by_name(name, monkeypatch, tmp_path):
    contents = _contents(name)
    offered = _publish(monkeypatch, name, contents)
    file, data = next(iter(offered.items()))
    for wrong in (data[: len(data) // 2], data[:-20] + bytes(12) + data[-8:]):
        _lay_out(tmp_path / "data", contents, {**offered, file: wrong}, "offered")
        with pytest.raises(DataError, match=re.escape(file)):
            load_data(name)
    assert not (tmp_path / "cache").exists()


def test_a_gzip_that_unpacks_without_end_is_read_only_so_far(monkeypatch, tmp_path):
    contents = _contents("fashion-mnist")
    offered = _publish(monkeypatch, "fashion-mnist", contents)
    contents["train-labels-idx1-ubyte"] = bytes(50_000_000)
    _lay_out(tmp_path / "data", contents, offered, "gz")
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz holds more than 28 bytes"):
        load_data("fashion-mnist")


def test_contents_that_are_no_data_set_are_refused_even_with_the_right_checksum(monkeypatch, tmp_path):
    def refused(name: str, contents: dict[str, bytes], match: str) -> None:
        _lay_out(tmp_path / "data", contents, _publish(monkeypatch, name, contents), "plain")
        with pytest.raises(DataError, match=match):
            load_data(name)

    fashion = _contents("fashion-mnist")
    labels = np.tile(np.arange(10, dtype=np.uint8), 2)
    name = "train-labels-idx1-ubyte"
    refused("fashion-mnist", fashion | {name: b"<html>"}, f"{name} is no idx file")
    refused("fashion-mnist", fashion | {name: _idx(labels[:-1])}, "do not go together")
    refused("fashion-mnist", fashion | {name: _idx(labels % 9)}, "no image of class 'Ankle boot'")
    refused("fashion-mnist", fashion | {name: _idx(labels + 1)}, "label 10, but 10 classes")
    cifar = _contents("cifar10")
    refused("cifar10", cifar | {"test_batch.bin": bytes(3072)}, "test_batch.bin has 3072 bytes")


@pytest.mark.parametrize("name", OFFICIAL)
def test_without_files_or_network_one_sentence_says_what_to_put_where(name, tmp_path):
    for attempt in (load_data, fetch):
        with pytest.raises(DataError) as refused:
            attempt(name)
        text = str(refused.value)
        assert "\n" not in text
        assert str(tmp_path / "data" / ARCHIVES[name].folders[0]) in text and "DFN_DATA" in text
        assert all(download.name in text for download in ARCHIVES[name].downloads)
    assert [p for p in (tmp_path / "data").rglob("*") if p.is_file()] == []


class _Answer:
    def __init__(self, data: bytes, status: int = 200) -> None:
        self.data, self.status, self.headers = data, status, {"content-length": str(len(data))}

    def raise_for_status(self) -> None:
        if self.status != 200:
            raise requests.HTTPError(f"{self.status} gone")

    def iter_content(self, chunk_size: int):
        yield from (self.data[i : i + chunk_size] for i in range(0, len(self.data), chunk_size))


@pytest.mark.parametrize("name", OFFICIAL)
def test_fetch_downloads_what_is_missing_with_progress(name, monkeypatch, tmp_path):
    offered = _publish(monkeypatch, name, _contents(name))
    asked: list[str] = []

    def get(url, **_):
        asked.append(url.rsplit("/", 1)[-1])
        return _Answer(offered[asked[-1]])

    monkeypatch.setattr(requests, "get", get)
    seen: list[tuple[int, int]] = []
    assert fetch(name, lambda done, total: seen.append((done, total))) == tmp_path / "data"
    assert asked == list(offered)
    total = sum(map(len, offered.values()))
    assert seen[-1] == (total, total) and seen == sorted(seen)
    load_data(name)

    fetch(name)
    assert asked == list(offered), "a set that is there is not asked for again"
    if name == "fashion-mnist":
        (tmp_path / "data" / name / asked[2]).unlink()
        fetch(name)
        assert asked[4:] == [asked[2]]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda data: _Answer(data[:-1]), "does not have the published md5"),
        (lambda data: _Answer(b"<html>", status=404), "example.org answers: 404 gone"),
    ],
)
def test_a_download_that_is_not_the_published_file_leaves_nothing_behind(answer, said, monkeypatch, tmp_path):
    offered = _publish(monkeypatch, "cifar10", _contents("cifar10"))
    monkeypatch.setattr(requests, "get", lambda url, **_: answer(offered["cifar-10-binary.tar.gz"]))
    with pytest.raises(DataError, match=said):
        fetch("cifar10")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_fetch_into_a_folder_that_cannot_be_made_says_so(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cifar10 could not be downloaded"):
        fetch("cifar10", root=tmp_path / "file")


@pytest.mark.parametrize("name", ["digits", "folder:/tmp", "imagenet"])
def test_only_official_sets_are_fetched(name):
    with pytest.raises(DataError, match="accepted are fashion-mnist, cifar10, cifar100"):
        fetch(name)
