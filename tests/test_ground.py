"""The ground that the rooms stand on: what is installed, how the app is configured, what the commands are."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from needs import needs
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from streamlit import config

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONFIG = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))
EXTRAS = PROJECT["optional-dependencies"]


def ranges(lines: list[str]) -> dict[str, Requirement]:
    """Requirements by name; a reference to the project's own extras is no requirement."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r for r in parsed if r.name != PROJECT["name"]}


def options(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as Streamlit names them: `theme.light.primaryColor`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= options(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two `#RRGGBB` colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_every_pin_is_declared_and_lies_in_its_range() -> None:
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()]
    assert "-e ." in lines
    pins = ranges([line for line in lines if line and line != "-e ."])
    declared = ranges(PROJECT["dependencies"] + [line for extra in EXTRAS.values() for line in extra])
    assert pins.keys() == declared.keys()
    for name, pin in pins.items():
        (exact,) = pin.specifier
        assert exact.operator == "==", name
        assert Version(exact.version) in declared[name].specifier, name


def test_the_library_alone_needs_neither_the_app_nor_the_notebooks() -> None:
    assert set(EXTRAS) == {"app", "notebooks", "cluster", "docs", "dev"}
    extras = ranges(EXTRAS["app"] + EXTRAS["notebooks"] + EXTRAS["cluster"] + EXTRAS["docs"])
    assert not ranges(PROJECT["dependencies"]).keys() & extras.keys()


def test_one_version_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    cited = re.search(r"^version: (\S+)$", citation, flags=re.MULTILINE)
    assert cited and cited[1] == PROJECT["version"]
    assert re.search(r"^license: MIT$", citation, flags=re.MULTILINE) and PROJECT["license"] == "MIT"


def test_streamlit_knows_every_option_that_is_set() -> None:
    assert not options(CONFIG).keys() - config.get_config_options().keys()


def test_the_app_stays_on_this_machine_and_tells_nobody() -> None:
    set_to = options(CONFIG)
    assert set_to["server.address"] == "127.0.0.1"
    assert set_to["server.allowedHosts"] == ["localhost", "127.0.0.1"]
    assert set_to["server.headless"] and not set_to["browser.gatherUsageStats"]
    assert not {"server.enableCORS", "server.enableXsrfProtection"} & set_to.keys()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_theme_can_be_read(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    page, panel = theme["backgroundColor"], theme["secondaryBackgroundColor"]
    assert contrast(theme["primaryColor"], "#FFFFFF") >= 4.5, "text on a primary button is always white"
    assert contrast(theme["primaryColor"], page) >= 3
    assert min(contrast(theme["textColor"], page), contrast(theme["textColor"], panel)) >= 7
    assert contrast(theme["linkColor"], page) >= 4.5
    sidebar = theme["sidebar"]
    assert contrast(sidebar.get("primaryColor", theme["primaryColor"]), sidebar["backgroundColor"]) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_roles_come_first_among_the_colours_of_charts(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    roles = [theme["blueColor"], theme["orangeColor"], theme["greenColor"], theme["grayColor"]]
    assert theme["chartCategoricalColors"][:4] == roles
    assert len(set(theme["chartCategoricalColors"])) == 7


def test_scales_have_the_ten_steps_that_streamlit_wants() -> None:
    assert len(CONFIG["theme"]["chartSequentialColors"]) == len(CONFIG["theme"]["chartDivergingColors"]) == 10


def test_the_commands_exist() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", text, flags=re.MULTILINE))
    assert targets >= {"app", "test", "quick", "lint", "notebooks", "docs", "figures", "bench", "clean"}
    assert ".ci/run" in (ROOT / ".github/workflows/ci.yml").read_text("utf-8")


@needs(shutil.which("make") is not None, "make")
def test_the_two_commands_can_be_planned() -> None:
    # Inside `make test` the outer make hands its own flags and arguments down.
    inherited = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    for target, ends_with in (("app", "streamlit run app/main.py"), ("test", "python -m pytest -m app")):
        command = ["make", "-n", target]
        plan = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        assert plan.strip().splitlines()[-1].strip().endswith(ends_with)
