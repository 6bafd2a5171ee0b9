"""Every cache of the app, in one place: what is kept, for how long, and who shares it.

Everything is keyed by content (the text of a design, the id and the progress of a run), so that users share what they
can and nobody sees anything stale. Each cache is bounded.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import compare_data
import depth_map_data
import evidence_data
import flow_data
import lesion_data
import lesson_shelf
import map_measures
import maps_data
import method_data
import streamlit as st
from lesion_plan import How, Lesion
from picked import Picked

from dfn.data.info import DataInfo, data_sets
from dfn.design import paths
from dfn.design.cost import Cost, cost
from dfn.design.picture import picture
from dfn.design.spec import from_json
from dfn.lessons import Preset, in_words, read_presets
from dfn.referee.budget import Budget
from dfn.referee.grid import Cell
from dfn.runs.index import Facts, Index, facts_of
from dfn.runs.store import Run, Store
from dfn.training.comparisons import Frame
from dfn.training.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from dfn.data import Dataset
    from dfn.data.own import Photo
    from dfn.insight.effects import Kept
    from dfn.insight.evidence import Evidence
    from dfn.insight.fields import Fields
    from dfn.insight.gradients import Flow
    from dfn.insight.maps import Stack
    from dfn.insight.similarity import Alignment
    from dfn.models.build import FusedNet

FOLDER_SIDE = 32
RECORDED = Path(__file__).parents[1] / "assets" / "recorded"
RECORDED_COMPARISON = RECORDED.with_name("comparison.json")
RECORDED_MAP = RECORDED.with_name("depth_map.json")

BY_PIXELS: dict[str | type[Any], Callable[[Any], Any]] = {Picked: lambda picked: picked.key}

Shape = tuple[int, int, int]


@st.cache_data(max_entries=512, show_spinner=False)
def drawing(design: str, shape: Shape, origins: tuple[tuple[int, ...], ...] | None) -> dict[str, Any]:
    """The drawing of a design, given as its JSON text, for images of this shape."""
    return picture(from_json(design), shape, origins)


@st.cache_data(max_entries=1024, show_spinner=False)
def costs(design: str, shape: Shape) -> Cost:
    """Parameters, multiply-adds, activation bytes and shapes of a design, given as its JSON text."""
    return cost(from_json(design), shape)


@st.cache_data(max_entries=512, show_spinner=False)
def counts(design: str) -> dict[str, Any]:
    """Paths, groups, essential depth and the depths of the base networks of a design, given as its JSON text."""
    net = from_json(design)
    essential = paths.essential(net)
    return {
        "spectrum": paths.path_spectrum(net),
        "groups": paths.groups(net),
        "essential": essential.depth,
        "essential_exact": essential.exact,
        "depths": paths.base_depths(net),
        "fields": paths.receptive_fields(net),
    }


@st.cache_data(ttl=30, show_spinner=False)
def data_infos() -> dict[str, DataInfo]:
    """The data sets, and whether they are at hand; looked up again every half minute, as files may arrive."""
    return data_sets()


@st.cache_resource(max_entries=1024, show_spinner=False)
def _thumbnail(folder: str, _run: Run) -> dict[str, Any]:
    return {**picture(_run.recipe.design, image_shape(_run.recipe)), "spectrum": [], "compact": True, "selected": None}


def thumbnail(run: Run) -> dict[str, Any]:
    """The small drawing of a run's net, shared and not to be changed."""
    return _thumbnail(str(run.folder), run)


def image_shape(recipe: Recipe) -> Shape:
    """(channels, height, width) of the images that a recipe trains on."""
    known = data_infos().get(recipe.data)
    side = recipe.size or (known.shape[1] if known else FOLDER_SIDE)
    return recipe.design.in_channels, side, side


@st.cache_resource(show_spinner=False)
def recorded_race() -> list[tuple[str, str, Run]]:
    """(label, role, run) of the recorded example that comes with the lab, the fused net first."""
    runs = {run.recipe.label: run for run in Store(RECORDED).runs()}
    shown = [
        ("fused 50 + 14", "fused 50 + 14", "fused"),
        ("plain 50", "plain 50", "plain"),
        ("plain 14", "plain 14", "shallow"),
        ("resnet 50", "ResNet 50", "resnet"),
    ]
    return [(label, role, runs[name]) for name, label, role in shown if name in runs]


@st.cache_resource(max_entries=5000, show_spinner=False)
def facts(folder: str) -> Facts:
    """What the recipe of the run in this folder says; the folder's name is a hash of that recipe."""
    return facts_of(Run(Path(folder)).recipe)


@st.cache_resource(max_entries=16, show_spinner=False)
def run_index(root: Path) -> Index:
    """The list of the runs under this folder, whose index file is read once."""
    return Index(root)


@st.cache_resource(max_entries=4, show_spinner=False)
def test_images(data: str, size: int | None, train_limit: int | None, test_limit: int | None) -> "Dataset":
    """The test images of a data set; all users read the same ones."""
    return maps_data.load_test_images(data, size, train_limit, test_limit)


@st.cache_resource(max_entries=2, show_spinner=False)
def photograph(name: str) -> "Photo":
    """One of scikit-learn's photographs, which take a second to load."""
    from dfn.data.own import photograph

    return photograph(name)


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=BY_PIXELS)
def image_maps(folder: str, epochs: tuple[int, ...], picked: Picked) -> "tuple[dict[str, Stack], Stack]":
    """All maps of one image after these epochs of the run in this folder, and the class probabilities. Shared as they
    are and read only: the maps of many epochs take megabytes."""
    run = Run(Path(folder))
    return maps_data.trace_image(run, epochs, images_of(run), picked)


@st.cache_data(max_entries=1024, show_spinner=False, hash_funcs=BY_PIXELS)
def called_class(folder: str, epoch: int, picked: Picked) -> int:
    """The class that a run calls an image after an epoch."""
    return int(net_after(folder, epoch)(picked.seen(images_of(Run(Path(folder))))).argmax())


@st.cache_data(max_entries=1024, show_spinner=False)
def calls(folder: str, epoch: int, part: int) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
    """The classes that a run called after an epoch and how sure it was, for one part of its test images."""
    run = Run(Path(folder))
    return maps_data.call_images(run, epoch, images_of(run), part)


@st.cache_resource(max_entries=16, show_spinner=False)
def net_after(folder: str, epoch: int) -> "FusedNet":
    """The net that a run had after an epoch. Everybody reads this one, nobody changes it."""
    from dfn.runs import weights

    return weights.net_after(Run(Path(folder)), epoch)


@st.cache_resource(max_entries=512, show_spinner=False)
def answer(kind: str, question: tuple[str | int, ...]) -> list[Any]:
    """A box for the answer to a question, empty until somebody has worked it out: what is computed inside a cached
    function can neither show how far it is nor be stopped."""
    return []


def images_of(run: Run) -> "Dataset":
    """The test images that belong to a run's recipe."""
    recipe = run.recipe
    return test_images(recipe.data, recipe.size, recipe.train_limit, recipe.test_limit)


@st.cache_data(max_entries=1024, show_spinner=False, hash_funcs=BY_PIXELS)
def flow(folder: str, epoch: int, asked: flow_data.Asked) -> "Flow":
    """The gradient of the loss of these images, each with its class, on its way back through the net."""
    from dfn.insight.gradients import gradient_flow

    x, labels = flow_data.asked_images(images_of(Run(Path(folder))), asked)
    return gradient_flow(net_after(folder, epoch), x, labels)


@st.cache_data(max_entries=1024, show_spinner=False, hash_funcs=BY_PIXELS)
def lengths(folder: str, epoch: int, asked: flow_data.Asked) -> flow_data.Lengths:
    """The gradient of these images, each with its class, by the length of the paths along which it came."""
    x, labels = flow_data.asked_images(images_of(Run(Path(folder))), asked)
    return flow_data.measure_lengths(net_after(folder, epoch), x, labels)


@st.cache_data(max_entries=256, show_spinner=False)
def weight_norms(folder: str, size: int) -> flow_data.Curves:
    """The gradient norms of the weights that a run wrote down, by place; `size` of its records tells old from new."""
    return flow_data.weight_norms(Run(Path(folder)).metrics())


@st.cache_resource(max_entries=4, show_spinner=False)
def calibration(data: str, size: int | None, train_limit: int | None, test_limit: int | None) -> "list[Tensor]":
    """Training images for batch norm's statistics; read only."""
    return flow_data.calibration(data, size, train_limit, test_limit)


@st.cache_data(max_entries=256, show_spinner=False)
def joint(folder: str, epoch: int, count: int) -> flow_data.Joint:
    """What the net of this run and its base networks alone call right of the first `count` test images."""
    run = Run(Path(folder))
    recipe = run.recipe
    batches = calibration(recipe.data, recipe.size, recipe.train_limit, recipe.test_limit)
    return flow_data.measure_joint(net_after(folder, epoch), batches, images_of(run), count)


@st.cache_resource(max_entries=3, show_spinner=False)
def kept(folder: str, epoch: int, count: int) -> "Kept":
    """The maps of the first `count` test images at every station of this run's net; read only."""
    return lesion_data.keep(net_after(folder, epoch), images_of(Run(Path(folder))), count)


@st.cache_data(max_entries=4096, show_spinner=False)
def lesion_outcome(folder: str, epoch: int, count: int, lesion: Lesion) -> lesion_data.Outcome:
    """What a lesion does to the answers of this run's net."""
    return lesion_data.outcome(kept(folder, epoch, count), lesion, images_of(Run(Path(folder))))


@st.cache_data(max_entries=4096, show_spinner=False, hash_funcs=BY_PIXELS)
def answers_to(folder: str, epoch: int, count: int, lesion: Lesion, picked: Picked) -> lesion_data.Answers:
    """What this run's net calls an image, whole and with the lesion."""
    return lesion_data.answers(kept(folder, epoch, count), lesion, images_of(Run(Path(folder))), picked)


@st.cache_data(max_entries=256, show_spinner=False)
def lesion_importance(folder: str, epoch: int, count: int, how: How) -> dict[str, float]:
    """Accuracy of this run's net when one block at a time is cut."""
    return lesion_data.importance(kept(folder, epoch, count), how, images_of(Run(Path(folder))))


@st.cache_data(max_entries=256, show_spinner=False)
def lesion_gains(folder: str, epoch: int, count: int, lanes: tuple[str, ...], at: int | None) -> dict[str, list[float]]:
    """Accuracy of this run's net at every gain of the dial."""
    return lesion_data.gains(kept(folder, epoch, count), lanes, at)


@st.cache_data(max_entries=1024, show_spinner=False)
def lesion_draws(folder: str, epoch: int, count: int, how: How, blocks: int) -> list[float]:
    """Accuracy of this run's net when so many random blocks are cut at once, for several draws."""
    return lesion_data.random_accuracies(kept(folder, epoch, count), blocks, how, images_of(Run(Path(folder))))


@st.cache_data(max_entries=512, show_spinner=False)
def fields(design: str, names: tuple[str, ...]) -> "dict[str, Fields]":
    """The theoretical receptive fields of these maps of a design, given as its JSON text."""
    from dfn.insight.fields import theoretical_fields

    net = from_json(design)
    return {name: theoretical_fields(net, name) for name in names}


@st.cache_data(max_entries=512, show_spinner=False)
def effective(
    folder: str, epoch: int, picked: Picked, step: int, names: tuple[str, ...], spot: dict[str, int]
) -> dict[str, map_measures.Effective]:
    """Which pixels of an image count for one value of each of these maps of a run."""
    net, images = net_after(folder, epoch), images_of(Run(Path(folder)))
    return map_measures.effective(net, picked.seen(images), step, names, spot)


@st.cache_data(max_entries=1024, show_spinner=False)
def alike(one: tuple[str, int, str], other: tuple[str, int, str]) -> "Alignment":
    """How alike the maps of two runs are over test images; each is (folder, epoch, name of the map)."""
    images = images_of(Run(Path(one[0])))
    return map_measures.alike(net_after(*one[:2]), net_after(*other[:2]), images, one[2], other[2])


@st.cache_data(max_entries=256, show_spinner=False)
def evidence(folder: str, epoch: int) -> "dict[str, Evidence]":
    """What every map of this run's net tells of the shapes and of the textures of `scales`."""
    return evidence_data.measure(net_after(folder, epoch), images_of(Run(Path(folder))))


@st.cache_data(max_entries=256, show_spinner=False)
def lesion_maps(
    folder: str, epoch: int, count: int, lesion: Lesion, picked: Picked, name: str
) -> "tuple[Stack, Stack]":
    """A map of one image in this run's net, whole and with a lesion."""
    return lesion_data.maps_beside(kept(folder, epoch, count), lesion, images_of(Run(Path(folder))), picked, name)


@st.cache_data(max_entries=16, show_spinner=False)
def start_variances(size: str, data: str) -> dict[str, dict[str, float]]:
    """By method the variance of every layer before training, on the nets of this size."""
    return method_data.start_variances(size, data_infos()[data], calibration(data, None, None, None)[0])


@st.cache_data(max_entries=64, show_spinner=False)
def learned_weights(folder: str, epoch: int) -> dict[str, dict[str, float]]:
    """How the joins of this run's net weigh their branches, over some test images."""
    return method_data.learned_weights(net_after(folder, epoch), images_of(Run(Path(folder))))


@st.cache_resource(max_entries=64, show_spinner=False)
def comparison(
    frame: Frame,
    names: tuple[str, ...],
    settings: str,
    shape: Shape,
    budget: Budget,
    paces: tuple[tuple[str, float], ...],
    seeds: int,
) -> list[compare_data.Line]:
    """The nets of a comparison on equal terms and their recipes; `settings` are given as JSON text."""
    return compare_data.lines(frame, names, json.loads(settings), shape, budget, dict(paces), seeds)


@st.cache_data(max_entries=4, show_spinner=False)
def recorded_comparison(file: Path) -> compare_data.Recorded | None:
    """The comparison that comes with the lab."""
    return compare_data.recorded(file)


@st.cache_resource(max_entries=64, show_spinner=False)
def depth_grid(grid: tuple[Cell, ...], width: int, classes: int, settings: str, shape: Shape) -> dict[Cell, Recipe]:
    """The recipe of every cell of a depth map; `settings` are given as JSON text."""
    return depth_map_data.recipes(grid, width, classes, json.loads(settings), shape)


@st.cache_data(max_entries=4, show_spinner=False)
def recorded_map(file: Path) -> depth_map_data.Recorded | None:
    """The depth map that comes with the lab."""
    return depth_map_data.recorded(file)


@st.cache_resource(max_entries=256, show_spinner=False)
def _lesson(id: str, file: str, own: bool, changed: int) -> lesson_shelf.Entry:
    return lesson_shelf.entry(id, Path(file), own)


def lessons() -> dict[str, lesson_shelf.Entry]:
    """Every lesson file by its id; a file that a lecturer has changed is read again."""
    found = {}
    for id, file, own in lesson_shelf.files():
        try:
            changed = file.stat().st_mtime_ns
        except OSError:  # taken away since it was listed
            continue
        found[id] = _lesson(id, str(file), own, changed)
    return found


@st.cache_resource(show_spinner=False)
def _presets(file: Path) -> tuple[Preset, ...]:
    return read_presets(file)


def presets() -> tuple[Preset, ...]:
    """The starting points that come with the lab, in the language that is spoken."""
    return _presets(in_words(lesson_shelf.PRESETS))


@st.cache_data(max_entries=16, show_spinner=False)
def accuracies(folder: str) -> list[float]:
    """Test accuracy in percent by epoch, epoch 0 included, of a finished run."""
    return [100 * r["test_accuracy"] for r in Run(Path(folder)).metrics() if r["event"] == "epoch"]


@st.cache_data(max_entries=16, show_spinner=False)
def first_growth(folder: str) -> float:
    """Gradient of the weights at the stem as a multiple of the last block's, at the first step of a run."""
    curves = flow_data.weight_norms(Run(Path(folder)).metrics())
    return curves["stem"][1][0] / list(curves.values())[-1][1][0]


@st.cache_data(max_entries=64, show_spinner=False)
def exchange_difference(folder: str, epoch: int, fusion: int) -> float:
    """The largest change of a logit over some test images when the blocks of a fusion are exchanged."""
    import torch

    from dfn.models.transfer import exchange_blocks

    net = net_after(folder, epoch)
    x, _ = flow_data.some_images(images_of(Run(Path(folder))), range(64))
    with torch.no_grad():
        return (exchange_blocks(net, fusion)(x) - net(x)).abs().max().item()
