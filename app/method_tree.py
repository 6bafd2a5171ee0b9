"""The methods as a tree round deep fusion, and the addresses that open other pages with one. No drawing here."""

import re
from collections.abc import Iterable
from typing import Any

import race

from dfn.training.comparisons import CONTROLS, Frame, Method, methods
from dfn.words import N_, _

FAMILIES = {
    N_("fusion"): N_("another join, or another place for it"),
    N_("base network"): N_("what is fused, alone"),
    N_("shortcut"): N_("a base network that is a shortcut"),
    N_("views"): N_("a column for each view of the image"),
    N_("regulariser"): N_("one switch of the norm or of the training"),
    N_("supervision"): N_("losses at other places"),
    N_("transfer"): N_("a net that was trained before helps"),
    N_("start"): N_("other first weights"),
}
"""How the members of a family stand to deep fusion; a family that is not here stands without such words."""
_ANOTHER_NET = ("fusion", "base network", "shortcut", "views")


def tree(selected: str, families: Iterable[str] = (), search: str = "") -> dict[str, Any]:
    """What the view `tree` draws: the fused net, and on two sides all families with their methods. A method is shown
    where its family is among `families` (none: all) and every word of `search` is found in what its card says."""
    wanted, words = set(families), search.lower().split()

    def member(method: Method) -> dict[str, Any]:
        english = (method.name, method.title, method.family, method.relation, method.source)
        said = " ".join((*english, *map(_, english))).lower()
        fits = (not wanted or method.family in wanted) and all(word in said for word in words)
        about = {"name": method.name, "title": method.title, "says": _(method.relation), "shown": fits}
        return {**about, "role": method.role}

    root, *others = methods().values()
    grown: dict[str, list[dict[str, Any]]] = {}
    for method in others:
        grown.setdefault(method.family, []).append(member(method))
    grown = _in_order(grown)
    counted = "; ".join(f"{_(name)}, {len(found)}" for name, found in grown.items())
    return {
        "root": member(root),
        "sides": [
            {"title": _("another net"), "families": _side(grown, another_net=True)},
            {"title": _("another training"), "families": _side(grown, another_net=False)},
        ],
        "selected": selected,
        "alt": _("A family tree of {count} methods around deep fusion: {families}").format(
            count=len(others), families=counted
        ),
    }


def _in_order(grown: dict[str, Any]) -> dict[str, Any]:
    known = [name for name in FAMILIES if name in grown]
    return {name: grown[name] for name in (*known, *(name for name in grown if name not in known))}


def _side(families: dict[str, list[dict[str, Any]]], *, another_net: bool) -> list[dict[str, Any]]:
    return [
        {"name": _(name), "says": _(FAMILIES.get(name, "")), "methods": found}
        for name, found in families.items()
        if (name in _ANOTHER_NET) == another_net
    ]


def shown(tree: dict[str, Any]) -> list[str]:
    """The names of the methods that a tree shows."""
    everyone = [tree["root"], *(m for side in tree["sides"] for f in side["families"] for m in f["methods"])]
    return [member["name"] for member in everyone if member["shown"]]


Address = dict[str, str | list[str]]

_LINKS = {
    r"arXiv (\d{4}\.\d{4,5})": r"[arXiv \1](https://arxiv.org/abs/\1)",
    r"\b(zlmzju/fusenet|bneyshabur/path-sgd)\b": r"[\1](https://github.com/\1)",
}


def linked(source: str) -> str:
    """A source as Markdown, with a link wherever it names an arXiv paper or the code that it was read from. What
    follows a paper that it begins with is translated by itself, where the whole is not."""
    paper = re.match(r".*?arXiv \d{4}\.\d{4,5}", source)
    if paper and _(source) == source:
        source = paper[0] + _(source.removeprefix(paper[0]))
    source = _(source)
    for pattern, link in _LINKS.items():
        source = re.sub(pattern, link, source)
    return source


def _net(frame: Frame) -> Address:
    deep, shallow = frame.bases
    return {"deep": str(deep), "shallow": str(shallow), "fusions": str(frame.fusions), "width": str(frame.width)}


def train_address(method: Method, frame: Frame) -> Address:
    """The Train page with the method in the race, beside the nets that race there anyway."""
    if method.name in CONTROLS:
        rivals = [title for title in race.RIVALS if title in (*race.USUAL, method.title)]
        return {**_net(frame), "rivals": rivals}
    further = race.FURTHER.get(method.title)
    return _net(frame) | ({"methods": [further]} if further else {})


def compare_address(method: Method, frame: Frame) -> Address:
    """The Compare page with the method ticked, beside the controls."""
    return _net(frame) | {
        "against": [race.LISTED[name] for name in dict.fromkeys((*CONTROLS, method.name)) if name in race.LISTED]
    }
