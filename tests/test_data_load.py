"""Loading by name: what comes back, how it is limited, resized and normalised, and what is refused."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dfn.data import DataError, Split, data_sets, load, load_data
from dfn.data.load import _limit, _statistics

REAL = os.environ.get("DFN_DATA")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("DFN_CACHE", str(tmp_path / "cache"))


def test_digits_are_the_fixed_stratified_split():
    digits = load_data("digits")
    assert digits.shape == (1, 8, 8) and (len(digits.train), len(digits.test)) == (1437, 360)
    assert digits.train.images.dtype == torch.uint8 and digits.train.labels.dtype == torch.int64
    assert digits.train.images.max() == 255 and len(digits.train.images.unique()) == 17
    assert digits.test.labels.bincount().tolist() == [36, 36, 35, 37, 36, 37, 36, 36, 35, 36]
    order = hashlib.sha256(digits.test.images.numpy().tobytes()).hexdigest()
    assert order[:16] == "ac6ada28192bd51a"
    kept = load_data("digits")
    assert kept.train.images.equal(digits.train.images) and kept.test.labels.equal(digits.test.labels)
    assert not digits.mirror and digits.pad == 1


@pytest.mark.medium
@pytest.mark.parametrize("name", ["digits", "scales"])
def test_a_record_agrees_with_the_catalogue_and_is_normalised(name):
    dataset, info = load_data(name), data_sets()[name]
    assert (dataset.name, dataset.title, dataset.classes, dataset.shape) == (
        info.name,
        info.title,
        info.classes,
        info.shape,
    )
    assert (len(dataset.train), len(dataset.test)) == (info.train_size, info.test_size)
    assert (dataset.mirror, dataset.pad, dataset.source, dataset.licence) == (
        info.mirror,
        info.pad,
        info.source,
        info.licence,
    )
    x = dataset.normalise(dataset.train.images)
    assert x.dtype == torch.float32
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(dataset.shape[0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(dataset.shape[0]), atol=1e-4, rtol=0)


def test_a_constant_channel_can_be_normalised():
    mean, std = _statistics(torch.full((2, 1, 4, 4), 51, dtype=torch.uint8))
    assert mean == pytest.approx((0.2,)) and std == (1 / 255,)


@settings(max_examples=50, deadline=None)
@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=40), limit=st.integers(1, 45))
def test_a_limit_takes_the_classes_in_turn(labels, limit):
    split = Split(torch.arange(len(labels)).view(-1, 1, 1, 1), torch.tensor(labels))
    taken = _limit(split, limit)
    assert len(taken) == min(limit, len(labels))
    seen = taken.images.flatten().tolist()
    assert [labels[i] for i in seen] == taken.labels.tolist() and len(set(seen)) == len(seen)
    for c in set(labels):
        of_class = [i for i in seen if labels[i] == c]
        assert of_class == [i for i, label in enumerate(labels) if label == c][: len(of_class)]
        others = [taken.labels.tolist().count(k) for k in set(labels)]
        assert len(of_class) >= min(labels.count(c), max(others) - 1)
    shorter = _limit(split, max(1, limit - 1))
    if limit < len(labels):
        assert shorter.labels.tolist() == taken.labels.tolist()[: len(shorter)]


def test_limits_only_shorten():
    digits = load_data("digits", train_limit=100, test_limit=5000)
    assert digits.train.labels.bincount().tolist() == [10] * 10 and len(digits.test) == 360


def test_resizing_is_by_area_mean_where_it_can_be(monkeypatch):
    monkeypatch.setattr(load, "CHUNK", 7)
    whole, half = load_data("digits"), load_data("digits", size=4)
    mean = F.avg_pool2d(whole.train.images.float(), 2).round()
    assert half.train.images.float().equal(mean) and half.pad == 1
    odd = load_data("digits", size=6)
    assert odd.shape == (1, 6, 6)
    assert abs(odd.train.images.float().mean() - whole.train.images.float().mean()) < 8
    big = load_data("digits", size=32, train_limit=20)
    assert big.shape == (1, 32, 32) and big.pad == 4


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("imagenet", {}, "'imagenet' is unknown: accepted are digits, scales, fashion-mnist"),
        ("digits", {"size": 3}, "size is 3: accepted are 4 to 256"),
        ("digits", {"size": 1000}, "size is 1000"),
        ("digits", {"train_limit": 0}, "train_limit is 0: accepted is 1 or more"),
        ("digits", {"test_limit": -1}, "test_limit is -1"),
        ("folder:", {}, "has"),
    ],
)
def test_what_cannot_be_loaded_is_named(name, options, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=said):
        load_data(name, **options)


def test_listing_data_sets_needs_no_torch(tmp_path):
    code = (
        "import sys; from dfn.data.info import data_sets; from dfn.data import DataError, fetch; sets = data_sets();"
        " assert list(sets) == ['digits', 'scales', 'fashion-mnist', 'cifar10', 'cifar100'], sets;"
        " assert sets['digits'].available and not sets['cifar10'].available;"
        " heavy = {'torch', 'sklearn', 'PIL', 'pooch', 'requests'} & set(sys.modules); assert not heavy, heavy"
    )
    environment = os.environ | {"DFN_DATA": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_the_catalogue_is_complete():
    for name, info in data_sets().items():
        assert info.name == name and len(set(info.classes)) == len(info.classes) >= 2
        assert info.title and info.origin and info.source and info.licence
        assert (info.download_bytes > 0) == (name not in ("digits", "scales"))
    assert len(data_sets()["cifar100"].classes) == 100


needs_data = pytest.mark.skipif(not REAL, reason="DFN_DATA names no folder with the official files")


def _real(name: str, **options):
    if not data_sets()[name].available:
        pytest.skip(f"{name} is not in DFN_DATA")
    return load_data(name, root=Path(REAL or ""), **options)


@needs_data
def test_fashion_mnist_is_the_published_one():
    fashion = _real("fashion-mnist")
    assert fashion.train.labels.bincount().tolist() == [6000] * 10
    assert fashion.test.labels.bincount().tolist() == [1000] * 10
    assert fashion.train.labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert fashion.mean == pytest.approx((0.2860,), abs=5e-5) and fashion.std == pytest.approx((0.3530,), abs=5e-5)
    small = _real("fashion-mnist", size=14, train_limit=1000, test_limit=200)
    assert small.shape == (1, 14, 14) and small.train.labels.bincount().tolist() == [100] * 10


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "classes", "mean", "std"),
    [
        ("cifar10", 10, (125.307, 122.950, 113.865), (62.993, 62.089, 66.705)),
        ("cifar100", 100, (129.304, 124.070, 112.434), (68.170, 65.392, 70.418)),
    ],
)
def test_cifar_has_the_mean_and_std_that_the_group_trained_with(name, classes, mean, std):
    """The figures of github.com/zlmzju/fusenet, in pixel values."""
    cifar = _real(name)
    assert cifar.train.labels.bincount().tolist() == [50_000 // classes] * classes
    assert cifar.test.labels.bincount().tolist() == [10_000 // classes] * classes
    assert [255 * m for m in cifar.mean] == pytest.approx(mean, abs=6e-4)
    assert [255 * s for s in cifar.std] == pytest.approx(std, abs=6e-4)
