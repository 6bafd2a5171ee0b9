"""Lesions do what they say in closed form, leave the net alone, and their effect is the same from kept maps."""

import pytest
import torch
from torch import nn

from dfn.data import load_data
from dfn.design.catalogue import catalogue, fused, plain
from dfn.design.paths import base_depths
from dfn.design.spec import Design
from dfn.insight.effects import Kept, importance, random_lesions
from dfn.insight.lesions import alone, bypass, cut_feedback, dial, lesion, swap_blocks
from dfn.models.build import Chain, Fused, FusedNet, build
from dfn.training.evaluate import evaluate, recalibrate
from dfn.training.fit import Training
from dfn.training.recipe import Recipe

X = torch.randn(6, 2, 8, 8, generator=torch.Generator().manual_seed(1))
SMALL = fused(8, 5, 3, 4, classes=4, in_channels=2)


def settled(design: Design = SMALL) -> FusedNet:
    net = build(design).train()
    with torch.no_grad():
        for _ in range(20):
            net(X)
    return net.eval()


def fusion(net: FusedNet, number: int) -> Fused:
    found = net.get_submodule(f"body.fusion{number}")
    assert isinstance(found, Fused)
    return found


def base_alone(net: FusedNet, branch: str, depth: int) -> FusedNet:
    """The plain net of one base network, with its weights from the fused one."""
    single = build(plain(depth, 3, 4, classes=4, in_channels=2)).eval()
    other = {"deep": "shallow", "shallow": "deep"}[branch]
    values = [value for name, value in net.state_dict().items() if f".{other}." not in name]
    single.load_state_dict(dict(zip(single.state_dict(), values, strict=True)))
    return single


@pytest.fixture(scope="module")
def trained() -> FusedNet:
    training = Training(Recipe(design=fused(8, 5, 3, 4, in_channels=1), data="digits", epochs=2, seed=0))
    for _ in training.records():
        pass
    return training.net.eval()


@pytest.mark.parametrize(("branch", "depth"), [("deep", 8), ("shallow", 5)])
def test_without_its_partner_a_base_network_is_the_plain_net(branch: str, depth: int):
    net = settled()
    other = {"deep": "shallow", "shallow": "deep"}[branch]
    expected = base_alone(net, branch, depth)(X)
    torch.testing.assert_close(lesion(net, None, other)(X), expected)
    torch.testing.assert_close(alone(net, branch)(X), expected)


@pytest.mark.parametrize("join", ["mean", "max", "gate"])
def test_alone_is_the_plain_net_behind_every_join(join):
    net = settled(fused(8, 5, 3, 4, join, 4, 2))
    state = {name: value for name, value in net.state_dict().items() if ".join." not in name}
    bare = build(SMALL).eval()
    bare.load_state_dict(state)
    torch.testing.assert_close(alone(net, "deep")(X), base_alone(bare, "deep", 8)(X))


def test_alone_at_a_concat_leaves_the_channels_of_the_others_empty():
    net = settled(fused(8, 5, 3, 4, "concat", 4, 2))
    _, trace = alone(net, "shallow").trace(X)
    joined, own = trace["fusion1/joined"], trace["fusion1/shallow"]
    assert not joined[:, :2].any() and torch.equal(joined[:, 2:], own.relu())


@pytest.mark.medium
def test_alone_can_be_recalibrated_and_judged(trained: FusedNet):
    data = load_data("digits")
    single = alone(trained, "deep")
    before = Kept(trained, data.normalise(data.test.images), data.test.labels).judge(single)
    recalibrate(single, [data.normalise(data.train.images[:500])])
    assert evaluate(single, data, torch.device("cpu")).accuracy > before.accuracy


def test_the_dial_goes_from_nothing_to_the_net():
    net = settled()
    assert torch.equal(dial(net, 1.0)(X), net(X))
    assert torch.equal(dial(net, 0)(X), lesion(net)(X))
    half = dial(net, 0.5, "deep", 2)
    assert torch.equal(half.trace(X)[1]["fusion2/deep"], net.trace(X)[1]["fusion2/deep"] * 0.5)
    assert torch.equal(half.trace(X)[1]["fusion2/shallow"], net.trace(X)[1]["fusion2/shallow"])


@pytest.mark.parametrize("reference", [None, X[:4]])
def test_the_mean_of_each_channel_takes_the_place_of_the_map(reference):
    net = settled()
    base = net.trace(X if reference is None else reference)[1]["fusion2/shallow"]
    _, trace = lesion(net, 2, "shallow", "mean", reference=reference).trace(X)
    torch.testing.assert_close(trace["fusion2/shallow"], base.mean((0, 2, 3))[:, None, None].expand(6, 8, 4, 4))


def test_the_map_of_another_image_takes_the_place_of_the_map():
    net = settled()
    base = net.trace(X)[1]["fusion2/shallow"]
    _, trace = lesion(net, 2, "shallow", "resample").trace(X)
    assert torch.equal(trace["fusion2/shallow"], base.roll(1, 0))
    bank = lesion(net, 2, "shallow", "resample", reference=X, seed=3)
    drawn = bank.trace(X)[1]["fusion2/shallow"]
    assert torch.equal(drawn, bank.trace(X)[1]["fusion2/shallow"])
    assert all(any(torch.allclose(map_, other) for other in base) for map_ in drawn)
    assert not torch.equal(drawn, lesion(net, 2, how="resample", reference=X, seed=4).trace(X)[1]["fusion2/shallow"])
    with pytest.raises(ValueError, match="resample: 1 image is not accepted"):
        lesion(net, 2, how="resample")(X[:1])


def test_nothing_flows_back_from_joins_that_feed_nobody():
    net = settled()
    separate = net
    for number in (1, 2):
        for branch in ("deep", "shallow"):
            separate = cut_feedback(separate, number, branch)
    nets = base_alone(net, "deep", 8), base_alone(net, "shallow", 5)
    maps = []
    for single in nets:  # up to the last block, whose ReLU stands behind the join
        blocks = list(single.body.children())
        inside = nn.Sequential(*blocks[:-2])
        last = inside[-1]
        assert isinstance(last, nn.Sequential)
        inside[-1] = nn.Sequential(*list(last.children())[:-1])
        maps.append(inside(X))
    torch.testing.assert_close(separate(X), net.get_submodule("body.logits")((maps[0] + maps[1]).relu()))


def test_a_way_back_is_cut_to_one_branch_only():
    net = settled()
    changed = cut_feedback(net, 1, "shallow")
    _, trace = changed.trace(X)
    assert torch.equal(trace["fusion1/joined"], net.trace(X)[1]["fusion1/joined"])
    assert torch.equal(trace["fusion2/deep"], net.trace(X)[1]["fusion2/deep"])
    own = fusion(net, 2).branches["shallow"](trace["fusion1/shallow"].relu())
    assert torch.equal(trace["fusion2/shallow"], own)
    assert torch.equal(trace["fusion3/deep"], fusion(net, 3).branches["deep"](trace["fusion2/joined"]))
    assert list(trace) == list(net.trace(X)[1])


def test_swapped_blocks_are_another_net_and_swapped_back_the_same():
    net = settled(fused(9, 5, 6, 4, classes=4, in_channels=2))
    swapped = swap_blocks(net, "deep", 1, 2)
    assert not torch.allclose(swapped(X), net(X))
    assert base_depths(swapped.design) == base_depths(net.design) and swapped.design != net.design
    assert list(swapped.trace(X)[1]) == list(net.trace(X)[1])
    assert torch.equal(swap_blocks(swapped, "deep", 2, 1)(X), net(X))
    h = net.get_submodule("body.stem")(X)
    assert torch.equal(swapped.trace(X)[1]["fusion1/deep"], fusion(net, 2).branches["deep"](h))
    with pytest.raises(ValueError, match="second: 4"):
        swap_blocks(net, "deep", 2, 4)


def test_a_bypass_hands_on_what_comes():
    net = settled(plain(14, 6, 4, classes=4, in_channels=2))
    _, trace = net.trace(X)
    changed = bypass(net, 2).trace(X)[1]
    assert torch.equal(changed["block2"], trace["block1"]) and changed.keys() == trace.keys()
    opened = bypass(net, 3).trace(X)[1]["block3"]
    assert torch.equal(opened[:, :4], trace["block2"][:, :, ::2, ::2]) and not opened[:, 4:].any()
    assert torch.equal(bypass(net, 1).trace(X)[1]["block1"], trace["stem"])


def lesions(net: FusedNet) -> dict[str, FusedNet]:
    return {
        "zero": lesion(net, 2, "deep"),
        "mean": lesion(net, 3, "shallow", "mean", reference=net_input(net)),
        "batch mean": lesion(net, 1, "shallow", "mean"),
        "resample": lesion(net, 2, "deep", "resample", reference=net_input(net)),
        "batch resample": lesion(net, 2, "deep", "resample"),
        "everywhere": lesion(net, None, "shallow"),
        "twice": lesion(lesion(net, 3, "deep"), 2, "shallow", "mean"),
        "dial": dial(net, 0.3),
        "one way": cut_feedback(net, 2, "shallow"),
        "alone": alone(net, "shallow"),
        "none": dial(net, 1.0, fusion=3),
    }


def net_input(net: FusedNet) -> torch.Tensor:
    return torch.randn(5, net.design.in_channels, 8, 8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("training", [False, True])
def test_the_net_stays_as_it_was(training: bool):
    net = settled().train(training)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    names = [name for name, _ in net.named_modules()]
    for changed in lesions(net).values():
        assert changed.training == training and changed is not net
        assert not {id(p) for p in changed.parameters()} & {id(p) for p in net.parameters()}
        changed.eval()(X)
        with torch.no_grad():
            for parameter in changed.parameters():
                parameter.zero_()
    assert [name for name, _ in net.named_modules()] == names and net.training == training
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


@pytest.mark.medium
def test_kept_maps_give_the_answers_of_the_whole_net(trained: FusedNet):
    data = load_data("digits")
    x, labels = data.normalise(data.test.images), data.test.labels
    kept = Kept(trained, x, labels)
    full = evaluate(trained, data, torch.device("cpu"))
    assert (kept.effect.accuracy, kept.effect.loss) == pytest.approx((full.accuracy, full.loss))
    assert kept.effect.same == 1
    for name, changed in lesions(trained).items():
        with torch.no_grad():
            logits = changed(x)
        assert torch.equal(kept.answers(changed), logits), name
        effect = kept.judge(changed)
        assert effect.accuracy == pytest.approx((logits.argmax(1) == labels).float().mean().item())
        assert effect.loss == pytest.approx(nn.functional.cross_entropy(logits, labels).item())


def test_only_what_follows_the_cut_runs_again(monkeypatch: pytest.MonkeyPatch):
    kept = Kept(settled(), X, [0, 1, 2, 3, 0, 1])
    stations: list[int] = []
    forward = Chain.forward

    def counted(self, x, trace=None):
        if not self.name:
            stations.append(len(list(self.children())))
        return forward(self, x, trace)

    monkeypatch.setattr(Chain, "forward", counted)
    for number, left in ((1, 4), (2, 3), (3, 2)):
        kept.judge(lesion(kept.net, number, "deep"))
        assert stations.pop() == left
    kept.judge(kept.net)
    assert not stations


def test_importance_has_every_block():
    kept = Kept(settled(), X, [0, 1, 2, 3, 0, 1])
    strip = importance(kept)
    assert list(strip) == [(number, lane) for number in (1, 2, 3) for lane in ("deep", "shallow")]
    assert strip[2, "deep"] == kept.judge(lesion(kept.net, 2, "deep"))
    single = Kept(settled(plain(8, 3, 4, classes=4, in_channels=2)), X, [0, 1, 2, 3, 0, 1])
    assert list(importance(single)) == [(1, "plain"), (2, "plain"), (3, "plain")]


@pytest.mark.medium
def test_random_lesions_spare_one_block_of_every_fusion():
    kept = Kept(settled(), X, [0, 1, 2, 3, 0, 1])
    assert random_lesions(kept, 0, draws=2) == [kept.effect] * 2
    drawn = random_lesions(kept, 3, draws=4, seed=1)
    assert drawn == random_lesions(kept, 3, draws=4, seed=1) and len(set(drawn)) > 1
    everything = lesion(lesion(kept.net, None, "deep"), None, "shallow")
    assert kept.judge(everything) not in drawn
    with pytest.raises(ValueError, match="count: 4 is not accepted; accepted: a whole number from 0 to 3"):
        random_lesions(kept, 4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda net: lesion(net, 4), "fusion: 4 is not accepted; accepted: a whole number from 1 to 3"),
        (lambda net: lesion(net, True), "fusion: True"),
        (lambda net: lesion(net, 2, "left"), "branch: left is not accepted; accepted: one of deep, shallow"),
        (lambda net: lesion(net, 2, how="burn"), "how: burn is not accepted; accepted: zero, mean"),  # pyright: ignore
        (lambda net: lesion(net, 2, how="mean", reference=X[:, :1]), "reference: a tensor"),
        (lambda net: dial(net, 1.5), "gain: 1.5 is not accepted; accepted: a number from 0 to 1"),
        (lambda net: cut_feedback(net, 3, "deep"), "fusion: 3 is not accepted; accepted: a fusion before the last"),
        (lambda net: bypass(net, 1), "a plain net"),
        (lambda net: lesion(nn.Linear(2, 2), 1), "net: "),  # pyright: ignore
        (lambda net: lesion(build(plain(8))), "a net with fusions"),
        (lambda net: cut_feedback(build(catalogue()["fractal"].make()), 1, "deep"), "nested or unequal fusions"),
        (lambda net: Kept(cut_feedback(net, 1, "deep"), X, 0), "a net with a way back cut"),
    ],
)
def test_what_cannot_be_cut_is_refused(make, words: str):
    with pytest.raises(ValueError, match=words):
        make(build(SMALL))
