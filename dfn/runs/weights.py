"""What a run's folder stands for: the net that it had after an epoch, and the images that it was trained on."""

from safetensors import SafetensorError
from safetensors.torch import load_file

from dfn.data import Dataset, load_data
from dfn.models.build import FusedNet, build
from dfn.runs.run import Run, RunError


def net_after(run: Run, epoch: int | None = None) -> FusedNet:
    """The net as it was kept after an epoch (0: before training; None: the last one kept), in eval mode, its weights
    asking for no gradients. Raises RunError where they were not kept or cannot be read as those of this net."""
    kept = run.snapshots()
    if not kept:
        raise RunError(f"run {run.id} has kept no weights")
    wanted = max(kept) if epoch is None else epoch
    if wanted not in kept:
        raise RunError(f"epoch: {wanted!r} is not accepted; accepted: one that was kept, {', '.join(map(str, kept))}")
    net = build(run.recipe.design).eval().requires_grad_(False)
    try:
        net.load_state_dict(load_file(kept[wanted]))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise RunError(f"{kept[wanted].name} cannot be read as weights of this net") from error
    return net


def data_of(run: Run) -> Dataset:
    """The data set of a run's recipe. Raises DataError."""
    recipe = run.recipe
    return load_data(recipe.data, size=recipe.size, train_limit=recipe.train_limit, test_limit=recipe.test_limit)
