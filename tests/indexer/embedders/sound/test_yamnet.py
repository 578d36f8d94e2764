import numpy as np
import pytest
import torch

from indexer.embedders.sound import yamnet
from indexer.embedders.sound.sound_classes import CLASSES, load_sound_classes
from indexer.embedders.sound.sound_embedder import WEIGHTS, hear
from indexer.embedders.sound.yamnet import Yamnet, log_mel, patch_count
from indexer.settings import load_settings
from tests.indexer.passages import sounds
from tests.indexer.passages.sounds import RATE_HZ, needs_espeak

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model() -> Yamnet:
    return Yamnet(WEIGHTS, CPU, torch.float32)


def best(probabilities: np.ndarray, count: int) -> list[str]:
    """Names of the likeliest classes over all patches."""
    names = load_sound_classes().names
    order = np.argsort(-probabilities.mean(0))
    return [names[column] for column in order[:count]]


def test_the_three_sounds_that_its_authors_check(model: Yamnet):
    """yamnet_test.py of TensorFlow's model garden asks for these among the first ten."""
    sine = np.sin(2 * np.pi * 440 * np.arange(3 * RATE_HZ) / RATE_HZ).astype(np.float32)
    noise = np.random.default_rng(51773).uniform(-1, 1, 3 * RATE_HZ).astype(np.float32)
    assert best(model.probabilities(sounds.silence(3)), 1) == ["Silence"]
    assert "Sine wave" in best(model.probabilities(sine), 10)
    assert "White noise" in best(model.probabilities(noise), 10)


@pytest.mark.parametrize(
    ("sound", "name"),
    [
        (sounds.siren(4), "Siren"),
        (sounds.dial_tone(4), "Dial tone"),
        (sounds.music(4), "Music"),
    ],
    ids=["siren", "dial tone", "music"],
)
def test_sounds_have_their_names(model: Yamnet, sound: np.ndarray, name: str):
    probabilities = model.probabilities(sound)
    assert name in best(probabilities, 4)
    assert probabilities.mean(0)[load_sound_classes().columns[name]] > 0.6


@needs_espeak
def test_speech_is_speech(model: Yamnet):
    assert best(model.probabilities(sounds.say(sounds.SENTENCES[0])), 1) == ["Speech"]


def test_patches_stand_each_for_their_part_of_the_sound(model: Yamnet):
    sound = np.concatenate([sounds.siren(1.5), sounds.dial_tone(1.5)])
    whole = model.probabilities(sound)
    assert whole.shape == (patch_count(len(sound)), CLASSES)
    for number in (0, 2, 4):
        first = number * round(yamnet.STEP_S * RATE_HZ)
        alone = model.probabilities(sound[first : first + 15_600])
        np.testing.assert_allclose(alone[0], whole[number], atol=1e-5)


def test_many_patches_are_what_few_are(model: Yamnet, monkeypatch: pytest.MonkeyPatch):
    sound = sounds.music(12)
    whole = model.probabilities(sound)
    monkeypatch.setattr(yamnet, "BATCH", 5)
    np.testing.assert_allclose(model.probabilities(sound), whole, atol=1e-5)


def test_half_precision_says_the_same():
    sound = np.concatenate([sounds.siren(2), sounds.silence(2), sounds.dial_tone(2)])
    exact = hear(load_settings(device="cpu", dtype="float32"), sound)
    rough = hear(load_settings(device="cpu", dtype="bfloat16"), sound)
    assert np.abs(exact - rough).max() < 0.15
    assert np.abs(exact - rough).mean() < 0.001
    np.testing.assert_array_equal(exact.argmax(1), rough.argmax(1))


def test_no_sound_has_no_patches(model: Yamnet):
    assert model.probabilities(np.empty(0, np.float32)).shape == (0, CLASSES)


# --- against the same written in numpy, step by step ---


def test_the_spectrogram_is_that_of_the_definition():
    samples = np.random.default_rng(0).normal(0, 0.1, 1200).astype(np.float32)
    found = log_mel(torch.from_numpy(samples)).numpy()
    assert found.shape == (6, 64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    edges = np.linspace(*(1127 * np.log(1 + np.array([125.0, 7500.0]) / 700)), 66)
    for row in (0, 3, 5):
        spectrum = np.abs(np.fft.fft(samples[row * 160 : row * 160 + 400] * window, 512))
        for band in (0, 20, 63):
            low, middle, high = edges[band : band + 3]
            total = 0.0
            for number in range(1, 257):
                at = 1127 * np.log(1 + number * 31.25 / 700)
                rises, falls = (at - low) / (middle - low), (high - at) / (high - middle)
                total += spectrum[number] * max(0.0, min(rises, falls))
            assert found[row, band] == pytest.approx(np.log(total + 0.001), abs=1e-3)


def test_the_first_layers_are_those_of_the_definition(model: Yamnet):
    patch = np.random.default_rng(1).normal(size=(96, 64))
    with torch.inference_mode():
        input_ = torch.from_numpy(patch[None, None].astype(np.float32))
        found = model.body[:3](input_)[0].numpy()
    with np.load(WEIGHTS) as stored:
        weights = {name: stored[name].astype(np.float64) for name in stored.files}

    def of(layer: int) -> tuple[np.ndarray, np.ndarray]:
        name = f"body.{layer}.convolution."
        return weights[name + "weight"], weights[name + "bias"]

    kernel, bias = of(0)
    padded = np.pad(patch, ((0, 1), (0, 1)))  # "same" with stride 2 on even sides
    x = np.empty((32, 48, 32))
    for row in range(48):
        for column in range(32):
            seen = padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            x[:, row, column] = (kernel[:, 0] * seen).sum((1, 2)) + bias
    x = np.maximum(x, 0)
    kernel, bias = of(1)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    y = np.zeros_like(x)
    for row in range(3):
        for column in range(3):
            y += (
                kernel[:, :1, row, column][:, :, None]
                * padded[:, row : row + 48, column : column + 32]
            )
    y = np.maximum(y + bias[:, None, None], 0)
    kernel, bias = of(2)
    z = np.einsum("oi,ihw->ohw", kernel[:, :, 0, 0], y) + bias[:, None, None]
    np.testing.assert_allclose(found, np.maximum(z, 0), rtol=1e-3, atol=1e-3)


def test_the_weights_are_small_and_whole():
    assert WEIGHTS.stat().st_size < 8_000_000
    with np.load(WEIGHTS) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype(np.float16)}
        assert all(np.isfinite(stored[name]).all() for name in stored.files)
