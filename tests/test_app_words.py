"""What the app says, from numbers alone: the line-up of a race, the sentence under it, numbers as people read them."""

import pytest
from race import RIVALS, line_up
from verdict import Result, verdict
from widgets import words

import dfn
from dfn.design import paths
from dfn.runs.progress import time_left
from dfn.training.recipe import joins_logits
from dfn.views.learning import Learner, panels

SETTINGS = {"data": "digits", "epochs": 5, "seed": 3}


def _race(rivals=RIVALS, **shape):
    bases = shape.pop("bases", (26, 8))
    fusions = shape.pop("fusions", 6)
    design = dfn.fused(bases=bases, fusions=fusions, width=4, in_channels=1)
    return line_up(design, bases, fusions, 4, rivals, SETTINGS)


def test_the_fused_net_leads_and_all_share_data_epochs_and_seed():
    runners = _race()
    assert [r.role for r in runners] == ["fused", "plain", "shallow", "resnet", "late", "decision"]
    assert {(r.recipe.data, r.recipe.epochs, r.recipe.seed) for r in runners} == {("digits", 5, 3)}
    assert len({r.recipe.id for r in runners}) == 6


def test_labels_name_net_and_depths():
    labels = [r.label for r in _race()]
    assert labels == ["fused 26 + 8", "plain 26", "plain 8", "ResNet 26", "late 26 + 8", "decision 26 + 8"]


def test_rivals_have_the_depths_of_the_base_networks():
    by_role = {r.role: r.recipe.design for r in _race(bases=(20, 14, 8))}
    assert paths.base_depths(by_role["plain"]) == (20,)
    assert paths.base_depths(by_role["shallow"]) == (8,)
    assert max(paths.base_depths(by_role["resnet"])) == 20
    assert paths.base_depths(by_role["late"]) == (20, 14, 8)
    assert joins_logits(by_role["decision"])


def test_decision_fusion_trains_on_the_mean_of_its_nets_losses():
    objectives = {r.role: r.recipe.objective for r in _race()}
    assert objectives.pop("decision") == "mean-of-losses"
    assert set(objectives.values()) == {"cross-entropy"}


def test_who_grows_races_beside_what_it_grew_from():
    runners = _race(rivals=("plain shallow", "Net2Net, deeper", "Net2Net, wider"))
    assert [(r.label, r.role) for r in runners] == [
        ("fused 26 + 8", "fused"),
        ("plain 8", "shallow"),
        ("plain 26, grown", "extra1"),
        ("fused 26 + 8, before it grew", "extra2"),
        ("fused 26 + 8, grown", "deep"),
    ]
    ids = {r.label: r.recipe.id for r in runners}
    teachers = {r.label: r.recipe.teacher for r in runners if r.recipe.teacher}
    assert teachers == {
        "plain 26, grown": ids["plain 8"],
        "fused 26 + 8, grown": ids["fused 26 + 8, before it grew"],
    }


def test_equal_nets_race_once():
    runners = _race(bases=(8, 8), rivals=("plain deep", "plain shallow"))
    assert [r.role for r in runners] == ["fused", "plain"]


@pytest.mark.parametrize("fusions", [0, 1, 2, 3])
def test_few_fusions_race_as_well(fusions):
    runners = _race(fusions=fusions)
    assert runners[0].role == ("decision" if fusions == 0 else "fused")
    assert len({r.recipe.id for r in runners}) == len(runners)


def _result(role: str, accuracy: float, epoch: int = 5, done: bool = True) -> Result:
    return Result(f"{role} net", role, accuracy, epoch, done)


def test_verdict_says_that_fusion_made_depth_trainable_and_that_the_controls_are_ahead():
    results = {r.role: r for r in (_result("fused", 0.93), _result("plain", 0.3), _result("shallow", 0.97))}
    said = verdict(results, epochs=5)
    assert "93.0 %" in said and "30.0 %" in said and "97.0 %" in said
    assert "made this depth trainable" in said
    assert "not better" in said
    assert "One seed" in said


def test_verdict_does_not_claim_what_was_not_measured():
    fused_behind = {r.role: r for r in (_result("fused", 0.3), _result("plain", 0.9))}
    assert "did not help" in verdict(fused_behind, epochs=5)
    level = {r.role: r for r in (_result("fused", 0.9), _result("plain", 0.88), _result("resnet", 0.89))}
    said = verdict(level, epochs=5)
    assert "trains without fusion as well" in said and "within 2 points" in said
    assert verdict({}, epochs=5) == ""


def test_verdict_says_so_far_until_every_net_is_done():
    results = {r.role: r for r in (_result("fused", 0.5, 2, done=False), _result("plain", 0.1, 1, done=False))}
    said = verdict(results, epochs=5)
    assert said.startswith("So far, after 1 of 5 epochs") and "One seed" not in said
    ended = {r.role: r for r in (_result("fused", 0.5, 3), _result("plain", 0.1, 5))}
    said = verdict(ended, epochs=5)
    assert "early stopping ended a net of this race after 3 of 5 epochs" in said and "One seed" in said


@pytest.mark.parametrize(
    ("value", "text"), [(927_194, "927 k"), (1_730_714, "1.73 M"), (138e6, "138 M"), (12, "12"), (2.5e9, "2.5 G")]
)
def test_large_numbers_have_three_digits_and_a_unit(value, text):
    assert words.million(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(4.2, "4 s"), (125, "2 min 5 s"), (11400, "3 h 10 min"), (-1, "0 s")])
def test_durations_read_as_people_say_them(seconds, text):
    assert words.duration(seconds) == text


def test_long_curves_are_thinned_and_keep_their_last_point():
    steps = list(range(1, 10_001))
    loss, _accuracy = panels(
        [Learner("run", "fused", "fused", "running", (steps, [float(s) for s in steps]), ([], []))]
    )
    (drawn,) = loss["series"]
    assert len(drawn["x"]) == len(drawn["y"]) <= 400 and drawn["x"][-1] == 10_000 and drawn["y"][-1] == 10_000.0


def test_nobody_guesses_a_time_without_a_rate():
    assert time_left([]) is None
