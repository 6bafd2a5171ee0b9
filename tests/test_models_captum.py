"""Captum sees through our nets: its completeness holds, and its hooks find every block, join and ReLU."""

from collections.abc import Iterator

import pytest
import torch
from captum.attr import DeepLift, GuidedBackprop, IntegratedGradients, LayerActivation, LayerGradCam
from torch import Tensor, nn

from dfn.design.catalogue import fused, merge_run
from dfn.models.build import FusedNet, build

X = torch.randn(3, 3, 12, 12, generator=torch.Generator().manual_seed(3)).requires_grad_()
TARGET = torch.tensor([1, 0, 4])

nets = pytest.mark.parametrize(
    "net",
    [
        fused(14, 8, 6, 4),
        fused(14, 8, 6, 4, "mean"),
        fused(14, 8, 3, 4, relu="before"),
        fused(bases=[8, 5, 2], fusions=3, width=4),
        fused(8, 5, 0, 4),
        fused(14, 2, 6, 4, norm="none"),
        fused(14, 8, 6, 4, "weighted"),
        fused(14, 8, 6, 4, "inverse-variance"),
        merge_run(8, 4),
    ],
    ids=["sum", "mean", "before", "K3", "decision", "bare", "weighted", "inverse-variance", "streams"],
    indirect=True,
)


@pytest.fixture
def net(request: pytest.FixtureRequest) -> Iterator[FusedNet]:
    net = build(request.param).train()
    with torch.no_grad():
        net(X)  # statistics that are not at their beginning
    yield net.eval()
    assert not any(m._forward_hooks or m._backward_hooks or m._forward_pre_hooks for m in net.modules())


def difference(net: FusedNet, target: Tensor) -> Tensor:
    with torch.no_grad():
        return (net(X) - net(torch.zeros_like(X))).gather(1, target[:, None])[:, 0]


@pytest.mark.medium
@nets
def test_integrated_gradients_are_complete(net: FusedNet):
    # many steps, because an untrained net is rough on the way from black to noise
    with torch.no_grad():
        target = (net(X) - net(torch.zeros_like(X))).abs().argmax(1)
    explained = IntegratedGradients(net).attribute(X, target=target, n_steps=1000, internal_batch_size=300)
    torch.testing.assert_close(explained.sum((1, 2, 3)).float(), difference(net, target), rtol=0.01, atol=0.0)


@nets
@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks")
def test_deep_lift_is_complete(net: FusedNet):
    explained, gap = DeepLift(net).attribute(X, target=TARGET, return_convergence_delta=True)
    assert gap.abs().max() < 1e-4
    torch.testing.assert_close(explained.sum((1, 2, 3)), difference(net, TARGET), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("body.fusion2.branches.deep", "fusion2/deep"),
        ("body.fusion2.branches.shallow", "fusion2/shallow"),
        ("body.fusion4", "fusion4/joined"),
        ("body.stem", "stem"),
        ("body.logits", "logits"),
    ],
)
@pytest.mark.parametrize("net", [fused(14, 8, 6, 4)], indirect=True)
def test_layers_are_where_the_trace_says(net: FusedNet, place: str, name: str):
    layer = net.get_submodule(place)
    _, trace = net.trace(X)
    activation = LayerActivation(net, layer).attribute(X)
    assert isinstance(activation, Tensor) and torch.equal(activation, trace[name])
    if activation.dim() == 4:
        cam = LayerGradCam(net, layer).attribute(X, target=TARGET)
        (gradient,) = torch.autograd.grad(trace["logits"].gather(1, TARGET[:, None]).sum(), trace[name])
        expected = (gradient.mean((2, 3), keepdim=True) * trace[name]).sum(1, keepdim=True)
        torch.testing.assert_close(cam, expected)


@pytest.mark.parametrize("net", [fused(14, 8, 6, 4)], indirect=True)
def test_grad_cam_at_a_join_before_its_relu(net: FusedNet):
    cam = LayerGradCam(net, net.get_submodule("body.fusion3.join")).attribute(X, target=TARGET)
    assert isinstance(cam, Tensor) and cam.shape == (3, 1, 6, 6)
    assert cam.abs().max() > 0


class GuidedReLU(torch.autograd.Function):
    """Passes back what is positive, where the input was positive."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx, *gradients):
        (x,), (gradient,) = ctx.saved_tensors, gradients
        return gradient.clamp_min(0) * (x > 0)


class Guided(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return GuidedReLU.apply(x)  # pyright: ignore[reportReturnType]


@nets
@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_guided_backprop_reaches_every_relu(net: FusedNet):
    guided = GuidedBackprop(net).attribute(X, target=TARGET)
    by_hand = build(net.design).eval()
    by_hand.load_state_dict(net.state_dict())
    for name, module in list(by_hand.named_modules()):
        if isinstance(module, nn.ReLU):
            by_hand.set_submodule(name, Guided())
    (expected,) = torch.autograd.grad(by_hand(X).gather(1, TARGET[:, None]).sum(), X)
    torch.testing.assert_close(guided, expected)
