"""What is done to a net on the Lesions page, as plain data that fits into an address: cuts, ways back, dial, swap; and
which paths it leaves. No torch, no drawing, no cache."""

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal, cast, get_args

from dfn.design.cost import cost, named_branches, named_children
from dfn.design.errors import DesignError
from dfn.design.nodes import Conv, Fusion, MergeRun, Series, Tap
from dfn.design.paths import Spectrum, chain, path_spectrum
from dfn.design.spec import Design
from dfn.insight.maps import lane_words
from dfn.words import _

How = Literal["zero", "mean", "resample"]
HOWS: tuple[How, ...] = get_args(How)

DIAL = re.compile(r"(0(?:\.\d{1,2})?|1(?:\.0{1,2})?)(?:@(\d{1,3}))?")
SWAP = re.compile(r"(\w+)\.(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True)
class Lesion:
    """One state of the page. `cut` and `edges` are names of a trace such as `fusion3/deep`: a cut block, and a base
    network whose next block does not get the joined map of that fusion. The dial multiplies what `dialled` gives at
    fusion `dial_at` (None: at all) by `dial`. `swap` exchanges two blocks of one base network before two fusions."""

    cut: tuple[str, ...] = ()
    how: How = "zero"
    edges: tuple[str, ...] = ()
    dial: float = 1.0
    dial_at: int | None = None
    dialled: str = "shallow"
    swap: tuple[str, int, int] | None = None

    @property
    def changes(self) -> bool:
        """Whether anything is done at all."""
        return bool(self.cut or self.edges or self.swap) or self.dial < 1

    @property
    def silent(self) -> set[str]:
        """The cut blocks, as the blocks that no path goes through."""
        return set(self.cut)


@dataclass(frozen=True)
class Options:
    """What can be done to a net: its blocks by lane (`plain` where nothing is joined), the ways back that can be cut,
    and the pairs of blocks that fit into each other's place."""

    lanes: dict[str, tuple[str, ...]]
    edges: tuple[str, ...]
    swaps: tuple[tuple[str, int, int], ...]

    @property
    def blocks(self) -> tuple[str, ...]:
        """All blocks from stem to classifier, those of one fusion together."""
        numbered = [(at, block) for lane in self.lanes.values() for at, block in enumerate(lane)]
        return tuple(block for _at, block in sorted(numbered, key=lambda item: item[0]))

    @property
    def fusions(self) -> int:
        return 0 if "plain" in self.lanes else max(map(len, self.lanes.values()), default=0)


def options(design: Design, shape: tuple[int, int, int]) -> Options:
    """What this page can do to a net of this design, for images of this shape."""
    fusions = [(name, node) for name, node in named_children(design.body, "") if isinstance(node, Fusion)]
    if not fusions:
        taps = tuple(node.name for node in design.body.nodes if isinstance(node, Tap))
        whole = isinstance(design.body.nodes[0], Conv) and not any(
            isinstance(n, Series | MergeRun) for n in design.body.nodes
        )
        return Options({"plain": taps} if taps and whole else {}, (), ())
    lanes: dict[str, tuple[str, ...]] = {}
    for name, node in fusions:
        for block, _branch in named_branches(node, name):
            lane = block.rpartition("/")[2]
            lanes[lane] = (*lanes.get(lane, ()), block)
    try:
        chain(design)
    except DesignError:
        return Options(lanes, (), ())
    fed = [name for name, node in fusions[:-1] if node.join != "concat"]
    edges = tuple(f"{name}/{lane}" for name in fed for lane in lanes)
    shapes = cost(design, shape).shapes
    after = [shapes.get(f"{name}/joined", ()) for name, _node in fusions]
    between = list(zip([shapes.get("stem", ()), *after[:-1]], after, strict=True))
    pairs = [(i, j) for i, j in combinations(range(len(fusions)), 2) if between[i] == between[j]]
    return Options(lanes, edges, tuple((lane, i + 1, j + 1) for lane in lanes for i, j in pairs))


def read_names(text: str, lanes: dict[str, tuple[str, ...]], accepted: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Names from the address, where a lane's name stands for all its blocks, and whether every word was accepted."""
    wanted: set[str] = set()
    clean = True
    for word in filter(None, text.split(",")):
        names = {name for name in lanes.get(word, (word,)) if name in accepted}
        clean = clean and bool(names)
        wanted |= names
    return tuple(name for name in accepted if name in wanted), clean


def write_names(names: Iterable[str], lanes: dict[str, tuple[str, ...]]) -> str:
    """Names for the address, a whole lane by its own name."""
    left, words = list(names), []
    for lane, blocks in lanes.items():
        if len(blocks) > 1 and set(blocks) <= set(left):
            words.append(lane)
            left = [name for name in left if name not in blocks]
    return ",".join([*words, *left])


def read_dial(text: str, fusions: int) -> tuple[float, int | None] | None:
    """Gain and fusion from the address (`0.5`, `0.5@3`); None where it says nothing of this net."""
    found = DIAL.fullmatch(text)
    if not found or (found[2] and not 1 <= int(found[2]) <= fusions):
        return None
    return float(found[1]), int(found[2]) if found[2] else None


def write_dial(gain: float, at: int | None) -> str:
    """Gain and fusion for the address; empty where nothing is turned down at all fusions."""
    if gain == 1 and at is None:
        return ""
    return f"{gain:g}" + (f"@{at}" if at else "")


def read_swap(text: str, accepted: Sequence[tuple[str, int, int]]) -> tuple[str, int, int] | None:
    """The pair of blocks that the address names, such as `deep.1.2`."""
    found = SWAP.fullmatch(text)
    pair = (found[1], int(found[2]), int(found[3])) if found else None
    return pair if pair in accepted else None


def write_swap(pair: tuple[str, int, int] | None) -> str:
    return ".".join(map(str, pair)) if pair else ""


def paths_left(design: Design, lesion: Lesion) -> Spectrum | None:
    """How many paths of each depth still lead from the image to the classifier; None where fusions are nested.

    A replaced block ends every path through it. Where a way back is cut, the next block of that base network is reached
    from its own block alone.
    """
    if not any(isinstance(node, Fusion) for node in design.body.nodes):
        return _plain_left(design, lesion)
    try:
        links = chain(design)
    except DesignError:
        return None
    lanes = [name.rpartition("/")[2] for name, _branch in named_branches(_first_fusion(design), "fusion1")]
    depths = [list(row) for row in links.blocks]
    if lesion.swap:
        lane, first, second = lesion.swap
        k = lanes.index(lane)
        depths[first - 1][k], depths[second - 1][k] = depths[second - 1][k], depths[first - 1][k]
    silent = lesion.silent
    if lesion.dial == 0:
        chosen = range(1, len(depths) + 1) if lesion.dial_at is None else (lesion.dial_at,)
        silent = silent | {f"fusion{number}/{lesion.dialled}" for number in chosen}
    joined: Spectrum = {links.outside: 1}
    inputs: list[Spectrum] = [joined] * len(lanes)
    for number, row in enumerate(depths, start=1):
        outputs: list[Spectrum] = []
        for lane, depth, found in zip(lanes, row, inputs, strict=True):
            gone = f"fusion{number}/{lane}" in silent
            outputs.append({} if gone else {length + depth: count for length, count in found.items()})
        joined = _sum(outputs)
        inputs = [
            own if f"fusion{number}/{lane}" in lesion.edges else joined
            for lane, own in zip(lanes, outputs, strict=True)
        ]
    return dict(sorted(joined.items(), reverse=True))


def drawn(picture: dict[str, Any], lesion: Lesion, left: Spectrum | None) -> dict[str, Any]:
    """The drawing of a net without its cut blocks and with the paths that are left. Where none is left the whole net is
    drawn. A click on a join exchanges nothing here."""
    shown = deepcopy(picture)
    for element in shown["elements"]:
        if element["kind"] == "fusion":
            element["exchangeable"] = False
    if left is None or not lesion.changes:
        return shown
    shown["essential_depth"] = None
    shown["spectrum"] = [{"depth": d, "count": str(n), "example": None} for d, n in sorted(left.items())]
    if left:
        gone = set(lesion.cut)
        for element in shown["elements"]:
            if element["kind"] == "fusion":
                element["branches"] = [branch for branch in element["branches"] if branch["id"] not in gone]
        if gone & {element.get("id") for element in shown["elements"] if element["kind"] == "tap"}:
            shown["elements"] = [e for e in shown["elements"] if plain_block(picture, e.get("id", "")) not in gone]
            shown["stages"] = []
    return shown


def plain_block(picture: dict[str, Any], id: str) -> str | None:
    """The block of a plain net in which an element of its drawing lies: the tap behind it."""
    elements = picture["elements"]
    at = next((i for i, element in enumerate(elements) if element.get("id") == id), None)
    if at is None or id in ("input", "stem") or elements[at]["kind"] not in ("convs", "tap"):
        return None
    return next((element["id"] for element in elements[at:] if element["kind"] == "tap"), None)


def toggled(lesion: Lesion, block: str, blocks: Sequence[str]) -> Lesion:
    """The lesion with one block more, or less, cut."""
    wanted = set(lesion.cut) ^ {block}
    return replace(lesion, cut=tuple(name for name in blocks if name in wanted))


def words(name: str) -> str:
    """`fusion3/deep` as people say it."""
    place, _slash, lane = name.partition("/")
    number = place.removeprefix("fusion").removeprefix("block")
    if not lane:
        return _("block {number}").format(number=number)
    return _("{lane} {number}").format(lane=lane_words(lane), number=number)


def edge_words(name: str) -> str:
    """`fusion3/deep`, as the way on which that fusion feeds that base network."""
    number, lane = numbered(name)
    return _("fusion {number} to {lane}").format(number=number, lane=lane_words(lane))


def pair_words(swap: tuple[str, int, int]) -> str:
    """Two blocks of one base network, as people say it."""
    lane, *numbers = swap
    one, other = (words(f"fusion{number}/{lane}") for number in numbers)
    return _("{one} and {other}").format(one=one, other=other)


def numbered(name: str) -> tuple[int, str]:
    """Fusion and lane of `fusion3/deep`."""
    place, _slash, lane = name.partition("/")
    return int(place.removeprefix("fusion")), lane


def _plain_left(design: Design, lesion: Lesion) -> Spectrum:
    gone, waiting, cut = set(lesion.cut), 0, 0
    for node in design.body.nodes[1:]:
        match node:
            case Conv() if not node.projection:
                waiting += 1
            case Tap():
                cut += waiting * (node.name in gone)
                waiting = 0
            case _:
                continue
    return {depth - cut: count for depth, count in path_spectrum(design).items()}


def _first_fusion(design: Design) -> Fusion:
    return cast(Fusion, next(node for node in design.body.nodes if isinstance(node, Fusion)))


def _sum(spectra: Iterable[Spectrum]) -> Spectrum:
    total: Spectrum = {}
    for spectrum in spectra:
        for depth, count in spectrum.items():
            total[depth] = total.get(depth, 0) + count
    return total
