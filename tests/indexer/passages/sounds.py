"""Sounds for tests: speech by espeak-ng, noise, music. All (N,) float32 at 16 kHz."""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from functools import lru_cache

import numpy as np
import pytest

RATE_HZ = 16_000
SENTENCES = (
    "The boy was there when the sun rose.",
    "The juice of lemons makes fine punch.",
    "Help the woman get back to her feet.",
    "A child watches the lighthouse while the storm passes over the island.",
    "The hogs were fed chopped corn and garbage.",
    "Two fishermen carry a heavy net along the pier.",
)
CHINESE = (
    "今天天气很好，我们去公园散步。",
    "昨天晚上我看了一部电影，很有意思。",
    "老师让学生把作业写完再回家。",
    "这条河从山上一直流到大海。",
)

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None,
    reason="espeak-ng is not installed (apt-get install espeak-ng)",
)


@lru_cache(maxsize=256)
def say(text: str, voice: str = "en-us", words_per_minute: int = 160) -> np.ndarray:
    command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "--stdout", text]
    data = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    with wave.open(io.BytesIO(data)) as sound:
        rate_hz = sound.getframerate()
    samples = (
        np.frombuffer(data[44:], np.int16).astype(np.float32) / 32768
    )  # espeak-ng does not fill in the length
    at = np.arange(int(len(samples) * RATE_HZ / rate_hz)) * rate_hz / RATE_HZ
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def place(length_s: float, *sounds: tuple[float, np.ndarray]) -> np.ndarray:
    """Each sound from its time on, over silence."""
    whole = np.zeros(round(length_s * RATE_HZ), np.float32)
    for at_s, sound in sounds:
        at = round(at_s * RATE_HZ)
        whole[at : at + len(sound)] += sound[: len(whole) - at]
    return whole


def in_turn(
    texts: tuple[str, ...], voice: str, gap_s: float = 0.6
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """The texts one after the other, and when each is said."""
    pieces, spans, at_s = [], [], gap_s
    for text in texts:
        sound = say(text, voice)
        pieces.append((at_s, sound))
        spans.append((at_s, at_s + len(sound) / RATE_HZ))
        at_s += len(sound) / RATE_HZ + gap_s
    return place(at_s, *pieces), spans


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def white_noise(seconds: float, level: float = 0.05) -> np.ndarray:
    return (level * np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ))).astype(
        np.float32
    )


def pink_noise(seconds: float, level: float = 0.05) -> np.ndarray:
    spectrum = np.fft.rfft(white_noise(seconds, 1.0))
    sound = np.fft.irfft(
        spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), round(seconds * RATE_HZ)
    )
    return (level * sound / sound.std()).astype(np.float32)


def music(seconds: float, *, drums: bool = False) -> np.ndarray:
    """Chords struck twice a second, with or without a drum."""
    random = np.random.default_rng(2)
    whole = silence(seconds)
    t = np.arange(RATE_HZ) / RATE_HZ
    for beat in range(int(seconds * 2) - 2):
        chord = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 3, 7))[beat // 4 % 4]
        tones = [
            np.sin(2 * np.pi * 220 * 2 ** (note / 12) * harmonic * t) / harmonic
            for note in chord
            for harmonic in (1, 2, 3)
        ]
        sound = np.sum(tones, axis=0) * np.exp(-3 * t)
        if drums:
            sound += 2 * np.exp(-30 * t) * random.standard_normal(len(t))
        at = beat * RATE_HZ // 2
        whole[at : at + RATE_HZ] += sound
    return (0.5 * whole / np.abs(whole).max()).astype(np.float32)


def siren(seconds: float) -> np.ndarray:
    """A tone with overtones that rises again and again."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    turns = np.cumsum(800 + 500 * (t * 0.7 % 1)) / RATE_HZ
    tones = [np.sin(2 * np.pi * number * turns) / number for number in range(1, 7)]
    return (0.3 * np.sum(tones, axis=0)).astype(np.float32)


def dial_tone(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.3 * (np.sin(2 * np.pi * 350 * t) + np.sin(2 * np.pi * 440 * t))).astype(np.float32)


def spoken_words(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalpha() or c == " ").split()


def word_error_rate(heard: str, spoken: str) -> float:
    from rapidfuzz.distance import Levenshtein

    wanted = spoken_words(spoken)
    return Levenshtein.distance(spoken_words(heard), wanted) / len(wanted)
