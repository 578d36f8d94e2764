"""A sound as ImageBind reads it: three clips of two seconds, each a log mel spectrogram of 128
bands every 10 ms.

The filter bank is Kaldi's (htk-compatible mel scale, Hann window, 25 ms frames, pre-emphasis .97,
no dither), which ImageBind uses by way of torchaudio; mean and deviation are AudioSet's. Clip
positions are those of pytorchvideo 0.1.5.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from grounding.errors import MediaError

RATE_HZ = 16_000
CLIPS = 3
CLIP_S = 2
FRAME_SAMPLES = 400
STEP_SAMPLES = 160
FFT_SIZE = 512
PRE_EMPHASIS = 0.97
LOW_HZ = 20.0
MEAN, DEVIATION = -4.268, 9.138
"""Of AudioSet's log mel energies, as ImageBind has them."""
FLOOR = float(np.finfo(np.float32).eps)


def clip_starts_s(samples: int) -> list[Fraction]:
    """Starts of the clips in a sound of that many samples. They step by (duration - 2) / 3, so a
    long sound's end is not heard.
    """
    rest_s = max(Fraction(samples / RATE_HZ) - CLIP_S, Fraction(0))
    return [rest_s / CLIPS * i for i in range(CLIPS)]


def sound_tensor(samples: np.ndarray, mels: int = 128, frames: int = 204) -> Tensor:
    """`(N,)` float in [-1, 1] at 16 kHz, mono -> `(3, 1, mels, frames)` float32."""
    if (
        samples.ndim != 1
        or not np.issubdtype(samples.dtype, np.floating)
        or len(samples) < FRAME_SAMPLES
    ):
        raise MediaError(
            "a sound has the shape {samples_shape} and dtype {samples_dtype}; "
            "expected {frame_samples} or more floats, mono, 16 kHz",
            samples_shape=samples.shape,
            samples_dtype=samples.dtype,
            frame_samples=FRAME_SAMPLES,
        )
    wave = torch.from_numpy(samples.astype(np.float32))  # a copy: the mean is taken off in place
    return torch.stack([_clip(wave, start_s, mels, frames) for start_s in clip_starts_s(len(wave))])


def _clip(wave: Tensor, start_s: Fraction, mels: int, frames: int) -> Tensor:
    part = wave[int(start_s * RATE_HZ) : int((start_s + CLIP_S) * RATE_HZ)]
    # in place as in the public code, so that overlapping clips see samples that were shifted before
    part -= part.mean()
    levels = log_mels(part, mels)[:, :frames]
    padded = torch.zeros(mels, frames)
    padded[:, : levels.shape[1]] = levels
    return ((padded - MEAN) / DEVIATION)[None]


def log_mels(wave: Tensor, mels: int) -> Tensor:
    """`(N,)` -> `(mels, 1 + (N - 400) // 160)`: Kaldi's log mel energies."""
    windows = wave.unfold(0, FRAME_SAMPLES, STEP_SAMPLES)
    windows = windows - windows.mean(dim=1, keepdim=True)
    before = torch.cat([windows[:, :1], windows[:, :-1]], dim=1)
    shaped = (windows - PRE_EMPHASIS * before) * torch.hann_window(FRAME_SAMPLES, periodic=False)
    power = torch.fft.rfft(shaped, n=FFT_SIZE).abs().pow(2)  # (frames, 257)
    return (power @ mel_filters(mels).T).clamp(min=FLOOR).log().T


def mel_filters(mels: int) -> Tensor:
    """`(mels, 257)` triangles, evenly spaced on the mel scale 1127 ln(1 + f / 700) between 20 Hz
    and 8 kHz; none reaches the last bin.
    """
    low, high = (1127.0 * math.log(1.0 + hz / 700.0) for hz in (LOW_HZ, RATE_HZ / 2))
    step = (high - low) / (mels + 1)
    # in float32 and from rounded corners, as Kaldi's port to torch: the last digits show in quiet
    # bands
    left, centre, right = (
        low + (torch.arange(mels)[:, None] + corner) * step for corner in (0.0, 1.0, 2.0)
    )
    bins = 1127.0 * (1.0 + torch.arange(FFT_SIZE // 2) * (RATE_HZ / FFT_SIZE) / 700.0).log()
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return torch.nn.functional.pad(triangles, (0, 1))
