"""Ways to look inside a net, one line each: maps, attribution, flow, lesions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dfn.notebook.bars import bars

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from torch import Tensor

    from dfn.insight.methods import Unit
    from dfn.models.build import FusedNet
    from dfn.runs.run import Run
    from dfn.views.notebook import View

    Subject = Run | FusedNet
    Image = int | Tensor


def maps(subject: "Subject", image: "Image" = 0, fusion: int = 1, epoch: int | None = None) -> "View":
    """The maps of the blocks that meet at a place of the net (a fusion, or a tap, counted from 1) and what they join
    to, scrubbed through all epochs that a run kept. Raises ValueError."""
    from dfn.design.errors import whole
    from dfn.figures.maps import tiles
    from dfn.insight.fields import theoretical_fields
    from dfn.insight.maps import map_stacks, places
    from dfn.insight.maps_view import view_data
    from dfn.runs.run import Run
    from dfn.views import notebook

    net, x, _ = _asked(subject, image, epoch)
    found = places(net.design)
    place = found[whole("fusion", fusion, 1, len(found)) - 1]
    if isinstance(subject, Run):
        kept = subject.snapshots()
        stacks, _ = map_stacks(net.design, kept, x[0], place.names)
        epochs = list(kept)
        at = epochs.index(max(kept) if epoch is None else epoch)
    else:
        _, trace = net.trace(x)
        stacks, epochs, at = {name: trace[name].detach().cpu().numpy() for name in place.names}, [0], 0
    fields = {name: theoretical_fields(net.design, name) for name in place.names}
    data = view_data(place, stacks, epochs, epochs[at], fields, scale="shared", range=None)
    titles = [panel["title"] for panel in data["panels"]]
    still = tiles({title: stacks[name][at] for title, name in zip(titles, place.names, strict=True)}, place.title)
    return notebook.View("maps", data, still)


def attribution(
    subject: "Subject",
    image: "Image" = 0,
    method: str = "integrated_gradients",
    at: str = "input",
    target: "int | Unit | None" = None,
    epoch: int | None = None,
    **options: Any,
) -> "go.Figure":
    """Where the logit of `target` came from, the class that the net calls where it is None, or the value of a `Unit`,
    beside the image. `method`, `at` and `options` are those of `dfn.attribute`. Raises ValueError."""
    from dfn.figures.attribution import beside_image
    from dfn.insight.attribution import attribute
    from dfn.insight.methods import METHODS

    net, x, _ = _asked(subject, image, epoch)
    wanted = int(net(x).argmax()) if target is None else target
    found = attribute(net, x, wanted, method, at, **options)
    gap = "" if found.gap is None else f", completeness gap {float(found.gap[0]):.1e}"
    seen = x[0].permute(1, 2, 0).cpu().numpy()
    about = f"class {wanted}" if isinstance(wanted, int) else str(wanted)
    title = f"{METHODS[method].title} of {at} for {about}{gap}"
    return beside_image(found.values[0].double().sum(0).cpu().numpy(), seen, title)


def flow(subject: "Subject", image: "Image" = 0, target: int | None = None, epoch: int | None = None) -> "View":
    """The gradient of a logit in the image by the length of the paths along which it came, beside how many paths there
    are of each. The class is the true one of a run's image, else the one that the net calls. Raises ValueError."""
    from dfn.design.paths import path_spectrum
    from dfn.insight.gradients import gradient_by_length

    net, x, label = _asked(subject, image, epoch)
    wanted = label if target is None else target
    if wanted is None:
        wanted = int(net(x).argmax())
    parts = {depth: part.norm().item() for depth, part in gradient_by_length(net, x, wanted).items()}
    spectrum = path_spectrum(net.design)
    paths = sum(spectrum.values())
    groups = {
        "norm of the part, % of their sum": ("fused", _percent(parts, sum(parts.values()) or 1.0)),
        "share of the paths, %": ("plain", _percent(spectrum, paths)),
    }
    return bars(groups, f"The gradient of class {wanted} by path length", "%", "layers on the path")


def lesions(run: "Run", images: int = 200, how: str = "zero", epoch: int | None = None) -> "View":
    """The accuracy, in points, that a run's net loses when one block at a time is cut, over its first test images.
    `how` is `zero`, `mean` or `resample`, as for `dfn.lesion`. Raises ValueError."""
    from dfn.insight.effects import Kept, importance
    from dfn.insight.lesions import HOWS
    from dfn.insight.subject import refusal
    from dfn.runs.weights import data_of, net_after

    if how not in HOWS:
        raise refusal("how", how, f"one of {', '.join(HOWS)}")
    net, data = net_after(run, epoch), data_of(run)
    x, labels = data.normalise(data.test.images[:images]), data.test.labels[:images]
    kept = Kept(net, x, labels)
    lanes: dict[str, dict[str, float]] = {}
    for (number, lane), effect in importance(kept, how, x).items():
        lanes.setdefault(lane, {})[str(number)] = kept.effect.accuracy - effect.accuracy
    groups = {f"{lane} blocks": (lane, _percent(lost, 1)) for lane, lost in lanes.items()}
    return bars(groups, "Accuracy lost", "points", f"one block cut at a time, {len(labels)} images")


def _asked(subject: "Subject", image: "Image", epoch: int | None) -> "tuple[FusedNet, Tensor, int | None]":
    """The net, the image (1, C, H, W) and, where it is known, its class."""
    from torch import Tensor

    from dfn.design.errors import whole
    from dfn.insight.subject import checked_images, own_copy, refusal
    from dfn.runs.run import Run
    from dfn.runs.weights import data_of, net_after

    net = net_after(subject, epoch) if isinstance(subject, Run) else own_copy(subject)
    if isinstance(image, Tensor):
        return net, checked_images(net, image if image.dim() == 4 else image[None], "image")[:1], None
    if not isinstance(subject, Run):
        raise refusal("image", image, "with a net a normalised image, a float tensor (C, H, W)")
    data = data_of(subject)
    at = whole("image", image, 0, len(data.test) - 1)
    return net, data.normalise(data.test.images[at : at + 1]), int(data.test.labels[at])


def _percent(values: Mapping[Any, float], whole: float) -> dict[Any, float]:
    return {name: 100 * value / whole for name, value in values.items()}
