"""The Python that gives what a page shows, for the state that the page is in. No drawing and no cache."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pprint import pformat
from typing import Any

from flow_data import Asked
from lesion_plan import Lesion, numbered
from picked import Picked

from dfn.insight.maps import Place
from dfn.insight.methods import Unit
from dfn.referee.budget import Budget, Shape
from dfn.referee.grid import Cell
from dfn.runs.run import Run
from dfn.training.comparisons import Frame, Settings

Imports = Iterable[str]


def opening(run: Run, recorded: bool, epoch: int, imports: Imports) -> str:
    """The imports, the run and its net after an epoch; `run`, `net` and `data` are what the rest begins with."""
    wanted = {*imports, "from dfn.runs.store import Store", "from dfn.runs.weights import data_of, net_after"}
    if recorded:
        wanted.add("from pathlib import Path")
    root = 'Path("assets/recorded")' if recorded else ""
    return "\n".join(
        [
            *_sorted(wanted),
            "",
            f'run = Store({root}).get("{run.id}")',
            f"net, data = net_after(run, {epoch}), data_of(run)",
        ]
    )


def race(made: str, frame: Frame, names: Sequence[str], settings: Settings) -> str:
    """The nets of a race trained to the end, or taken from where they were trained before; `made` is the code of the
    design `d`, `names` are the methods beside it."""
    beside = [
        f"frame = {frame!r}",
        f"for name in {list(names)!r}:",
        "    method = methods()[name]",
        "    recipes += [*method.first(frame, settings), method.make(frame, settings)]",
    ]
    lines = [
        "import dfn",
        "from dfn.runs.store import Store",
        "from dfn.runs.worker import work",
        f"from dfn.training.comparisons import {'Frame, fused_recipe, methods' if names else 'fused_recipe'}",
        "",
        made,
        f"settings = {_written(dict(settings))}",
        "recipes = [fused_recipe(d, settings)]",
        *(beside if names else []),
        "runs = [Store().create(recipe) for recipe in {recipe.id: recipe for recipe in recipes}.values()]",
        "work(runs)",
        "for run in runs:",
        '    print(run.id, f"{run.status().test_accuracy:.6g}", run.recipe.label)',
    ]
    return "\n".join(lines)


def comparison(
    frame: Frame,
    names: Sequence[str],
    settings: Settings,
    shape: Shape,
    budget: Budget,
    paces: Mapping[str, float],
    seeds: int,
) -> str:
    """Every net of a comparison trained with every seed, or taken from where it was trained before, and what the gaps
    are worth."""
    equal = f"{shape}, {budget!r}" + (f", {dict(paces)!r}" if paces else "")
    lines = [
        "from dfn.referee.budget import on_equal_terms",
        "from dfn.referee.contenders import from_methods",
        "from dfn.referee.results import result, sentences",
        "from dfn.runs.store import Store",
        "from dfn.runs.worker import work",
        "from dfn.training.comparisons import Frame",
        "",
        f"frame = {frame!r}",
        f"settings = {_written(dict(settings))}",
        f"nets = from_methods(frame, {list(names)!r})",
        f"entries, store = on_equal_terms(nets, frame.width, settings, {equal}), Store()",
        "for entry in entries:",
        f"    for seed in range({seeds}):",
        "        work([store.create(recipe) for recipe in (*entry.first(seed), entry.recipe(seed))])",
        f'print(*sentences([result(entry, range({seeds}), store) for entry in entries]), sep="\\n")',
    ]
    return "\n".join(lines)


def depth_map(cells: Sequence[Cell], width: int, classes: int, settings: Settings, channels: int) -> str:
    """The net of every square of a depth map trained, or taken from where it was trained before."""
    lines = [
        "from dfn.referee.grid import Cell",
        "from dfn.runs.store import Store",
        "from dfn.runs.worker import work",
        "",
        f"settings = {_written(dict(settings))}",
        f"squares = {_written([(cell.deep, cell.shallow, cell.fusions) for cell in cells])}",
        "for square in squares:",
        f"    run = Store().create(Cell(*square).recipe({width}, {classes}, {channels}, settings))",
        "    work([run])",
        '    print(run.id, f"{run.status().test_accuracy:.6g}", run.recipe.label)',
    ]
    return "\n".join(lines)


def maps(run: Run, recorded: bool, epoch: int, image: Picked, place: Place, number: int) -> str:
    """The maps of one place for one image, and what meets there in numbers."""
    lines = [
        opening(run, recorded, epoch, _imports(image)),
        f"logits, trace = net.trace(data.normalise({image.python}[None]))",
        f"for name in {place.names!r}:",
        '    print(name, tuple(trace[name].shape), f"{trace[name].abs().max():.6g}")',
        *_line(image, f"notebook.maps(run, image={image.number}, fusion={number}, epoch={epoch})"),
    ]
    return "\n".join(lines)


def flow(run: Run, recorded: bool, epoch: int, asked: Asked) -> str:
    """The gradient at every map, and by the length of the paths along which it came."""
    (image, label), count = asked[0], len(asked)
    given = f"data.normalise({image.python}[None]), torch.tensor([{label}])"
    if count > 1:  # several images are always the first of the test split
        given = f"data.normalise(data.test.images[:{count}]), data.test.labels[:{count}]"
    torch = [] if count > 1 else ["import torch"]
    gradients = "from dfn.insight.gradients import gradient_by_length, gradient_flow"
    lines = [
        opening(run, recorded, epoch, [*_imports(image), gradients, *torch]),
        f"x, y = {given}",
        "flow = gradient_flow(net, x, y)",
        "for place, norm in flow.places.items():",
        '    print(place, f"{norm:.6g}")',
        "for depth, part in gradient_by_length(net, x, y).items():",
        '    print(depth, f"{part.flatten(1).norm(dim=1).mean():.6g}")',
        *_line(image, f"notebook.flow(run, image={image.number}, epoch={epoch})"),
    ]
    return "\n".join(lines)


def lesions(run: Run, recorded: bool, epoch: int, count: int, lesion: Lesion, plain: tuple[str, ...]) -> str:
    """Accuracy before and after a lesion; `plain` are the blocks of a net that joins nothing."""
    calls = lesion_calls(lesion, plain)
    names = sorted({call.partition("(")[0] for call in calls})
    imports = ["from dfn import notebook", "from dfn.insight.effects import Kept"]
    imports += [f"from dfn.insight.lesions import {', '.join(names)}"] if names else []
    lines = [
        opening(run, recorded, epoch, imports),
        f"x, y = data.normalise(data.test.images[:{count}]), data.test.labels[:{count}]",
        "kept = Kept(net, x, y)",
        *(["reference = x[:200]"] if any("reference" in call for call in calls) else []),
        "changed = kept.net",
        *(f"changed = {call}" for call in calls),
        'print(f"{kept.effect.accuracy:.6g} {kept.judge(changed).accuracy:.6g}")',
        f"notebook.lesions(run, images={count}, epoch={epoch})  # block by block, in a notebook",
    ]
    return "\n".join(lines)


def lesion_calls(lesion: Lesion, plain: tuple[str, ...]) -> list[str]:
    """What is done to the net, one call after another, in the order of `lesion_data.lesioned`."""
    calls = []
    if lesion.swap:
        lane, first, second = lesion.swap
        calls.append(f'swap_blocks(changed, "{lane}", {first}, {second})')
    for number, lane in map(numbered, lesion.edges):
        calls.append(f'cut_feedback(changed, {number}, "{lane}")')
    if plain:
        return calls + [f"bypass(changed, {plain.index(name) + 1})" for name in lesion.cut]
    for number, lane in sorted(map(numbered, lesion.cut), reverse=True):
        more = "" if lesion.how == "zero" else f', "{lesion.how}", reference=reference'
        calls.append(f'lesion(changed, {number}, "{lane}"{more})')
    if lesion.dial < 1:
        at = f", {lesion.dial_at}" if lesion.dial_at else ""
        calls.append(f'dial(changed, {lesion.dial:g}, "{lesion.dialled}"{at})')
    return calls


def attribution(run: Run, recorded: bool, epoch: int, image: Picked, target: int | Unit, method: str, at: str) -> str:
    """The values of one picture and their completeness gap."""
    asked = f'method="{method}", at="{at}", target={target!r}'
    unit = ["from dfn.insight.methods import Unit"] if isinstance(target, Unit) else []
    lines = [
        opening(run, recorded, epoch, ["import dfn", *unit, *_imports(image)]),
        f"x = data.normalise({image.python}[None])",
        f'a = dfn.attribute(net, x, {target!r}, "{method}", at="{at}")',
        'print(tuple(a.values.shape), f"{a.values.double().sum():.6g}", a.gap)',
        *_line(image, f"notebook.attribution(run, image={image.number}, {asked}, epoch={epoch})"),
    ]
    return "\n".join(lines)


def _imports(image: Picked) -> list[str]:
    """What the image needs; the notebook's one-liners take images of the test split."""
    return [*image.imports, *(["from dfn import notebook"] if image.number is not None else [])]


def _line(image: Picked, call: str) -> list[str]:
    return [f"{call}  # the view, in a notebook"] if image.number is not None else []


def _written(value: Any) -> str:
    return pformat(value, width=90, compact=True, sort_dicts=False)


def _sorted(imports: set[str]) -> list[str]:
    """As a formatter would: the standard library, what is installed, the project, each after a blank line."""
    groups: dict[int, list[str]] = {}
    for line in sorted(imports, key=lambda line: (line.startswith("from"), line)):
        package = line.split()[1].partition(".")[0]
        rank = 0 if package in sys.stdlib_module_names else 2 if package == "dfn" else 1
        groups.setdefault(rank, []).append(line)
    return "\n\n".join("\n".join(groups[rank]) for rank in sorted(groups)).split("\n")
