"""Built nets beside nets known from elsewhere, written down in plain torch and given the same weights."""

import pytest
import torch
from torch import Tensor, nn

import dfn
from dfn.design.spec import Design
from dfn.models.build import Fused, build
from dfn.models.joins import Gate

BATCH = 4


def images(design: Design, *size: int, batch: int = BATCH) -> Tensor:
    height, width = size or (8, 8)
    return torch.randn(batch, design.in_channels, height, width, generator=torch.Generator().manual_seed(1))


class ResNet(nn.Module):
    """A residual net in plain torch: 3 stages of `blocks` blocks x + F(x), then ReLU (arXiv 1512.03385)."""

    def __init__(self, blocks: int, width: int, classes: int):
        super().__init__()
        self.stem = nn.Sequential(*self.conv(3, width), nn.ReLU())
        self.deep, self.skip = nn.ModuleList(), nn.ModuleList()
        before = width
        for stage in range(3):
            for block in range(blocks):
                wide, stride = width * 2**stage, 2 if stage and not block else 1
                self.deep.append(nn.Sequential(*self.conv(before, wide, stride), nn.ReLU(), *self.conv(wide, wide)))
                self.skip.append(nn.Sequential(*self.conv(before, wide, 2, 1)) if stride > 1 else nn.Identity())
                before = wide
        self.head = nn.Linear(before, classes)

    def conv(self, before: int, wide: int, stride: int = 1, kernel: int = 3):
        conv = nn.Conv2d(before, wide, kernel, stride, kernel // 2, bias=False)
        return conv, nn.BatchNorm2d(wide, eps=2e-5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for deep, skip in zip(self.deep, self.skip, strict=True):
            x = torch.relu(deep(x) + skip(x))
        return self.head(x.mean((2, 3)))


def copy_weights(source: nn.Module, target: nn.Module, order=lambda name: name) -> None:
    """Copy by place: `order` sorts the names of the source as the target has its own."""
    values = [value for name, value in sorted(source.state_dict().items(), key=lambda item: order(item[0]))]
    target.load_state_dict(dict(zip(target.state_dict(), values, strict=True)))


@pytest.mark.parametrize("blocks", [1, 3])
def test_resnet_is_a_resnet(blocks: int):
    design = dfn.catalogue()["resnet"].make(depth=6 * blocks + 2, width=4, classes=7)
    net, reference = build(design), ResNet(blocks, 4, 7)
    own = list(net.state_dict())

    def order(name: str) -> tuple[bool, bool, int]:  # the reference keeps its skips behind the deep blocks
        return "logits" in name, "shallow" in name, own.index(name)

    copy_weights(net, reference, order)
    x = images(design, 12, 12)
    for training in (True, False):  # train first, so that eval reads statistics that have moved
        logits, expected = net.train(training)(x), reference.train(training)(x)
        torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
    statistics = [value for name, value in net.named_buffers() if name.endswith("running_var")]
    assert len(statistics) == sum(name.endswith("running_var") for name, _ in reference.named_buffers())
    assert not any((value == 1).all() for value in statistics)


class Highway(nn.Module):
    """A highway net in plain torch: y = H(x) T(x) + x (1 - T(x)) after every conv (arXiv 1507.06228, equation 3)."""

    def __init__(self, layers: int, width: int, classes: int):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.layers = nn.ModuleList()
        before = width
        for stage in range(3):
            for layer in range(layers):
                wide, stride = width * 2**stage, 2 if stage and not layer else 1
                plain = nn.Conv2d(before, wide, 3, stride, 1)
                carry = [nn.Conv2d(before, wide, 1, stride)] if stride > 1 else []
                self.layers.append(nn.ModuleList([plain, *carry, nn.Conv2d(before, wide, 3, stride, 1)]))
                before = wide
        self.head = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        for plain, *carry, gate in self.layers:  # pyright: ignore[reportGeneralTypeIssues]
            open_ = torch.sigmoid(gate(x))
            x = plain(x).relu() * open_ + (carry[0](x) if carry else x) * (1 - open_)
        return self.head(x.mean((2, 3)))


def test_highway_is_a_highway_net():
    design = dfn.catalogue()["highway"].make(depth=8, width=4, classes=7)
    net, reference = build(design), Highway(2, 4, 7)
    own = list(net.state_dict())
    copy_weights(net, reference, own.index)
    x = images(design, 12, 12)
    for training in (True, False):
        torch.testing.assert_close(net.train(training)(x), reference.train(training)(x), rtol=1e-5, atol=1e-6)


class MergeRunNet(nn.Module):
    """Two streams in plain torch, as the group's code has them: x_k' = ReLU(H_k(x_k) + (x_1 + x_2) / 2), a 1x1
    projection of both where the shape changes, and H_1 + H_2 + the mean at the end."""

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.stem = nn.Sequential(*self.conv(3, width), nn.ReLU())
        self.steps = nn.ModuleList()
        before = width
        for wide, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
            blocks = [
                nn.Sequential(*self.conv(before, wide, stride), nn.ReLU(), *self.conv(wide, wide)) for _ in range(2)
            ]
            lines = [nn.Sequential(*self.conv(before, wide, 2, 1)) for _ in range(2)] if stride > 1 else []
            self.steps.append(nn.ModuleList([*blocks, *lines]))
            before = wide
        self.head = nn.Linear(before, classes)

    conv = ResNet.conv

    def forward(self, x: Tensor) -> Tensor:
        one = two = self.stem(x)
        for step, (h1, h2, *lines) in enumerate(self.steps, start=1):  # pyright: ignore[reportGeneralTypeIssues]
            mean = (lines[0](one) + lines[1](two)) / 2 if lines else (one + two) / 2
            one, two = h1(one), h2(two)
            if step < 3:
                one, two = torch.relu(one + mean), torch.relu(two + mean)
        return self.head(torch.relu(one + two + mean).mean((2, 3)))  # pyright: ignore[reportPossiblyUnbound]


def test_merge_and_run_is_what_the_groups_code_computes():
    design = dfn.catalogue()["merge-run"].make(depth=8, width=4, classes=7)
    net, reference = build(design), MergeRunNet(4, 7)
    own = list(net.state_dict())
    copy_weights(net, reference, own.index)
    x = images(design, 12, 12)
    for training in (True, False):
        torch.testing.assert_close(net.train(training)(x), reference.train(training)(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bias", [-3.0, 0.0])
def test_a_gate_begins_at_the_bias_of_its_design(bias: float):
    net = build(dfn.catalogue()["highway"].make(depth=5, width=4, gate_bias=bias))
    gates = [module.conv.bias for module in net.modules() if isinstance(module, Gate)]
    assert len(gates) == 3 and {value for b in gates if b is not None for value in b.tolist()} == {bias}


def test_side_outputs_are_the_mean_of_the_exits():
    net = build(dfn.catalogue()["side-outputs"].make(depth=8, width=4)).eval()
    logits, trace = net.trace(images(net.design))
    exits = [value for name, value in trace.items() if name.endswith("/logits")]
    assert len(exits) == 3
    torch.testing.assert_close(logits, torch.stack(exits).mean(0))


@pytest.mark.parametrize("fusions", [1, 2, 3, 6])
def test_without_its_shallow_blocks_a_fused_net_is_the_plain_deep_net(fusions: int):
    net = build(dfn.fused(20, 8, fusions, 4), seed=1)
    plain = build(dfn.catalogue()["plain"].make(depth=20, fusions=fusions, width=4), seed=2)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, Fused):
                *_, last = (m for m in module.branches["shallow"].modules() if isinstance(m, nn.BatchNorm2d))
                last.weight.zero_()
                last.bias.zero_()
    deep = [value for name, value in net.state_dict().items() if ".shallow." not in name]
    plain.load_state_dict(dict(zip(plain.state_dict(), deep, strict=True)))
    x = images(net.design)
    for training in (True, False):
        assert torch.equal(net.train(training)(x), plain.train(training)(x))
