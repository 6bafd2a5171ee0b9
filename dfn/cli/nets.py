"""From options to a design and a recipe: which options a net has, and what the data set decides."""

from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

from dfn.cli.options import NetOptions, ShapeOptions, TrainingOptions
from dfn.cli.output import BadInput, refuse
from dfn.data.errors import DataError
from dfn.data.info import data_sets
from dfn.design.catalogue import catalogue, fused
from dfn.design.errors import DesignError
from dfn.design.nodes import Fusion
from dfn.design.spec import MAX_TEXT, Design, from_json
from dfn.training.comparisons import Frame
from dfn.training.recipe import PRESETS, Recipe, joins_logits

FOLDER = "folder:"

_DROPS = {"drop_path", "global_drop_path"}
_BLOCKS = {"norm", "dropout", "relu"} | _DROPS
SHAPED_BY = {
    "fused": {"deep", "shallow", "bases", "fusions", "width", "join"} | _BLOCKS,
    "plain": {"deep", "fusions", "width", "norm", "dropout"},
    "resnet": {"deep", "width"} | _BLOCKS,
    "highway": {"deep", "width"} | _BLOCKS,
    "merge-run": {"deep", "width", "norm"},
    "inception": {"deep", "width"},
    "fractal": {"deep", "width"} | _DROPS,
    "decision": {"deep", "shallow", "bases", "width", "join", "norm", "dropout"} | _DROPS,
    "late": {"deep", "shallow", "bases", "width", "join"} | _BLOCKS,
    "inception-resnet": {"deep", "width"},
    "side-outputs": {"deep", "width", "norm"},
    "multi-column": {"deep", "width", "join", "norm", "dropout"},
    "adaptive-columns": {"deep", "width", "norm", "dropout"},
    "views-early": {"deep", "fusions", "width", "norm"},
    "views-late": {"deep", "fusions", "width", "norm"} | _DROPS,
    "views-deep": {"deep", "fusions", "width", "norm"} | _DROPS,
}
"""The options that each net of the catalogue has."""

FRAMED_BY = {"deep", "shallow", "bases", "fusions", "width", "join"}
"""The options that a method has: those of the fused net that it stands beside."""

DEPTH_PER = {"inception": ("modules", 2), "inception-resnet": ("modules", 3), "fractal": ("blocks", 4)}
"""Nets that are counted in parts: the name of the part, and how many layers the deepest path gains with each."""


@dataclass(frozen=True)
class Images:
    """What a data set decides about a net: channels, height and width of an image, and the number of classes."""

    shape: tuple[int, int, int] = (3, 32, 32)
    classes: int = 10


def images_of(data: str, size: int | None = None, *, needed: bool = True) -> Images:
    """What this data set decides. `needed`: it has to be on this machine. Raises BadInput where it cannot be had."""
    info = data_sets().get(data)
    if info and (info.available or not needed):
        side = (size, size) if size else info.shape[1:]
        return Images((info.shape[0], *side), len(info.classes))
    from dfn.data import load_data

    try:
        loaded = load_data(data, size=size)
    except DataError as error:
        raise BadInput(f"--data: {error}") from error
    return Images(loaded.shape, len(loaded.classes))


def catalogue_name(net: str) -> str:
    """The name, where the catalogue has it."""
    if net not in SHAPED_BY:
        refuse("--net", net, ", ".join(SHAPED_BY))
    return net


def make(net: str, shape: dict[str, Any], images: Images) -> Design:
    """A net of the catalogue for these images. Raises BadInput for an option that this net does not have."""
    for option in shape.keys() - SHAPED_BY[catalogue_name(net)]:
        names = ", ".join(_option(name) for name in ShapeOptions.__annotations__ if name in SHAPED_BY[net])
        refuse(_option(option), shape[option], f"with --net {net} only {names}")
    settings = dict(shape)
    if "bases" in settings:
        if settings.keys() & {"deep", "shallow"}:
            refuse("--bases", settings["bases"], "the depths of all base networks, without --deep and --shallow")
        settings["bases"] = depths_of(settings["bases"])
    if "shallow" not in SHAPED_BY[net] and "deep" in settings:
        settings |= _depth(net, settings.pop("deep"))
    return catalogue()[net].make(**settings, classes=images.classes, in_channels=images.shape[0])


def chosen(net: NetOptions, shape: ShapeOptions, images: Images) -> tuple[str, Design]:
    """The net that the options name, with its name; a design from a file is called `design`."""
    if net.design is None:
        name = net.net or "fused"
        return name, make(name, shape.given(), images)
    for option, value in ({"net": net.net} | vars(shape)).items():
        if value is not None:
            refuse(_option(option), value, "nothing beside --design, which says all about the net")
    return "design", read_design(Path(net.design))


def read_design(file: Path) -> Design:
    """The design in a file of JSON."""
    try:
        with open(file, "rb") as opened:
            text = opened.read(MAX_TEXT + 1)
    except OSError as error:
        raise BadInput(f"--design: {file} cannot be read ({error.strerror}); accepted: a file with a design") from None
    try:
        return from_json(text)
    except DesignError as error:
        raise BadInput(f"--design: {file}: {error}") from None


def settings_of(data: str, preset: str, training: TrainingOptions) -> dict[str, Any]:
    """The settings of a recipe that the options name: a preset, and what was given beside it."""
    if preset not in PRESETS:
        refuse("--preset", preset, ", ".join(PRESETS))
    return PRESETS[preset].settings | training.given() | {"data": absolute(data)}


def recipe_for(name: str, design: Design, settings: dict[str, Any]) -> Recipe:
    """The recipe of a design with these settings. Raises RecipeError for settings that cannot be."""
    # whole nets that only meet in their logits are trained as what they are: each with a loss of its own; but a join
    # that learns weights learns them from the joined answer alone
    learns = any(isinstance(node, Fusion) and node.join in ("weighted", "adaptive") for node in design.body.nodes)
    whole = joins_logits(design) and len(design.body.nodes) == 1
    objective = "mean-of-losses" if whole and not learns else "cross-entropy"
    return Recipe(design=design, net=name, **{"objective": objective} | settings)


def frame_of(shape: ShapeOptions, images: Images) -> Frame:
    """What the options say about the fused net of a method; raises BadInput for what a method decides itself."""
    given = shape.given()
    for option in given.keys() - FRAMED_BY:
        refuse(_option(option), given[option], "nothing beside --method, which decides it")
    names = ("deep", "shallow", "fusions", "width", "join")
    defaults = {name: signature(fused).parameters[name].default for name in names}
    if "bases" in given:
        if given.keys() & {"deep", "shallow"}:
            refuse("--bases", given["bases"], "the depths of all base networks, without --deep and --shallow")
        given["bases"] = depths_of(given["bases"])
    fused(**given)  # refuses what no method could make
    deep, shallow, fusions, width, join = (given.get(name, default) for name, default in defaults.items())
    bases = tuple(given.get("bases", (deep, shallow)))
    return Frame(bases, fusions, width, images.classes, images.shape[0], join)


def absolute(data: str) -> str:
    """The name of a data set; a folder's with its full path, because a worker may stand elsewhere."""
    if data.startswith(FOLDER):
        return FOLDER + str(Path(data.removeprefix(FOLDER)).expanduser().resolve())
    return data


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")


def depths_of(text: str, option: str = "--bases") -> list[int]:
    """Whole numbers with commas between them, `26,14,8`."""
    try:
        return [int(depth) for depth in text.split(",")]
    except ValueError:
        refuse(option, text, "whole numbers with commas between them, such as 26,14,8")


def _depth(net: str, depth: int) -> dict[str, int]:
    if net not in DEPTH_PER:
        return {"depth": depth}
    part, layers = DEPTH_PER[net]
    count, rest = divmod(depth - 2, layers)
    if rest or count < 1:
        refuse("--deep", depth, f"with --net {net} only {2 + layers}, {2 + 2 * layers}, {2 + 3 * layers}, ...")
    return {part: count}
