"""The Methods page without a browser: a card for every method, ways on that really tick it, and what a run adds."""

import method_data
import method_tree
import pytest
from pages import cards_of, page_at, text_of
from streamlit.testing.v1 import AppTest

from dfn.data.info import data_sets
from dfn.design.cost import cost
from dfn.models.build import build
from dfn.runs.store import Store
from dfn.runs.worker import work
from dfn.training.comparisons import CONTROLS, methods
from dfn.training.objectives import objective_of

INFO = next(iter(data_sets().values()))
SMALL = method_data.frame_of("8 + 5", INFO)


def _open(**query: str) -> AppTest:
    return page_at("methods", **query).run()


def _button(app: AppTest, key: str):
    return next(button for button in app.button if button.key == key)


@pytest.mark.slow
def test_first_paint_is_the_card_of_deep_fusion(runs_dir):
    app = _open()
    assert not app.exception and not app.warning
    assert app.header[0].value == "Deep fusion"
    assert app.latex[0].value.strip("$\n") == methods()["fused"].formula
    assert cards_of(app)["paths"] == "64" and cards_of(app)["layers on a path"] == "8 to 14"
    assert "[arXiv 1605.07716](https://arxiv.org/abs/1605.07716)" in text_of(app)
    assert not list(runs_dir.iterdir()), "looking at the page makes no run"


@pytest.mark.slow
def test_every_method_has_a_card(runs_dir):
    app = page_at("methods", size="8 + 5")
    for name, method in methods().items():
        app.query_params["method"] = name
        app.run()
        assert not app.exception and not app.warning, name
        assert app.header[0].value.lower() == method.title.lower()
        assert method.relation in text_of(app)
        recipe = method_data.recipes(method, SMALL, INFO)[-1]
        assert cards_of(app)["parameters"] == f"{cost(recipe.design, INFO.shape).parameters:,}"
        info = [value.value for value in app.info]
        learned = bool(method_data.joins(recipe.design) & method_data.LEARNED)
        assert any("drawn here" in words for words in info) == learned, name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["late", "highway", "fused"])
@pytest.mark.parametrize("page", ["train", "compare"])
def test_the_ways_on_tick_the_method(runs_dir, name, page):
    app = _open(method=name, size="8 + 5")
    _button(app, f"card-{page}").click().run()
    assert not app.exception
    assert (app.slider(key="deep").value, app.slider(key="shallow").value) == (8, 5)
    if page == "train":
        ticked = [*app.pills(key="rivals").value, *app.multiselect(key="methods").value]
    else:
        ticked = app.multiselect(key="against").value
    title = methods()[name].title
    listed = [words for words in ticked if words == title or words.endswith(f": {title}")]
    assert len(listed) == (name != "fused")
    assert {"plain deep", "ResNet"} <= set(ticked), "beside the controls"


@pytest.mark.parametrize("method", methods().values(), ids=lambda method: method.name)
def test_addresses_name_what_the_pages_offer(method):
    import race

    said = method_tree.train_address(method, SMALL)
    assert set(said.get("rivals", [])) <= set(race.RIVALS)
    assert set(said.get("methods", [])) <= set(race.FURTHER.values())
    against = method_tree.compare_address(method, SMALL)["against"]
    assert set(against) <= set(race.LISTED.values())
    assert len(against) == len(CONTROLS) + (method.name not in ("fused", *CONTROLS))


@pytest.mark.slow
@pytest.mark.parametrize(
    "query", [{"method": "<script>"}, {"method": "x" * 5000}, {"families": "nobody", "find": "(((", "size": "9 + 9"}]
)
def test_bad_links_are_no_errors(runs_dir, query):
    app = _open(**query)
    assert not app.exception and app.header[0].value == "Deep fusion"
    assert bool(app.warning) == ("method" in query)


@pytest.mark.slow
def test_the_search_keeps_the_card_and_says_how_many_fit(runs_dir):
    app = _open(method="highway", find="1512.03385")
    assert app.header[0].value == "Highway net"
    assert f"1 of {len(methods())} methods" in text_of(app)
    app.text_input(key="find").set_value("no such words").run()
    assert "No method's card has these words" in text_of(app)


@pytest.mark.slow
def test_a_run_of_the_method_shows_what_its_joins_have_learned(runs_dir):
    settings = {"data": "digits", "train_limit": 64, "test_limit": 64, "epochs": 1}
    work([Store().create(methods()["weighted"].make(SMALL, settings))])
    app = _open(method="weighted", size="8 + 5")
    assert not app.exception and not any("drawn here" in info.value for info in app.info)
    assert "Learned in the run" in text_of(app)
    app = _open(method="inverse-variance", size="8 + 5")
    assert any("drawn here" in info.value for info in app.info), "another join is another net"


# ---- without the page ------------------------------------------------------------------------------------------------


def test_the_tree_holds_every_method_once_and_filters():
    whole = method_tree.tree("fused")
    assert sorted(method_tree.shown(whole)) == sorted(methods())
    assert method_tree.shown(whole)[0] == "fused"
    assert {method.family for method in methods().values()} <= method_tree.FAMILIES.keys()
    starts = method_tree.shown(method_tree.tree("fused", ["start"]))
    assert starts == [name for name, method in methods().items() if method.family == "start"]
    assert method_tree.shown(method_tree.tree("fused", search="HIGHWAY schmidhuber")) == ["highway"]
    assert method_tree.shown(method_tree.tree("fused", ["start"], "highway")) == []


def test_sources_become_links():
    said = method_tree.linked("A: B, arXiv 1512.03385; zlmzju/fusenet (network/cross.py)")
    assert said == (
        "A: B, [arXiv 1512.03385](https://arxiv.org/abs/1512.03385); "
        "[zlmzju/fusenet](https://github.com/zlmzju/fusenet) (network/cross.py)"
    )


@pytest.mark.parametrize("name", ["companions", "distillation", "fitnets"])
def test_the_drawn_weights_are_those_of_the_objective(name):
    """The loss of one net on one batch is linear in the weights, so that three moments tell whether the drawn ones
    are those that the training uses."""
    import torch

    *before, recipe = method_data.recipes(methods()[name], SMALL, INFO)
    teacher = build(before[0].design, seed=1) if before else None
    objective = objective_of(recipe, INFO.shape, teacher)
    x, y = torch.randn(8, *INFO.shape, generator=torch.Generator().manual_seed(0)), torch.arange(8)
    net = build(recipe.design, seed=0).eval()
    terms = [weights for _, weights in method_data.loss_weights(recipe).values()]
    moments = [0, 10, 30, 40, 60, 90]
    with torch.no_grad():
        losses = torch.stack([objective(net, x, y, moment / 100)[0] for moment in moments]).double()
    drawn = torch.tensor([[weights[moment] for weights in terms] for moment in moments]).double()
    parts = torch.linalg.lstsq(drawn, losses[:, None]).solution
    assert torch.allclose(drawn @ parts, losses[:, None], rtol=1e-4)
    assert bool((parts > 0).all())


def test_the_hint_leads_from_the_teachers_middle_to_the_students():
    frame = method_data.frame_of("14 + 8", INFO)  # six blocks; the last is read by the classifier anyway
    teacher, student = method_data.recipes(methods()["fitnets"], frame, INFO)
    assert method_data.hint(student, teacher, INFO.shape) == ("block3", "block3")
    teacher, distilled = method_data.recipes(methods()["distillation"], SMALL, INFO)
    assert method_data.hint(distilled, teacher, INFO.shape) is None


def test_what_differs_without_being_drawn_is_said():
    fused = method_data.recipes(methods()["fused"], SMALL, INFO)[-1]

    def said(name: str) -> list[str]:
        return method_data.apart(method_data.recipes(methods()[name], SMALL, INFO)[-1], fused)

    assert said("lsuv") == ["lsuv start"] and said("group-norm") == ["group norm"]
    assert said("dropout") == ["dropout"] and said("early-stopping") == ["early stopping"]
    assert said("fused") == said("resnet") == said("weighted") == []


def test_every_objective_of_a_method_has_its_sentence():
    objectives = {method_data.recipes(method, SMALL, INFO)[-1].objective for method in methods().values()}
    assert objectives <= {*method_data.LOSSES, "cross-entropy"}
