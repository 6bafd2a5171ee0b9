"""The shell says what a net is: paths, costs, and the options that each net has."""

import inspect
import json
import re
from pathlib import Path

import pytest
from shell_words import Shell, values

from dfn.cli import options
from dfn.cli.nets import SHAPED_BY, Images, make
from dfn.design.catalogue import catalogue, fused
from dfn.design.paths import path_spectrum
from dfn.design.spec import to_json


@pytest.mark.parametrize(
    ("deep", "shallow", "fusions", "spectrum", "groups", "essential"),
    [
        (8, 5, 3, {8: 1, 7: 3, 6: 3, 5: 1}, 4, 7),
        (26, 5, 3, {26: 1, 19: 3, 12: 3, 5: 1}, 4, 19),
        (50, 14, 6, {50: 1, 44: 6, 38: 15, 32: 20, 26: 15, 20: 6, 14: 1}, 32, 32),
        (50, 14, 3, {50: 1, 38: 3, 26: 3, 14: 1}, 4, 38),
    ],
)
def test_paths_gives_the_derived_table(
    shell: Shell, deep: int, shallow: int, fusions: int, spectrum: dict[int, int], groups: int, essential: int
) -> None:
    code, out, _ = shell("paths", "--deep", deep, "--shallow", shallow, "--fusions", fusions, "--json")
    (found,) = values(out)
    assert code == 0
    assert found["spectrum"] == {str(depth): count for depth, count in spectrum.items()}
    assert found["paths"] == sum(found["receptive_fields"].values()) == 2**fusions
    assert (found["groups"], found["essential_depth"], found["essential_depth_exact"]) == (groups, essential, True)
    assert found["depths"] == [deep, shallow]


def test_paths_gives_the_parameters_of_the_groups_own_net(shell: Shell) -> None:
    _, out, _ = shell("paths", "--deep", 26, "--shallow", 5, "--fusions", 3, "--json")
    assert json.loads(out)["parameters"] == 392_506


def test_nested_designs_have_no_base_networks(shell: Shell) -> None:
    code, out, _ = shell("paths", "--net", "fractal", "--json")
    found = json.loads(out)
    assert code == 0 and found["paths"] > 1
    assert [found[name] for name in ("groups", "essential_depth", "essential_depth_exact", "depths")] == [None] * 4
    assert "nested" in shell("paths", "--net", "fractal")[1]


@pytest.mark.medium
def test_exact_counts_of_any_size(shell: Shell) -> None:
    bases = ",".join(["66"] * 40)
    code, out, _ = shell("paths", "--bases", bases, "--fusions", 128, "--width", 1, "--json")
    found = json.loads(out)
    assert code == 0 and found["paths"] == 40**128 and found["groups"] > 10**4000
    code, out, _ = shell("paths", "--bases", bases, "--fusions", 128, "--width", 1)
    assert code == 0 and re.search(r"paths +1\.\d\de205", out)


def test_paths_for_people(shell: Shell) -> None:
    code, out, err = shell("paths", "--deep", 50, "--shallow", 14)
    assert (code, err) == (0, "")
    assert re.search(r"essential depth +32", out) and re.search(r"32 +20 +█+", out)


def test_paths_counts_for_a_data_set(shell: Shell) -> None:
    _, out, _ = shell("paths", "--data", "digits", "--json")
    assert json.loads(out)["input_shape"] == [1, 8, 8]
    _, out, _ = shell("paths", "--size", 64, "--json")
    assert json.loads(out)["input_shape"] == [3, 64, 64]


@pytest.mark.parametrize("net", SHAPED_BY)
def test_every_net_of_the_catalogue_has_its_options(net: str) -> None:
    some = {"deep": 14, "shallow": 8, "bases": "14,8,6", "fusions": 3, "width": 8, "join": "mean", "norm": "batch"}
    some |= {"relu": "after", "dropout": 0.1, "drop_path": 0.1, "global_drop_path": 0.1}
    given = {name: some[name] for name in SHAPED_BY[net] - {"bases"}}
    assert max(path_spectrum(make(net, given, Images()))) == 14
    if "bases" in SHAPED_BY[net]:
        given = {name: some[name] for name in SHAPED_BY[net] - {"deep", "shallow"}}
        assert max(path_spectrum(make(net, given, Images()))) == 14


def test_options_repeat_the_catalogue_truly() -> None:
    assert SHAPED_BY.keys() == catalogue().keys()
    assert sorted(re.split(r", | or ", options.NETS)) == sorted(catalogue())
    defaults = {name: parameter.default for name, parameter in inspect.signature(fused).parameters.items()}
    for name, hint in options.ShapeOptions.__annotations__.items():
        help = hint.__metadata__[0].help
        if "Default" in help:
            assert f"Default: {defaults[name]:{'g' if isinstance(defaults[name], float) else ''}}" in help


def test_a_design_from_a_file(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "net.json"
    file.write_text(to_json(fused(8, 5, 3, 4, classes=10, in_channels=1)))
    _, out, _ = shell("paths", "--design", file, "--json")
    assert json.loads(out)["depths"] == [8, 5]
    limits = ["--train-limit", 64, "--test-limit", 20, "--epochs", 0]
    code, out, _ = shell("train", "--design", file, *limits, "--json")
    assert code == 0 and values(out)[-1]["event"] == "done"
    code, _, err = shell("train", "--design", file, "--data", "scales", *limits)
    assert code == 2 and "--design" in err and "in_channels=3" in err
    file.write_text("{}")
    code, _, err = shell("paths", "--design", file)
    assert code == 2 and "body" in err and str(file) in err
