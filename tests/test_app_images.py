"""Which image a page looks at: test images by kind, photographs, images of one's own; what links keep, and bad ones."""

import base64
import io
import re
from typing import Any

import browse_data
import cached
import numpy as np
import pytest
import snippets
import torch
from image_words import verdict
from pages import cards_of, page_at, text_of
from picked import Picked, numbered_image, other_image
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest
from widgets import own_image as own_widget
from widgets.attribution_view import small_share

import dfn
from dfn.data.own import accepted, fit, own_image, photograph
from dfn.insight.attribution import attribute
from dfn.runs.store import Run, Store
from dfn.training.recipe import Recipe

PAGES = ("maps", "flow", "lesions")  # Attribution takes longer and has a test of its own


def drawn(size=(300, 300), ground="white", ink="black", kind="PNG") -> bytes:
    """A hand-written seven, more or less, as an image file."""
    image = Image.new("RGB", size, ground)
    ImageDraw.Draw(image).line([(70, 60), (230, 60), (120, 260)], fill=ink, width=34)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


# ---- without a page ---------------------------------------------------------------------------------------------


JUDGED = browse_data.Judged(
    labels=np.array([0, 1, 0, 1, 0]), called=np.array([0, 0, 1, 1, 0]), sure=np.array([0.5, 0.9, 0.6, 0.7, 0.8], "f4")
)


@pytest.mark.parametrize(
    ("of_class", "answer", "order", "expected"),
    [
        (None, "all", "number", [0, 1, 2, 3, 4]),
        (0, "all", "number", [0, 2, 4]),
        (None, "wrong", "number", [1, 2]),
        (None, "right", "surest", [4, 3, 0]),
        (None, "all", "least", [0, 2, 3, 4, 1]),
        (1, "wrong", "surest", [1]),
        (0, "wrong", "least", [2]),
    ],
)
def test_candidates_by_class_answer_and_confidence(of_class, answer, order, expected):
    assert browse_data.candidates(JUDGED, of_class, answer, order) == expected


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sheet_holds_every_image_in_its_place(channels):
    images = np.random.default_rng(0).integers(0, 256, (5, channels, 8, 8), np.uint8)
    url = browse_data.sheet(images, 3)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))).reshape(16, 24, channels)
    for number, image in enumerate(images):
        row, column = divmod(number, 3)
        tile = pixels[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        assert (tile == image.transpose(1, 2, 0)).all()


def test_tiles_say_what_the_net_calls_and_what_is_wrong():
    right, wrong = browse_data.tiles([0, 1], JUDGED, ("cat", "dog"))
    assert (right["label"], right["more"]) == ("cat", "50 %") and "wrong" not in str(right["alt"])
    assert wrong["label"] == "dog → cat" and str(wrong["alt"]).endswith("called cat with probability 90 %, wrong")


def test_a_picked_image_is_known_by_its_pixels():
    data = dfn.load_data("digits")
    one, two = (numbered_image(data, number) for number in (3, 4))
    assert one.key != two.key and one.label == int(data.test.labels[3])
    assert (one.seen(data) == data.normalise(data.test.images[3:4])).all()
    assert (one.array.transpose(2, 0, 1) == data.test.images[3].numpy()).all()
    renamed = Picked("other", "other", one.shape, one.pixels, "")
    assert renamed.key == one.key, "the same pixels share what was computed"
    assert Picked("x", "x", (1, 4, 16), one.pixels, "").key != one.key


def test_an_image_without_a_label_is_never_wrong():
    picked = Picked("Your image", "own-image", (1, 1, 1), b"\0", "")
    said = verdict(picked, ("cat", "dog", "owl"), [0.1, 0.7, 0.2], 5)
    assert said == (
        "Your image, which has no label. After epoch 5 the net calls it **dog**, with probability **70.0 %**; next "
        "comes owl with 20.0 %."
    )


# ---- on the pages -----------------------------------------------------------------------------------------------


@pytest.fixture
def fused(runs_dir) -> Run:
    """The recorded fused net on digits, and no other run than the recorded ones."""
    return next(run for run in Store(cached.RECORDED).runs() if run.recipe.label == "fused 50 + 14")


def _open(page: str, **query: str) -> AppTest:
    return page_at(page, **query).run()


def _well(app: AppTest) -> AppTest:
    assert not app.exception and not app.error and not app.warning, [*app.exception, *app.error, *app.warning]
    return app


def _called(run: Run, pixels: Any) -> tuple[str, float]:
    """What the net calls an image uint8 (C, H, W), and its probability."""
    images = cached.images_of(run)
    chances = cached.net_after(str(run.folder), 5)(images.normalise(torch.from_numpy(pixels)[None]))[0].softmax(0)
    return images.classes[int(chances.argmax())], float(chances.max())


def _upload(app: AppTest, data: bytes, name: str = "seven.png") -> AppTest:
    return app.file_uploader[0].upload(name, data, "image/png").run()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_takes_a_photograph_from_the_link(fused, page):
    app = _well(_open(page, source="china", crop="25"))
    called, sure = _called(fused, fit(photograph("china.jpg"), (1, 8, 8), crop=0.25).pixels)
    text = text_of(app)
    assert "cropped to a square, shrunk by area from 427 to 8 pixels a side, made grey" in text
    if page == "maps":
        assert f"china.jpg, which has no label. After epoch 5 the net calls it **{called}**" in text
        assert f"**{100 * sure:.1f} %**" in text and "wrong" not in text
    if page == "flow":
        assert f"what the net calls it, {called}" in text
    app.select_slider(key="crop-choice").set_value("80").run()
    assert app.query_params["crop"] == ["80"] or app.query_params["crop"] == "80"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_page_takes_an_own_image(fused, page):
    app = _well(_open(page, source="own"))
    assert "An own image is in no link" in text_of(app) and "Until then this is test image 0" in text_of(app)
    _well(_upload(app, drawn()))
    text = text_of(app)
    assert "shrunk by area from 300 to 8 pixels a side, inverted" in text and "Until then" not in text
    assert "stand on a dark ground, and yours stands on a light one: it is inverted" in text
    called, _ = _called(fused, own_image(drawn(), (1, 8, 8), invert=True).pixels)
    if page == "maps":
        assert f"Your image, which has no label. After epoch 5 the net calls it **{called}**" in text
    assert "source" in app.query_params and "own-photo" not in app.query_params


@pytest.mark.slow
def test_inverting_is_a_choice_and_what_is_dark_already_stays(fused):
    app = _upload(_open("maps", source="own"), drawn(ground="black", ink="white"))
    assert "and so does yours: it is not inverted" in text_of(_well(app))
    assert "inverted." in text_of(app.toggle[0].set_value(True).run()).split("For the net it is")[1]


@pytest.mark.slow
def test_attribution_of_an_own_image_is_that_of_its_pixels(fused):
    app = _well(_open("attribution", source="own", target="true", beside="image.7", method="deep_lift"))
    _upload(app, drawn())
    assert not app.exception and any("“Class”" in warning.value for warning in app.warning), "it has no true class"
    assert "target" not in app.query_params
    assert not [option for option in app.selectbox(key="target-choice").options if option.startswith("true")]
    images, net = cached.images_of(fused), cached.net_after(str(fused.folder), 5)
    x = images.normalise(torch.from_numpy(own_image(drawn(), (1, 8, 8), invert=True).pixels)[None])
    found = attribute(net, x, int(net(x).argmax()), "deep_lift")
    assert found.gap is not None and cards_of(app)["completeness gap"] == small_share(float(found.gap[0]))
    assert "**Test image 7**" in text_of(app) and "**Your image**" in text_of(app)


@pytest.mark.medium
def test_the_code_makes_the_same_picture(fused, monkeypatch, tmp_path, capsys):
    data = dfn.load_data("digits")
    (tmp_path / "my-image.png").write_bytes(drawn())
    mine = own_image(drawn(), data.shape, crop=0.25, invert=True)
    flower = fit(photograph("flower.jpg"), data.shape, crop=0.3)
    picks = [other_image("own", mine, 0.25, True), other_image("flower", flower, 0.3), numbered_image(data, 4)]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assets").symlink_to(cached.RECORDED.parent)
    for pick in picks:
        code = snippets.attribution(fused, True, 5, pick, 2, "saliency", "input")
        found: dict[str, Any] = {}
        exec(code, found)
        assert (found["x"] == pick.seen(data)).all()
    printed = capsys.readouterr().out.splitlines()
    assert [(line[:12], line[-4:]) for line in printed] == [("(1, 1, 8, 8)", "None")] * len(picks)


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n" + bytes(50)], ids=["empty", "broken"])
def test_a_file_that_is_no_image_is_one_sentence_and_the_page_stays(fused, data):
    app = _upload(_open("maps", source="own"), data)
    assert not app.exception and not app.error
    assert [warning.value.endswith(f"{accepted()}.") for warning in app.warning] == [True]
    assert cards_of(app), "the maps of a test image are still there"
    _well(_upload(app, drawn()))


@pytest.mark.slow
def test_an_own_image_is_taken_from_page_to_page_and_can_be_taken_away(fused):
    app = _upload(_open("maps", source="own"), drawn(size=(400, 300)))
    assert "cropped to a square" in text_of(_well(app))
    app.switch_page("app_pages/lesions.py")
    assert "cropped to a square" in text_of(_well(app.run()))
    app.session_state["own-photo"] = None
    assert "Until then this is test image" in text_of(app.run())


@pytest.mark.parametrize("value", ["999", "<b>" * 200])
@pytest.mark.slow
def test_a_bad_source_or_crop_is_a_sentence_and_something_else(fused, value):
    app = _open("maps", source=value, crop=value)
    assert not app.exception and not app.error and cards_of(app)
    assert any("link names" in warning.value for warning in app.warning)
    app = _open("maps", source="china", crop=value)
    assert not app.exception and not app.error and cards_of(app)
    assert any("link names" in warning.value for warning in app.warning)
    assert not app.run().warning, "said once"


@pytest.mark.slow
def test_old_links_keep_their_test_image(fused):
    app = _well(_open("maps", image="11"))
    assert app.number_input(key="image").value == 11 and "source" not in app.query_params


def _everything(app: AppTest) -> str:
    """All components as they are sent."""
    return "".join(str(element.proto) for element in app.get("bidi_component"))


@pytest.mark.slow
def test_test_images_are_browsed_by_kind(fused):
    app = page_at("maps", answer="wrong", order="surest")
    app.session_state["image-browse"] = True
    _well(app.run())
    called, sure = cached.calls(str(fused.folder), 5, 0)
    more, surely = cached.calls(str(fused.folder), 5, 1)
    judged = np.concatenate([called, more]), np.concatenate([sure, surely])
    labels = cached.images_of(fused).test.labels.numpy()
    wrong = np.flatnonzero(judged[0] != labels)
    assert f"{len(wrong)} test images that the net gets wrong after epoch 5" in _everything(app)
    worst = wrong[np.argsort(-judged[1][wrong], kind="stable")][0]
    said = re.findall(r"Test image (\d+), \d, called", _everything(app))
    assert int(said[0]) == worst and len(said) == len(wrong)


@pytest.mark.slow
def test_a_grey_and_a_coloured_net_of_other_sizes(runs_dir):
    design = dfn.fused(5, 4, 3, width=4, classes=9, in_channels=3)
    run = Store().create(Recipe(design=design, data="scales", test_limit=30))
    run.snapshot_file(0).parent.mkdir()
    save_file(dfn.build(design, seed=0).state_dict(), run.snapshot_file(0))
    app = _upload(_open("maps", run=run.id, source="own"), drawn(size=(400, 300)))
    assert "shrunk by area from 300 to 32 pixels a side" in text_of(_well(app))
    assert not app.toggle, "a net for coloured images is not asked about inverting"


# ---- what a forged message can do -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [5, ["x"], "no base 64 ü", "A" * 12_000_000, base64.b64encode(b"text").decode(), {"a": 1}]
)
def test_a_forged_paste_is_a_sentence(said, monkeypatch):
    session: dict[str, Any] = {own_widget.PASTE: {"image": said}}
    monkeypatch.setattr(own_widget.st, "session_state", session)
    own_widget._pasted()
    assert session[own_widget.REFUSED].endswith(f"{accepted()}.") and own_widget.PHOTO not in session


def test_a_paste_replaces_what_was_there(monkeypatch):
    session: dict[str, Any] = {own_widget.PASTE: {"image": base64.b64encode(drawn()).decode()}}
    monkeypatch.setattr(own_widget.st, "session_state", session)
    own_widget._pasted()
    assert session[own_widget.PHOTO].size == (300, 300) and session[own_widget.REFUSED] == ""
    session[own_widget.PASTE] = {"image": base64.b64encode(b"rubbish").decode()}
    own_widget._pasted()
    assert session[own_widget.PHOTO].size == (300, 300) and session[own_widget.REFUSED]


@pytest.mark.slow
def test_two_people_see_their_own_images(fused):
    data = [drawn(), drawn(ground="black", ink="white", size=(280, 300))]
    apps = [_open("maps", source="own") for _ in data]
    first, second = (text_of(_well(_upload(app, own))) for app, own in zip(apps, data, strict=True))
    assert "cropped to a square" in second and "cropped to a square" not in first
