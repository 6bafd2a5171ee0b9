"""A net as data: the design, its validation, its JSON text, its canonical form and its id.

Text from outside is bounded in size, nesting and node count before it is parsed into nodes, and in parameters before
anything is built; every refusal names the field, the value and what would be accepted.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, assert_never

from pydantic import BaseModel

from dfn.design import cost
from dfn.design.errors import DesignError
from dfn.design.nodes import (
    SYMMETRIC_JOINS,
    Channels,
    Checked,
    Classes,
    Conv,
    Fusion,
    Head,
    MergeRun,
    Node,
    Pool,
    Probability,
    Series,
    Tap,
    Version,
    View,
)

Norm = Literal["batch", "group", "none"]

MAX_TEXT = 2_500_000  # room for the longest text that `to_json` can give
MAX_NESTING = 40
MAX_NODES = 20_000
MAX_VALUES = 8 * MAX_NODES  # a conv with all its fields has seven
MAX_PARAMETERS = 500_000_000


class Design(Checked):
    """What a net is: `body` from image to logits, with `norm` after every conv or nowhere (convs then have a bias).
    Group norm has about 8 channels in a group (`cost.norm_groups`). `global_drop_path` is the chance of a mini-batch of
    training to keep one column alone, the same branch at every fusion (FractalNet, arXiv 1605.07648, section 3.1; MV3D,
    arXiv 1611.07759); in the others each fusion drops branches for itself, as its `drop_path` says.

    Raises DesignError where the body is not a net: shapes that do not meet, a path without a classifier, more than
    20,000 nodes or 500 million parameters.
    """

    version: Version = 1
    in_channels: Channels = 3
    classes: Classes = 10
    norm: Norm = "batch"
    global_drop_path: Probability = 0.0
    body: Series

    def model_post_init(self, _: Any) -> None:
        scopes = [self.body]
        for count, (node, level) in enumerate(_nodes(self.body), start=1):
            if count > MAX_NODES:
                raise DesignError("body", f"a net of more than {MAX_NODES} nodes", f"at most {MAX_NODES} nodes")
            if level > MAX_NESTING:
                raise DesignError("body", f"nodes nested {level} deep", f"at most {MAX_NESTING} levels")
            match node:
                case Fusion():
                    scopes += node.branches
                case MergeRun():
                    scopes += sum(node.steps, ())
                case _:
                    pass
        parameters = sum(layer.parameters for layer in cost.layers(self))
        if parameters > MAX_PARAMETERS:
            raise DesignError("body", f"a net of {parameters:,} parameters", f"at most {MAX_PARAMETERS:,}")
        for scope in scopes:
            seen: set[str] = set()
            for name in _tap_names(scope):
                if name in seen:
                    raise DesignError("body", f"a second tap named {name}", "another name")
                seen.add(name)


def to_json(design: Design) -> str:
    """The design as JSON text, without what is at its default. `from_json` gives the same design back."""
    return json.dumps(_plain(design), separators=(",", ":"))


def from_json(text: str | bytes) -> Design:
    """The design that a JSON text holds; raises DesignError with the field, the value and what would be accepted."""
    if not isinstance(text, str | bytes):
        raise DesignError("text", text, "the JSON text of a design")
    if len(text) > MAX_TEXT:
        raise DesignError("text", f"a text of {len(text):,} characters", f"at most {MAX_TEXT:,}")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DesignError("text", f"bytes that are not UTF-8 (byte {error.start})", "JSON text in UTF-8") from None
    text = text.removeprefix("\ufeff")  # some editors on Windows begin a file with this mark
    if not text.strip():
        raise DesignError("text", "nothing", "the JSON text of a design")
    try:
        value = json.loads(
            text,
            parse_int=_whole_number,
            parse_constant=str,  # NaN and Infinity: as text they are refused where the field is known
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise DesignError("text", "brackets nested too deep", f"at most {MAX_NESTING} levels of nodes") from None
    except json.JSONDecodeError as error:
        place = f"what stands at line {error.lineno}, column {error.colno}"
        raise DesignError("text", place, f"JSON ({error.msg[0].lower()}{error.msg[1:]})") from None
    return from_data(value)


def from_data(value: Any) -> Design:
    """The design that plain data (what JSON holds) describe; raises DesignError like `from_json`."""
    if not isinstance(value, dict):
        raise DesignError("design", value, 'an object such as {"in_channels": 3, "classes": 10, "body": ...}')
    _check_size(value)
    return Design(**value)


def canonical(design: Design) -> Design:
    """The same net written in one way: nested series are opened, and the branches of joins that do not care about
    their order stand in a fixed one. Exchanging blocks leaves it unchanged."""
    return design.model_copy(update={"body": Series(nodes=tuple(_canonical_nodes(design.body)))})


def design_id(design: Design) -> str:
    """Twelve hexadecimal digits that are the same for designs with the same canonical form."""
    return hashlib.sha256(to_json(canonical(design)).encode()).hexdigest()[:12]


def _nodes(node: Node, level: int = 1) -> Iterator[tuple[Node, int]]:
    yield node, level
    match node:
        case Series():
            children: tuple[Node, ...] = node.nodes
        case Fusion():
            children = node.branches
        case MergeRun():
            children = sum(node.steps, ())
        case Conv() | Pool() | View() | Tap() | Head():
            children = ()
        case _:
            assert_never(node)
    for child in children:
        yield from _nodes(child, level + 1)


def _canonical_nodes(series: Series) -> Iterator[Node]:
    for node in series.nodes:
        match node:
            case Series():
                yield from _canonical_nodes(node)
            case Fusion():
                branches = [Series(nodes=tuple(_canonical_nodes(b))) for b in node.branches]
                scaled = list(zip(branches, node.scales or [1.0] * len(branches), strict=True))
                if node.join in SYMMETRIC_JOINS:
                    scaled.sort(key=lambda pair: (json.dumps(_plain(pair[0]), sort_keys=True), pair[1]))
                scales = tuple(scale for _, scale in scaled) if node.scales else ()
                yield node.model_copy(update={"branches": tuple(branch for branch, _ in scaled), "scales": scales})
            case MergeRun():
                streams = [
                    [Series(nodes=tuple(_canonical_nodes(block))) for block in s] for s in zip(*node.steps, strict=True)
                ]
                if node.end == "merge":
                    streams.sort(key=lambda s: json.dumps([_plain(block) for block in s], sort_keys=True))
                yield node.model_copy(update={"steps": tuple(zip(*streams, strict=True))})
            case Conv() | Pool() | View() | Tap() | Head():
                yield node
            case _:
                assert_never(node)


def _plain(model: BaseModel) -> dict[str, Any]:
    """Plain data without defaults; every node but a branch keeps its kind, which tells the nodes apart."""
    own = model.model_dump(mode="json", exclude_defaults=True, exclude={"body", "nodes", "branches", "steps"})
    match model:
        case Design():
            return own | {"body": _plain(model.body)}
        case Series():
            return own | {"nodes": [{"kind": n.kind} | _plain(n) for n in model.nodes]}
        case Fusion():
            return own | {"branches": [_plain(b) for b in model.branches]}
        case MergeRun():
            return own | {"steps": [[_plain(block) for block in step] for step in model.steps]}
        case _:
            return own


def _tap_names(series: Series) -> Iterator[str]:
    """The taps of a series and of the series in it, which would share their names if those were opened."""
    for node in series.nodes:
        match node:
            case Tap():
                yield node.name
            case Series():
                yield from _tap_names(node)
            case Conv() | Pool() | View() | Head() | Fusion() | MergeRun():
                pass
            case _:
                assert_never(node)


def _check_size(value: Any) -> None:
    """Refuse many values, deep nesting and names that are no text before anything is made of them."""
    level, count = [value], 0
    for _ in range(5 * MAX_NESTING // 2 + 2):  # two levels of nodes are two objects and up to three lists
        inside = [found for found in level if isinstance(found, dict | list)]
        count += sum(map(len, inside))
        if count > MAX_VALUES:
            raise DesignError("design", f"more than {MAX_VALUES} values", f"at most {MAX_NODES} nodes")
        level = []
        for found in inside:
            if isinstance(found, dict):
                for name in found:
                    if not isinstance(name, str):
                        raise DesignError("design", f"a field named {name!r}", "fields with names that are text")
                level += found.values()
            else:
                level += found
    if level:
        raise DesignError("design", "nodes nested too deep", f"at most {MAX_NESTING} levels of nodes")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise DesignError(twice, "a field that is given twice", "each field once")
    return fields


def _whole_number(digits: str) -> int:
    """Python does not read thousands of digits; the first hundred are as far out of every field's range."""
    return int(digits[:100])
