"""A net as data: the design, its validation, its JSON text, its canonical form and its id.

Text from outside is bounded in size, nesting and node count before it is parsed into nodes, and in parameters before
anything is built; every refusal names the field, the value and what would be accepted.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dfn.design import cost
from dfn.design.errors import DesignError
from dfn.design.nodes import (
    SYMMETRIC_JOINS,
    Channels,
    Conv,
    Fusion,
    Head,
    Node,
    Pool,
    Series,
    Tap,
    View,
)

MAX_TEXT = 1_000_000
MAX_NESTING = 40
MAX_NODES = 20_000
MAX_PARAMETERS = 500_000_000


class Design(BaseModel):
    """What a net is: `body` from image to logits, with `norm` after every conv or nowhere (convs then have a bias).

    Raises DesignError where the body is not a net: shapes that do not meet, a path without a classifier, more than
    20,000 nodes or 500 million parameters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    in_channels: Channels = 3
    classes: Annotated[int, Field(strict=True, ge=2, le=100_000)] = 10
    norm: Literal["batch", "none"] = "batch"
    body: Series

    @field_validator("body")
    @classmethod
    def _bounded(cls, body: Series) -> Series:
        for count, (_, level) in enumerate(_nodes(body), start=1):
            if count > MAX_NODES:
                raise DesignError("body", f"a net of more than {MAX_NODES} nodes", f"at most {MAX_NODES} nodes")
            if level > MAX_NESTING:
                raise DesignError("body", f"nodes nested {level} deep", f"at most {MAX_NESTING} levels")
        return body

    def model_post_init(self, _: Any) -> None:
        layers = list(cost.layers(self))
        parameters = sum(layer.parameters for layer in layers)
        if parameters > MAX_PARAMETERS:
            raise DesignError("body", f"a net of {parameters:,} parameters", f"at most {MAX_PARAMETERS:,}")
        names = Counter(layer.name for layer in layers)
        for name, times in names.items():
            if times > 1:
                raise DesignError("body", f"{times} maps named {name}", "a tap name that nothing else has")


def to_json(design: Design) -> str:
    """The design as JSON text, without what is at its default. `from_json` gives the same design back."""
    return json.dumps(_plain(design), separators=(",", ":"))


def from_json(text: str | bytes) -> Design:
    """The design that a JSON text holds; raises DesignError with the field, the value and what would be accepted."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DesignError("text", "bytes that are not UTF-8", "JSON text in UTF-8") from error
    if len(text) > MAX_TEXT:
        raise DesignError("text", f"{len(text):,} characters", f"at most {MAX_TEXT:,}")
    _check_nesting(text)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except DesignError:
        raise
    except ValueError as error:
        raise DesignError("text", f"no JSON ({error})", "the JSON text of a design") from error
    return from_data(value)


def from_data(value: Any) -> Design:
    """The design that plain data (what JSON holds) describe; raises DesignError like `from_json`."""
    if not isinstance(value, dict):
        raise DesignError("design", value, 'an object such as {"in_channels": 3, "classes": 10, "body": ...}')
    if sum(1 for _ in _objects(value)) > MAX_NODES:
        raise DesignError("design", f"more than {MAX_NODES} objects", f"at most {MAX_NODES}")
    try:
        return Design.model_validate(value)
    except ValidationError as error:
        raise first_error(error) from error


def first_error(error: ValidationError, root: str = "design") -> DesignError:
    """The first thing that pydantic found wrong, in a user's words."""
    found = error.errors()[0]
    inner = found.get("ctx", {}).get("error")
    if isinstance(inner, DesignError):
        return inner
    kinds = ("conv", "pool", "view", "tap", "head", "series", "fusion")  # pydantic's names of union members
    field = root
    for place in found["loc"]:
        if isinstance(place, int):
            field += f"[{place}]"
        elif place not in kinds:
            field += f".{place}"
    accepted = found["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        accepted = "no such field"
    elif found["type"] == "missing":
        return DesignError(field, "nothing", "a value (this field is required)")
    return DesignError(field, found["input"], accepted)


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
                if node.join in SYMMETRIC_JOINS:
                    branches.sort(key=lambda b: json.dumps(_plain(b), sort_keys=True))
                yield node.model_copy(update={"branches": tuple(branches)})
            case Conv() | Pool() | View() | Tap() | Head():
                yield node
            case _:
                assert_never(node)


def _plain(model: BaseModel) -> dict[str, Any]:
    """Plain data without defaults; every node but a branch keeps its kind, which tells the nodes apart."""
    own = model.model_dump(mode="json", exclude_defaults=True, exclude={"body", "nodes", "branches"})
    match model:
        case Design():
            return own | {"body": _plain(model.body)}
        case Series():
            return own | {"nodes": [{"kind": n.kind} | _plain(n) for n in model.nodes]}
        case Fusion():
            return own | {"branches": [_plain(b) for b in model.branches]}
        case _:
            return own


def _objects(value: Any) -> Iterator[dict]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _check_nesting(text: str) -> None:
    """Refuse deep nesting before the parser, which recurses, sees the text."""
    level, inside, escaped = 0, False, False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            inside = True
        elif character in "[{":
            level += 1
            if level > 3 * MAX_NESTING:  # a level of nodes is an object, a list and a branch
                raise DesignError("text", f"brackets nested over {level} deep", f"at most {3 * MAX_NESTING} levels")
        elif character in "]}":
            level -= 1


def _refuse_constant(name: str) -> None:
    raise DesignError("text", name, "finite numbers")
