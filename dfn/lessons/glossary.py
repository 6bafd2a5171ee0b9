r"""The words of the lab: what each means in one sentence, with its formula and its source where it has them.

Letters as in the formulas of the methods: $x_b$ the joined map of fusion b, $G_b^k$ the block of base network k before
it, K base networks, B fusions; f the logit of the target, x' a baseline. Sources name what a word or a measure was
taken from; a sentence without one is this lab's own.
"""

import re
from dataclasses import dataclass

from dfn.words import N_, _

PAPER = "arXiv 1605.07716"


@dataclass(frozen=True)
class Term:
    """One word. `cards` are the names that numbers in cards have where it is not the word itself; what stands there in
    braces is filled in by a page."""

    word: str
    says: str
    source: str = ""
    formula: str = ""
    cards: tuple[str, ...] = ()


GLOSSARY = (
    # ---- the net ----
    Term(
        N_("base network"),
        N_("A chain of conv layers from the stem to the classifier; a fused net is made of two or more."),
        PAPER,
    ),
    Term(N_("block"), N_("What lies between two successive fusions in one base network."), PAPER),
    Term(
        N_("fusion"),
        N_("A point where the blocks of all base networks are joined; what comes out is the next input of each."),
        PAPER,
        r"x_b = \mathrm{relu}\left(\sum_k G_b^k(x_{b-1})\right)",
    ),
    Term(
        N_("join"),
        N_("How maps become one: `sum` as in the paper, or `mean`, `max`, `concat`, `gate`."),
    ),
    Term(
        N_("decision fusion"),
        N_("The base networks never meet: each is trained by itself and their answers are averaged."),
        PAPER,
        r"\frac{1}{K} \sum_k f_k(x)",
    ),
    Term(
        N_("path"),
        N_("One way from the stem to the classifier, with one block at each fusion."),
        formula="K^B",
        cards=(N_("paths"), N_("paths left")),
    ),
    Term(N_("path spectrum"), N_("How many paths have each depth.")),
    Term(
        N_("depth"),
        N_("The layers on a path: the stem, the convs of its blocks and the classifier; joins count nothing."),
        formula=r"2 + \sum_b d_b",
        cards=(N_("layers on a path"),),
    ),
    Term(
        N_("exchange"),
        N_("Blocks before one fusion change places: other base networks, the same fused net."),
        f"{PAPER}, § 2",
    ),
    Term(
        N_("group"),
        N_("Base networks that together form the fused net; every exchange gives another group."),
        f"{PAPER}, § 2",
        r"(K!)^{B-1}",
        (N_("groups of base networks"),),
    ),
    Term(
        N_("essential depth"),
        N_("The depth of the deepest member of the group whose deepest member is least deep; the paper has the idea."),
        f"{PAPER}, § 2",
        r"\min_{\mathrm{group}} \max_{\mathrm{member}} \mathrm{depth}",
    ),
    Term(
        N_("parameters"),
        N_("The numbers that training changes: the weights of convs, norms, gates and classifier."),
    ),
    Term(
        N_("multiply-adds"),
        N_("How often the net multiplies and adds for one image, convs and classifier counted."),
        cards=(N_("multiply-adds an image"),),
    ),
    # ---- a run ----
    Term(N_("design"), N_("A net as data, before any weight exists.")),
    Term(N_("recipe"), N_("All that one run needs: a design, data, an objective, a start, an optimiser and a seed.")),
    Term(N_("run"), N_("What training a recipe left behind: its weights, curves and settings, in one folder.")),
    Term(N_("seed"), N_("The number that chance is drawn from: same recipe and seed, same run.")),
    Term(
        N_("test accuracy"),
        N_("The share of the test images that the net calls rightly."),
    ),
    Term(
        N_("called as before"),
        N_("The share of the images that get the same answer with a lesion as without, right or wrong."),
    ),
    Term(N_("lesion"), N_("A block, a branch or a way back taken out of a trained net, to see what it did.")),
    # ---- maps ----
    Term(N_("trace"), N_("The maps on the way of one image through the net, each with a name.")),
    Term(
        N_("share of a block"),
        N_("How large the values of a block are among those of all blocks that meet at the fusion."),
        formula=r"\frac{\sum |G^k|}{\sum_j \sum |G^j|}",
        cards=(N_("share of the {lane} block"),),
    ),
    Term(
        N_("cosine"),
        N_("How far the maps of two blocks point the same way: 1 the same, 0 nothing in common, −1 opposite."),
        formula=r"\frac{\langle a, b \rangle}{\lVert a \rVert \lVert b \rVert}",
        cards=(N_("cosine of {one} and {other}"),),
    ),
    Term(
        N_("sign disagreement"),
        N_("The share of the positions where one map is positive and the other negative, so that a sum cancels."),
        cards=(N_("opposite signs"),),
    ),
    Term(
        N_("silent positions"),
        N_("The share of the positions of a map that the ReLU left at zero."),
    ),
    Term(
        N_("CKA, centred kernel alignment"),
        N_("Whether the same images look alike to two nets: 1 where one map is the other up to rotation and scale."),
        "arXiv 1905.00414",
        r"\frac{\lVert B^\top A \rVert^2}{\lVert A^\top A \rVert \, \lVert B^\top B \rVert}",
        (N_("alignment of {one} and {other}"),),
    ),
    Term(
        N_("receptive field"),
        N_("The pixels that a place of a map can depend on, in theory; every path has its own."),
    ),
    Term(
        N_("effective field"),
        N_("The pixels that a place of a map does depend on, by its gradient: far fewer than it could."),
        "arXiv 1701.04128",
        r"\left| \partial y / \partial x_i \right|",
    ),
    # ---- gradients ----
    Term(
        N_("gradient by path length"),
        N_("The gradient taken apart into what comes along the paths of each depth; the parts sum to the whole."),
        "arXiv 1605.06431",
    ),
    Term(
        N_("stem gradient"),
        N_("How large the gradient of the loss still is where it reaches the first layer."),
    ),
    # ---- attribution ----
    Term(N_("attribution"), N_("A value for every pixel, or every place of a map: what it did for one answer.")),
    Term(N_("baseline"), N_("The image that stands for nothing, such as one of mean colour; values are against it.")),
    Term(
        N_("completeness gap"),
        N_("By how much the values miss the change of the logit that they should add up to, as a share of it."),
        "arXiv 1703.01365",
        r"\frac{\left|\sum_i a_i - (f(x) - f(x'))\right|}{|f(x) - f(x')|}",
        (N_("completeness gap beside it"),),
    ),
    Term(
        N_("residual"),
        N_("What is left when the parts through each block are taken from the whole; about 0 where they add up."),
    ),
    Term(
        N_("rank correlation"),
        N_("Whether two pictures put their places in the same order: 1 the same, 0 nothing in common."),
        cards=(N_("rank correlation of |values|"),),
    ),
    Term(
        N_("infidelity"),
        N_("How badly the values predict what the logit loses when random pixels go; 0 is perfect."),
        "arXiv 1901.09392",
    ),
    Term(
        N_("sensitivity"),
        N_("By how much the picture changes at most when the image changes a little; small is calm."),
        "arXiv 1901.09392",
    ),
    Term(
        N_("pointing game"),
        N_("The share of the images where the largest value lies on the object."),
        "arXiv 1608.00507",
        cards=(N_("pointing game: hits"),),
    ),
)


def meaning(name: str) -> Term | None:
    """The term behind a name as it stands on the screen, in the language that is spoken; None where there is none."""
    return next((term for term in GLOSSARY if any(_fits(label, name) for label in (term.word, *term.cards))), None)


def found(said: str) -> list[Term]:
    """The terms in whose word, sentence or names of cards the text stands, in the language that is spoken; capitals
    count as small letters. All of them for an empty text."""
    wanted = said.strip().casefold()
    return [
        term for term in GLOSSARY if any(wanted in _(text).casefold() for text in (term.word, term.says, *term.cards))
    ]


def _fits(label: str, name: str) -> bool:
    return re.fullmatch(".+".join(map(re.escape, re.split(r"\{\w+\}", _(label)))), name) is not None
