"""YAMNet: sound to the probabilities of AudioSet's 521 classes.

The network is the one published in TensorFlow's model garden (research/audioset/yamnet,
Apache-2.0): a MobileNetV1 (Howard et al. 2017) over patches of a log-mel spectrogram. Its weights
are in yamnet.npz, batch norms folded into the convolutions, in float16; `python -m
indexer.embedders.sound.yamnet_convert` makes that file. The front end is computed in float32 and
the last layer too, so that number formats agree closely; the convolutions run channels-last, in
bfloat16 where the device multiplies it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from indexer.embedders.sound.sound_classes import CLASSES

RATE_HZ = 16_000
WINDOW, HOP, FFT = 400, 160, 512  # samples: 25 ms every 10 ms
BANDS, LOWEST_HZ, HIGHEST_HZ = 64, 125.0, 7500.0
LOG_OFFSET = 1e-3
PATCH_ROWS, PATCH_STEP = 96, 48  # rows of the spectrogram
PATCH_S, STEP_S = PATCH_ROWS * HOP / RATE_HZ, PATCH_STEP * HOP / RATE_HZ  # .96 s every .48 s
BATCH = 64
# Stride and channels of the separable convolutions that follow the first one, which has 32 channels
# and stride 2.
BLOCKS = (
    (1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512),
    (1, 512), (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024),
)  # fmt: skip


class Yamnet:
    """Sound to probabilities (N, 521) of its patches, on one device in one number format."""

    def __init__(self, weights: Path, device: torch.device, dtype: torch.dtype) -> None:
        network = Network()
        with np.load(weights) as stored:
            network.load_state_dict(
                {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored.files}
            )
        network.eval()
        self.head = network.head.to(device)
        body = network.body.to(device, dtype)
        self.body = body.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.device, self.dtype = device, dtype

    def probabilities(self, samples: np.ndarray) -> np.ndarray:
        """(N, 521) float32 of the patches of samples (T,) float32 mono at 16 kHz in [-1, 1]; patch
        i begins at i * STEP_S.

        Every sample is in a patch: silence is put behind the last one. No samples, no patches.
        """
        if not len(samples):
            return np.zeros((0, CLASSES), np.float32)
        with torch.inference_mode():
            rows = log_mel(
                torch.from_numpy(np.ascontiguousarray(pad(samples), np.float32)).to(self.device)
            )
            patches = rows.unfold(0, PATCH_ROWS, PATCH_STEP).transpose(1, 2)[
                :, None
            ]  # (N, 1, 96, 64)
            found = [
                self._classify(patches[at : at + BATCH]) for at in range(0, len(patches), BATCH)
            ]
            return torch.cat(found).cpu().numpy()

    def _classify(self, patches: torch.Tensor) -> torch.Tensor:
        features = self.body(
            patches.to(self.dtype).contiguous(memory_format=torch.channels_last)
        ).float()
        return self.head(features.mean((2, 3))).sigmoid()


class Network(nn.Module):
    """`body`: patches (N, 1, 96, 64) to features (N, 1024, 3, 2); `head`: their mean to logits
    (N, 521).
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [SameConvolution(1, 32, 2)]
        channels = 32
        for stride, wider in BLOCKS:
            layers += [
                SameConvolution(channels, channels, stride, groups=channels),
                SameConvolution(channels, wider, 1, side=1),
            ]
            channels = wider
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(channels, CLASSES)


class SameConvolution(nn.Module):
    """A convolution and its ReLU, padded as TensorFlow's "same": where that is odd, more lies
    behind.
    """

    def __init__(
        self, channels: int, wider: int, stride: int, *, side: int = 3, groups: int = 1
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            channels, wider, side, stride, padding=side // 2 if stride == 1 else 0, groups=groups
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Input and output are (batch, channels, height, width)."""
        if self.convolution.stride[0] == 2:
            height, width = x.shape[2:]
            x = nn.functional.pad(x, (1 - (width % 2 == 0), 1, 1 - (height % 2 == 0), 1))
        return self.convolution(x).relu()


def patch_count(samples: int) -> int:
    """How many patches so many samples have.

    >>> patch_count(0), patch_count(1), patch_count(15_600), patch_count(15_601)
    (0, 1, 1, 2)
    """
    one = (PATCH_ROWS - 1) * HOP + WINDOW
    return 0 if not samples else 1 + max(0, -((one - samples) // (PATCH_STEP * HOP)))


def pad(samples: np.ndarray) -> np.ndarray:
    """With silence behind, so that the last patch is whole."""
    whole = (PATCH_ROWS - 1) * HOP + WINDOW + (patch_count(len(samples)) - 1) * PATCH_STEP * HOP
    return np.pad(samples, (0, whole - len(samples)))


def log_mel(samples: torch.Tensor) -> torch.Tensor:
    """Logarithms (R, 64) float32 of the mel bands of samples (T,), every 10 ms. Magnitudes are
    summed, not powers.
    """
    windows = samples.unfold(0, WINDOW, HOP) * torch.hann_window(WINDOW, device=samples.device)
    return torch.log(
        torch.fft.rfft(windows, FFT).abs() @ _mel_bands().to(samples.device) + LOG_OFFSET
    )


@cache
def _mel_bands() -> torch.Tensor:
    return torch.from_numpy(mel_bands())


def mel_bands() -> np.ndarray:
    """(257, 64) float32: triangles in mels, 1127 ln(1 + f / 700), as
    `tf.signal.linear_to_mel_weight_matrix` makes them.
    """

    def mel(hz: np.ndarray) -> np.ndarray:
        return 1127.0 * np.log1p(hz / 700.0)

    edges = np.linspace(mel(np.array(LOWEST_HZ)), mel(np.array(HIGHEST_HZ)), BANDS + 2)
    bins = mel(np.linspace(0.0, RATE_HZ / 2, FFT // 2 + 1))[
        1:, None
    ]  # the mean of the samples is in no band
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.pad(np.maximum(0.0, np.minimum(rising, falling)), ((1, 0), (0, 0))).astype(np.float32)
