"""Voices: what things of each colour sound like, in a rhythm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grounding.synthetic.world import VOICES

RATE_HZ = 16_000
LENGTH_S = 3.0
BEATS_HZ = {"steady": 0.0, "slow": 1.5, "fast": 5.0}


@dataclass(frozen=True, slots=True)
class Tone:
    """A voice in a rhythm, which the seed decides in all else."""

    colour: str
    """Whose voice it is."""
    rhythm: str
    seed: int

    @property
    def voice(self) -> str:
        """The name of what is heard."""
        return VOICES[self.colour]

    def samples(self) -> np.ndarray:
        """`(N,) float32` in [-1, 1], mono, 16 kHz."""
        random = np.random.default_rng(self.seed)
        time = np.arange(int(LENGTH_S * RATE_HZ)) / RATE_HZ
        wave = _wave(self.voice, time, random.uniform(0.88, 1.14), random)
        beat = BEATS_HZ[self.rhythm]
        gate = (
            np.ones_like(time)
            if not beat
            else ((time * beat + random.uniform()) % 1 < 0.5).astype(float)
        )
        noise = random.normal(0, 10 ** random.uniform(-3.3, -2.3), len(time))
        return np.clip(wave * gate * random.uniform(0.3, 0.7) + noise, -1, 1).astype(np.float32)


def _wave(voice: str, time: np.ndarray, pitch: float, random: np.random.Generator) -> np.ndarray:
    if voice in ("hiss", "rumble"):
        return _noise(len(time), (2500, 7500) if voice == "hiss" else (30, 300), random)
    if voice == "click":
        return ((time * 24 * pitch) % 1 < 0.02) * random.choice([-1.0, 1.0], len(time))
    if voice == "buzz":
        return np.sign(np.sin(2 * np.pi * 150 * pitch * time)) * 0.5
    hertz = {
        "hum": 220.0 + 0 * time,
        "whistle": 2400.0 + 0 * time,
        "chirp": 600 + 2400 * ((time * 6) % 1),
        "siren": 900 + 400 * np.sin(2 * np.pi * 1.3 * time),
    }[voice]
    return np.sin(2 * np.pi * np.cumsum(hertz * pitch) / RATE_HZ)


def _noise(count: int, band_hz: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(random.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    wave = np.fft.irfft(spectrum * ((hertz >= band_hz[0]) & (hertz < band_hz[1])), count)
    return wave / np.abs(wave).max()
