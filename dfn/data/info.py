"""What data sets there are: the facts that pages and the shell list, without torch and without reading any data."""

from dataclasses import dataclass, replace

from dfn.data.archives import ARCHIVES, is_here
from dfn.words import N_

DIGITS_TRAIN, DIGITS_TEST = 1437, 360
SCALES_TRAIN, SCALES_TEST = 4500, 900
SCALES_SHAPES = ("disc", "square", "triangle")
SCALES_TEXTURES = ("fine vertical stripes", "fine horizontal stripes", "fine checks")

CIFAR10_CLASSES = "airplane automobile bird cat deer dog frog horse ship truck"
CIFAR100_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man
    maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train
    trout tulip turtle wardrobe whale willow_tree wolf woman worm"""
FASHION_CLASSES = "T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle_boot"

CIFAR_LICENCE = "no licence is stated by its makers: use and cite it, do not redistribute it"
CIFAR_CITATION = "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"


@dataclass(frozen=True)
class DataInfo:
    """The facts of one data set. `shape` is (C, H, W) as its makers give it, `pad` the crop padding in pixels at
    that size, `mirror` whether a mirrored image still shows its class, `origin` where the images come from,
    `source` what to cite, `available` whether it can be loaded now without a network."""

    name: str
    title: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    train_size: int
    test_size: int
    mirror: bool
    pad: int
    origin: str
    source: str
    licence: str
    download_bytes: int = 0
    available: bool = True


def data_sets() -> dict[str, DataInfo]:
    """Every data set by name, the default first; `folder:PATH` takes any folder of images besides."""
    return {
        name: replace(info, available=is_here(name)) if name in ARCHIVES else info for name, info in _DATA_SETS.items()
    }


def _names(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


_DATA_SETS = {
    info.name: info
    for info in (
        DataInfo(
            name="digits",
            title=N_("Handwritten digits (8x8)"),
            classes=tuple("0123456789"),
            shape=(1, 8, 8),
            train_size=DIGITS_TRAIN,
            test_size=DIGITS_TEST,
            mirror=False,
            pad=1,
            origin="comes with scikit-learn",
            source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning"
            " Repository, 1998; the copy of scikit-learn",
            licence="CC BY 4.0",
        ),
        DataInfo(
            name="scales",
            title=N_("Scales (synthetic: coarse shape x fine texture)"),
            classes=tuple(f"{shape}, {texture}" for shape in SCALES_SHAPES for texture in SCALES_TEXTURES),
            shape=(3, 32, 32),
            train_size=SCALES_TRAIN,
            test_size=SCALES_TEST,
            mirror=True,
            pad=4,
            origin="drawn on the fly from a fixed seed",
            source="DFN Lab",
            licence="MIT",
        ),
        DataInfo(
            name="fashion-mnist",
            title=N_("Fashion-MNIST"),
            classes=_names(FASHION_CLASSES),
            shape=(1, 28, 28),
            train_size=60_000,
            test_size=10_000,
            mirror=True,
            pad=2,
            origin=ARCHIVES["fashion-mnist"].origin,
            download_bytes=ARCHIVES["fashion-mnist"].download_bytes,
            source="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv 1708.07747, 2017",
            licence="MIT (Zalando SE)",
        ),
        DataInfo(
            name="cifar10",
            title=N_("CIFAR-10"),
            classes=_names(CIFAR10_CLASSES),
            shape=(3, 32, 32),
            train_size=50_000,
            test_size=10_000,
            mirror=True,
            pad=4,
            origin=ARCHIVES["cifar10"].origin,
            download_bytes=ARCHIVES["cifar10"].download_bytes,
            source=CIFAR_CITATION,
            licence=CIFAR_LICENCE,
        ),
        DataInfo(
            name="cifar100",
            title=N_("CIFAR-100"),
            classes=_names(CIFAR100_CLASSES),
            shape=(3, 32, 32),
            train_size=50_000,
            test_size=10_000,
            mirror=True,
            pad=4,
            origin=ARCHIVES["cifar100"].origin,
            download_bytes=ARCHIVES["cifar100"].download_bytes,
            source=CIFAR_CITATION,
            licence=CIFAR_LICENCE,
        ),
    )
}
