"""The Attribution page without a browser: what it shows is what dfn.insight measures, on a small net and its deep base
that were trained for a moment, and on the recorded runs."""

import re
import shutil
import threading
from pathlib import Path
from typing import Any

import cached
import pytest
from attribution_data import GAP_ALLOWED
from maps_data import trained_apart
from pages import cards_of, page_at, text_of
from picked import numbered_image
from safetensors.torch import save_file
from streamlit.runtime import Runtime
from streamlit.testing.v1 import AppTest
from widgets.attribution_view import signed

import dfn
from dfn.insight.attribution import attribute
from dfn.insight.branches import attribute_by_branch
from dfn.insight.methods import METHODS, Unit
from dfn.insight.scores import pointing, rank_correlation
from dfn.runs.store import Run, Store
from dfn.runs.weights import net_after
from dfn.runs.worker import work
from dfn.training.recipe import Recipe

pytestmark = pytest.mark.slow  # every case opens the whole page

MAIN = str(Path(__file__).parents[1] / "app" / "main.py")
SHAPE: dict[str, Any] = {"width": 4, "classes": 10, "in_channels": 1}


@pytest.fixture
def recorded(runs_dir) -> dict[str, Run]:
    """The recorded runs by label, and no other."""
    return {run.recipe.label: run for run in Store(cached.RECORDED).runs()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A small fused net after 5 epochs, and its deep base trained alone."""
    store = Store(tmp_path_factory.mktemp("trained"))
    recipe = Recipe(design=dfn.fused(8, 5, 6, **SHAPE), data="digits", epochs=5, train_limit=200, test_limit=60)
    plain = next(runner.recipe for runner in trained_apart(recipe) if runner.role == "plain")
    work([store.create(plain), store.create(recipe)])
    return store


@pytest.fixture
def fused(runs_dir, trained) -> Run:
    """The small fused net, its deep base beside it in the store."""
    shutil.copytree(trained.root, runs_dir, dirs_exist_ok=True)
    return next(run for run in Store().runs() if run.recipe.net == "fused")


def _open(**query: str) -> AppTest:
    return page_at("attribution", **query).run()


def _well(app: AppTest) -> AppTest:
    assert not app.exception and not app.error and not app.warning, [*app.exception, *app.error, *app.warning]
    return app


def _alts(app: AppTest) -> list[str]:
    return [image.alt for element in app.get("image") for image in element.proto.imgs]


def _asked(run: Run, image: int, epoch: int = 5):
    """Net, image and the class that it is called."""
    images = cached.images_of(run)
    net, x = net_after(run, epoch), images.normalise(images.test.images[image : image + 1])
    return net, x, int(net(x).argmax())


def test_first_paint_shows_the_recorded_example_and_its_self_tests(recorded):
    app = _well(_open())
    assert "recorded example" in text_of(app)
    net, x, called = _asked(recorded["fused 50 + 14"], 0)
    found = attribute(net, x, called)
    assert found.gap is not None and cards_of(app)["completeness gap"] == f"{100 * float(found.gap[0]):.1f} %"
    assert float(found.gap[0]) <= GAP_ALLOWED and "Adds up after" in text_of(app)
    assert any("Integrated gradients, of the image, for class 7, epoch 5: 8 by 8 values" in alt for alt in _alts(app))


def test_without_any_run_there_is_a_way_to_get_one(runs_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "RECORDED", tmp_path / "nothing")
    app = _well(_open(run="0123456789ab"))
    assert "no run has kept any yet" in text_of(app)
    assert app.page_link[0].value.startswith("Train")


@pytest.mark.parametrize("place", ["input", "deep", "shallow", "joined"])
def test_every_method_has_its_picture_at_every_place(fused, place):
    app = _well(_open(place=place, fusion="5"))
    kind = "input" if place == "input" else "map"
    offered = [name for name, method in METHODS.items() if kind in method.places]
    box = app.selectbox(key="method-choice")
    assert box.options == [METHODS[name].title for name in offered]
    net, x, called = _asked(fused, 0)
    for name in offered:
        app.selectbox(key="method-choice").set_value(name).run()
        found = attribute(net, x, called, name, place if place == "input" else f"fusion5/{place}")
        _well(app)
        assert METHODS[name].says in text_of(app)
        total = float(found.values.double().sum())
        assert any(f"their sum is {total:+.2f}".replace("-", "−") in alt for alt in _alts(app)) or abs(total) < 0.1
        gap = cards_of(app)["completeness gap"]
        assert (gap == "none") == (found.gap is None)
        if found.gap is not None and 1 > found.gap[0] >= 0.001:
            assert gap == f"{100 * float(found.gap[0]):.1f} %"


def test_by_branch_shows_the_parts_of_the_chosen_fusion_and_the_residual(fused):
    app = _well(_open(fusion="3", image="4"))
    net, x, called = _asked(fused, 4)
    found = attribute_by_branch(net, x, called, 3)
    assert found.residual <= 1e-4
    text = text_of(app)
    assert f"residual {found.residual:.0e} of it" in text and "Every path takes one block of fusion 3" in text
    for part in found.parts.values():
        assert f"sum {float(part.sum()):+.2f}".replace("-", "−") in text


def test_methods_that_do_not_fit_are_named_with_the_reason(fused):
    assert "Grad-CAM, Layer conductance, Internal influence (only for maps)" in (
        _open().selectbox(key="method-choice").help
    )
    app = _open(method="grad_cam")
    assert "Grad-CAM is not offered here (only for maps). This is integrated gradients." in text_of(app)
    assert app.selectbox(key="method-choice").value == "integrated_gradients"


def test_a_gated_net_is_not_offered_rules_that_fail_on_it(runs_dir):
    run = _kept(Recipe(design=dfn.fused(5, 4, 3, join="gate", **SHAPE), data="digits"))
    app = _well(_open(run=run.id, fusion="2"))
    assert "DeepLIFT" not in app.selectbox(key="method-choice").options
    assert "DeepLIFT (no right rule for a gate join, which this net has)" in app.selectbox(key="method-choice").help
    assert "**Through the gate**" in text_of(app)


@pytest.mark.parametrize("net", ["concat", "three", "decision", "plain"])
def test_other_nets_have_the_places_that_they_have(runs_dir, recorded, net):
    designs = {
        "concat": dfn.fused(5, 4, 3, join="concat", **SHAPE),
        "three": dfn.fused(bases=[8, 6, 5], fusions=3, **SHAPE),
        "decision": dfn.fused(8, 5, 0, **SHAPE),
    }
    run = _kept(Recipe(design=designs[net], data="digits")) if net in designs else recorded["plain 50"]
    app = _well(_open(run=run.id))
    pills = next(group for group in app.button_group if group.key == "place-choice")
    lanes = {"three": ["base1", "base2", "base3", "joined"], "plain": ["map"], "decision": ["deep", "shallow"]}
    places = lanes.get(net, ["deep", "shallow", "joined"])
    assert len(pills.options) == 1 + len(places)
    for place in places:
        _well(_open(run=run.id, place=place, fusion="2"))
    assert ("Through which block" in "".join(s.value for s in app.header)) == (net in ("concat", "three"))


def _kept(recipe: Recipe) -> Run:
    """A run with weights that were never trained, as far as this page can tell."""
    run = Store().create(recipe)
    run.snapshot_file(0).parent.mkdir()
    save_file(dfn.build(recipe.design, seed=0).state_dict(), run.snapshot_file(0))
    return run


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ("method.input_x_gradient", "**Input x gradient**"),
        ("epoch.2", "**After epoch 2**"),
        ("image.7", "**Test image 7**"),
        ("untrained", "**Before training**"),
        ("apart", "**plain 8, trained apart**"),
    ],
)
@pytest.mark.parametrize("place", ["input", "joined"])
def test_two_pictures_stand_on_one_scale(fused, beside, said, place):
    app = _well(_open(beside=beside, place=place))
    assert said in text_of(app)
    assert {"completeness gap", "completeness gap beside it", "rank correlation of |values|"} <= cards_of(app).keys()
    scales = {match for alt in _alts(app)[:3] for match in re.findall(r"on a scale up to (.*)\.", alt)}
    assert len(scales) == 1 and "of the logit" in scales.pop()


def test_pictures_in_different_units_are_each_divided_by_their_largest_value(fused):
    app = _well(_open(beside="method.saliency"))
    assert "+1.00 of the largest value in its picture" in text_of(app)
    net, x, called = _asked(fused, 0)
    maps = [attribute(net, x, called, name).values.abs() for name in ("integrated_gradients", "saliency")]
    assert cards_of(app)["rank correlation of |values|"] == f"{rank_correlation(*maps):.2f}"


def test_the_class_is_the_called_one_the_true_one_or_any(fused):
    images = cached.images_of(fused)
    calls, _ = cached.calls(str(fused.folder), 5, 0)
    wrong = next(i for i, label in enumerate(images.test.labels) if calls[i] != label)
    called = calls[wrong]
    for target, number in (("called", called), ("true", int(images.test.labels[wrong])), ("3", 3)):
        app = _well(_open(image=str(wrong), target=target, method="saliency"))
        assert f"for class {images.classes[number]}, epoch 5" in text_of(app)


def test_what_is_chosen_goes_into_the_link(fused):
    app = _open()
    app.selectbox(key="target-choice").set_value("3").run()
    app.selectbox(key="method-choice").set_value("saliency").run()
    app.select_slider(key="epoch-choice").set_value("2").run()
    _well(app)
    assert {name: app.query_params[name] for name in ("target", "method", "epoch")} == {
        "target": "3",
        "method": "saliency",
        "epoch": "2",
    }
    app.selectbox(key="target-choice").set_value("called").run()
    assert "target" not in app.query_params


def test_a_unit_of_a_map_is_explained_in_terms_of_the_image(fused):
    app = _well(_open(image="4", fusion="2", target="unit", unit="deep.1.2.3"))
    net, x, _ = _asked(fused, 4)
    found = attribute(net, x, Unit("fusion2/deep", 1, 2, 3))
    assert f"their sum is {signed(float(found.values.double().sum()))}" in _alts(app)[1]
    assert "for unit 1, 2, 3 of the deep block of fusion 2, epoch 5" in text_of(app)
    assert f"Its value after this epoch is {float(net.trace(x)[1]['fusion2/deep'][0, 1, 2, 3]):.3g}" in text_of(app)
    assert "Through which block" not in text_of(app) and not app.get("place-choice")
    app.number_input(key="unit-row").set_value(0).run()
    assert _well(app).query_params["unit"] == "deep.1.0.3"


def test_without_a_link_the_unit_is_the_pinned_one_or_the_greatest(fused):
    net, x, _ = _asked(fused, 4)
    joined = net.trace(x)[1]["fusion1/joined"][0].abs()
    greatest = ", ".join(str(int(i)) for i in (joined == joined.max()).nonzero()[0])
    assert f"for unit {greatest} of the joined map of fusion 1" in text_of(_well(_open(image="4", target="unit")))
    assert "for unit 2, 3, 1 of the joined map of fusion 1" in text_of(_well(_open(target="unit", at="2.3.1")))


@pytest.mark.parametrize("unit", ["deep.99.0.0", "nothing.0.0.0", "<b>" * 50])
def test_a_unit_that_is_not_there_is_a_sentence(fused, unit):
    app = _open(target="unit", unit=unit)
    assert not app.exception and not app.error
    assert "names a unit that this net does not have" in app.warning[0].value
    assert not app.run().warning, "said once"


KEYS = ["method", "place", "target", "beside", "epoch", "fusion"]
HOSTILE = [(key, value) for key in KEYS for value in ("999999", "<b>" * 2000)]
HOSTILE += [("beside", value) for value in ("method.nothing", "epoch.", "image.-1", "apart.x")]


@pytest.mark.parametrize(("key", "value"), HOSTILE)
def test_a_bad_link_shows_a_sentence_and_something_else(fused, key, value):
    app = _open(**{key: value})
    assert not app.exception and not app.error
    assert "completeness gap" in cards_of(app)
    assert any("link names" in warning.value for warning in app.warning)
    assert value not in "".join(warning.value for warning in app.warning)
    assert not app.run().warning, "said once"


def test_scores_are_computed_when_they_are_opened(fused):
    app = _open(method="saliency")
    assert "infidelity" not in cards_of(app)
    app.session_state["attribution-scores"] = True
    _well(app.run())
    assert {"infidelity", "sensitivity"} <= cards_of(app).keys()
    assert "Area" in str([chart.proto for chart in app.get("plotly_chart")])
    assert "data set “scales”" in text_of(app)


@pytest.mark.parametrize("place", ["input", "joined"])
def test_on_scales_the_largest_value_is_held_against_the_object(runs_dir, place):
    run = _kept(Recipe(design=dfn.fused(5, 4, 3, width=4, classes=9, in_channels=3), data="scales", test_limit=30))
    app = _open(run=run.id, method="saliency", place=place)
    app.session_state["attribution-scores"] = True
    _well(app.run())
    images = cached.images_of(run)
    x, labels = images.normalise(images.test.images[:24]), images.test.labels[:24].tolist()
    at = "input" if place == "input" else "fusion1/joined"
    values = attribute(net_after(run, 0), x, labels, "saliency", at).values
    hit = pointing(values, images.test.masks[:24])
    assert cards_of(app)["pointing game: hits"] == f"{100 * hit.rate:.1f} %"
    assert f"would hit in {100 * hit.chance:.1f} %" in text_of(app)


def test_what_was_stopped_stays_stopped_until_it_is_asked_for_again(fused):
    app = _open(image="11")
    picked = numbered_image(cached.images_of(fused), 11)
    key = f"branches-{fused.folder}-5-{picked.key}-integrated_gradients-input-{_asked(fused, 11)[2]}-1"
    cached.answer.clear()
    app.session_state["attribution-stopped"] = {key}
    _well(app.run())
    assert "stopped." in text_of(app) and "**The whole**" not in text_of(app)
    next(button for button in app.button if button.label == "Go on").click().run()
    assert "**The whole**" in text_of(app)


def _the_last_one(cls: type[Runtime], kept: list[Runtime] = []) -> Runtime:  # noqa: B006
    """Streamlit's tests take their stand-in for the server away at the end of every run, also from runs beside it."""
    if cls._instance is not None:
        kept[:] = [cls._instance]
    return kept[0]


def test_two_people_at_once_get_the_pictures_that_one_alone_gets(fused, monkeypatch):
    monkeypatch.setattr(Runtime, "instance", classmethod(_the_last_one))
    asked = [{"method": "guided_backprop", "image": "1"}, {"method": "saliency", "image": "2"}]
    alone = [_alts(_well(_open(**query)))[1] for query in asked]
    before = {name: tensor.clone() for name, tensor in cached.net_after(str(fused.folder), 5).state_dict().items()}
    cached.answer.clear()
    apps = [page_at("attribution", **query) for query in asked]
    threads = [threading.Thread(target=app.run) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [_alts(_well(app))[1] for app in apps] == alone
    net = cached.net_after(str(fused.folder), 5)
    assert all((tensor == before[name]).all() for name, tensor in net.state_dict().items())
    assert not any(module._forward_hooks or module._backward_hooks for module in net.modules()) and not net.training


def test_a_damaged_snapshot_is_a_sentence(runs_dir):
    run = _kept(Recipe(design=dfn.fused(5, 4, 3, **SHAPE), data="digits"))
    run.snapshot_file(0).write_bytes(b"\0" * 50)
    app = _open(run=run.id)
    assert not app.exception and "epoch-0000.safetensors" in app.error[0].value
