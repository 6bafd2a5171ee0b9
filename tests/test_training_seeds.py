"""Seeds trained together against each of them trained alone."""

import pytest
from runs_nursery import tiny

import dfn
from dfn.data import load_data
from dfn.training.fit import fit
from dfn.training.recipe import RecipeError
from dfn.training.records import Done, Epoch, Record, Step
from dfn.training.seeds import fit_seeds

SEEDS = (3, 0, 7)


@pytest.mark.medium
@pytest.mark.parametrize("settings", [{}, {"augment": True, "momentum": 0.0, "schedule": "step"}])
def test_every_seed_learns_as_it_does_alone(settings: dict) -> None:
    recipe, data = tiny(epochs=2, **settings), load_data("digits", train_limit=128, test_limit=100)
    together: dict[int, list[Record]] = {seed: [] for seed in SEEDS}
    for seed, record in fit_seeds(recipe, SEEDS, data=data, device="cpu"):
        together[seed].append(record)
    for seed, found in together.items():
        alone = list(fit(recipe.model_copy(update={"seed": seed}), data=data, device="cpu", telemetry=False))
        assert [type(record) for record in found] == [type(record) for record in alone[1:]]
        for one, other in zip(found, alone[1:], strict=True):
            assert getattr(one, "step", None) == getattr(other, "step", None)
            if isinstance(one, Step) and isinstance(other, Step):
                assert (one.loss, one.lr) == (pytest.approx(other.loss, rel=1e-3), other.lr)
            if isinstance(one, Epoch) and isinstance(other, Epoch):
                assert one.test_loss == pytest.approx(other.test_loss, rel=1e-2)
                assert one.train_loss == (other.train_loss and pytest.approx(other.train_loss, rel=1e-3))
                assert one.test_accuracy == pytest.approx(other.test_accuracy, abs=0.02)
    assert len({together[seed][-1].weights_sha256 for seed in SEEDS if isinstance(together[seed][-1], Done)}) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"design": dfn.fused(8, 5, 3, width=4, in_channels=1, drop_path=0.5)},
        {"design": dfn.fused(8, 5, 0, width=4, in_channels=1), "objective": "mean-of-losses"},
    ],
)
def test_what_a_seed_has_to_do_alone_is_refused(settings: dict) -> None:
    with pytest.raises(RecipeError):
        next(fit_seeds(tiny(**settings), SEEDS))
    with pytest.raises(RecipeError, match="one seed or more"):
        next(fit_seeds(tiny(), ()))
