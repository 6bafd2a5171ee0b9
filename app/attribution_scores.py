"""The scores beside a picture of the Attribution page, as plain numbers. No drawing and no cache.

What takes long is done in small portions, with a word to the page after each: there it can be stopped.
"""

from typing import TYPE_CHECKING

from attribution_data import Asked, Picture, Tell, fitting

from dfn.insight.methods import METHODS, STEPS

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.models.build import FusedNet

POINTED_AT = 24
DRAWS = 8


def sensitivity(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture, tell: Tell) -> float:
    """Max-sensitivity over some draws, integrated with as many steps as the picture took."""
    from dfn.insight import scores

    before = last = whole = 0

    def told(done: int, expected: int) -> None:
        # the picture itself comes first, then those of all draws at once
        nonlocal before, last, whole
        before, last, whole = before + (last if done < last else 0), done, whole or expected * (1 + DRAWS)
        tell(before + done, whole)

    steps = picture.attribution.steps
    options = {} if steps is None else {"steps": int(steps[0])}
    x = asked.image.seen(images)
    found = scores.sensitivity(net, x, asked.label, asked.method, samples=DRAWS, on_progress=told, **options)
    return float(found[0])


def infidelity(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> float:
    """Infidelity of a picture of the image."""
    from dfn.insight import scores

    x = asked.image.seen(images)
    return float(scores.infidelity(net, x, picture.attribution)[0])


def pixel_curves(net: "FusedNet", images: "Dataset", asked: Asked, picture: Picture) -> tuple[list[float], dict]:
    """The shares of pixels, and for deletion and insertion the probabilities and the area under them."""
    from dfn.insight import scores

    x = asked.image.seen(images)
    found = {
        order: scores.pixel_curve(net, x, asked.label, picture.attribution.values, order)
        for order in ("deletion", "insertion")
    }
    curves = {order: (curve.probability[0].tolist(), float(curve.area[0])) for order, curve in found.items()}
    return found["deletion"].shares.tolist(), curves


def randomised(net: "FusedNet", images: "Dataset", asked: Asked, tell: Tell) -> dict[str, float]:
    """How alike the picture stays while the weights are shuffled, from the classifier to the stem. Only
    ranks count, so integration takes no more than its first steps."""
    from dfn.insight import scores

    options = {"steps": STEPS} if "steps" in METHODS[asked.method].options else {}
    x = asked.image.seen(images)
    return scores.randomisation(net, x, asked.target, asked.method, asked.at, on_progress=tell, **options)


def pointing(net: "FusedNet", images: "Dataset", asked: Asked, tell: Tell) -> tuple[float, float, int] | None:
    """How often the largest value for the true class lies on the object, how often a random pixel would, and over how
    many of the first test images; None where the data set knows no objects."""
    import torch

    from dfn.insight import scores
    from dfn.insight.attribution import attribute

    masks = images.test.masks
    if masks is None:
        return None
    count, found = min(POINTED_AT, len(masks)), []
    for at in range(count):
        x = images.normalise(images.test.images[at : at + 1])
        found.append(attribute(net, x, int(images.test.labels[at]), asked.method, asked.at).values)
        tell(at + 1, count)
    hit = scores.pointing(torch.cat(found), masks[:count])
    return hit.rate, hit.chance, count


def hit_rates(
    net: "FusedNet", images: "Dataset", asked: Asked, tell: Tell
) -> tuple[dict[str, float], float, int] | None:
    """The pointing game of every method that fits the place, over the same images as `pointing`: hit rates, the chance
    of a random pixel, and the number of images."""
    from dfn.insight import scores

    masks = images.test.masks
    if masks is None:
        return None
    count = min(POINTED_AT, len(masks))
    x, labels = images.normalise(images.test.images[:count]), images.test.labels[:count]
    methods, _ = fitting(asked.at, net.design)
    found = scores.hit_rates(net, x, labels, masks[:count], methods, asked.at, tell)
    return {method: hit.rate for method, hit in found.items()}, masks[:count].double().mean().item(), count
