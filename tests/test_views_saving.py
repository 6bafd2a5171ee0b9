"""What a view saves: the picture as it stands, its numbers, and nothing that a spreadsheet would run."""

import base64
import csv
import io
import re
from pathlib import Path
from typing import Literal, get_args
from xml.etree import ElementTree

import numpy as np
import pytest
import views_harness as harness
from conftest import OpenView as Open
from PIL import Image
from playwright.sync_api import Page, expect

Saved = Literal["net", "curves", "bars", "maps", "tree"]  # what only asks (tiles, sketch) is nothing to keep


def saved(page: Page, kind: str) -> tuple[str, bytes]:
    """What comes down when a view is saved as this kind: the name of the file and its bytes."""
    opener = page.get_by_role("button", name="Save this figure")
    if opener.get_attribute("aria-expanded") == "false":
        opener.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("group", name="Save as").get_by_role("button", name=kind).press("Enter")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def table(text: bytes) -> list[list[str]]:
    return list(csv.reader(text.decode().splitlines()))


@pytest.mark.parametrize("name", get_args(Saved))
def test_a_view_is_saved_as_it_stands(view: Open, name: Saved) -> None:
    page = view(name, harness.SAMPLES[name][0])
    file, picture = saved(page, "PNG")
    assert file.endswith(".png") and not re.search(r"[^a-z0-9.-]", file)
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB"))
    box = page.locator("#root").bounding_box()
    assert box and pixels.shape[1] == pytest.approx(2 * box["width"] + 64, abs=2)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
    _, drawing = saved(page, "SVG")
    root = ElementTree.fromstring(drawing)
    said = " ".join(text.strip() for text in root.itertext())
    heading = {
        "net": "essential depth",
        "curves": "Training loss",
        "bars": "Gradient norm",
        "maps": "deep",
        "tree": "views",
    }[name]
    assert heading in said and "Save" not in said and b"var(--" not in drawing


def test_a_file_is_named_in_the_language_of_its_view(view: Open) -> None:
    assert saved(view("bars", harness.bars() | {"title": "기울기 노름"}), "CSV")[0] == "기울기-노름.csv"


def test_the_numbers_of_a_view_are_saved(view: Open) -> None:
    data = harness.bars()
    rows = table(saved(view("bars", data), "CSV")[1])
    first = data["groups"][0]["bars"][0]
    assert rows[0] == ["group", "bar", "part", "value", "unit"]
    assert rows[1] == [data["groups"][0]["label"], first["label"], "", repr(first["value"]), data["unit"]]
    data = harness.curves(4)
    rows = table(saved(view("curves", data), "CSV")[1])
    points = sum(len(series["x"]) for panel in data["panels"] for series in panel["series"])
    assert len(rows) == 1 + points and rows[3][2:4] == ["2", repr(2.4 * 0.96**2)]
    rows = table(saved(view("net", harness.net()), "CSV")[1])
    assert [[int(cell) for cell in row] for row in rows[1:]] == [
        [entry["depth"], int(entry["count"])] for entry in harness.net()["spectrum"]
    ]
    data = harness.some_maps(3, 4, 2)
    rows = table(saved(view("maps", data | {"epoch": 1}), "CSV")[1])
    stored = [np.frombuffer(base64.b64decode(panel["data"]), "<f2").reshape(3, -1)[1] for panel in data["panels"]]
    np.testing.assert_array_equal([float(row[5]) for row in rows[1:]], np.concatenate(stored).astype(float))
    assert rows[0] == ["map", "epoch", "channel", "row", "column", "value"]
    assert rows[-1][1:5] == ["1", "3", "1", "1"]


def test_a_label_is_no_formula(view: Open) -> None:
    data = harness.bars()
    data["groups"][0]["label"] = '=HYPERLINK("x", "a,b")'
    assert table(saved(view("bars", data), "CSV")[1])[1][0] == "'" + data["groups"][0]["label"]


def test_the_choice_closes_with_escape(view: Open) -> None:
    page = view("bars", harness.bars())
    opener = page.get_by_role("button", name="Save this figure")
    opener.press("Enter")
    page.get_by_role("button", name="SVG").press("Escape")
    expect(page.get_by_role("button", name="SVG")).to_be_hidden()
    expect(opener).to_be_focused()
