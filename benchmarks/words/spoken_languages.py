"""The multilingual speech model beside the small English one: which language is told, word error
rate, cost.

    python -m benchmarks.words.spoken_languages [VIDEO...]

Eight sentences in each of six languages, spoken by espeak-ng, whose voices are harder to understand
than people. Of videos that are named: the language, the first words that each model writes, and
how many words they write otherwise, as the word error rate of the one by the other. Nobody wrote
down what is said in them, so that says how far they agree and not which is right.
Costs are CPU seconds of all threads. Needs the extras speech and speech-multilingual.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.support.measure import header, row
from benchmarks.words.languages import GERMAN, SPANISH
from benchmarks.words.text_search import SENTENCES
from indexer.media.decode.audio import read_audio
from indexer.media.probe import probe
from indexer.passages.speech.language import LanguageChoice, choose_language, language_windows
from indexer.passages.speech.recognition import SpeechModel, load_speech_model
from indexer.settings import load_settings
from tests.indexer.passages.sounds import RATE_HZ, in_turn, word_error_rate

FRENCH = (
    "Le port ouvre à sept heures du matin.",
    "Deux pêcheurs portent un lourd filet le long du quai.",
    "Nos ventes ont augmenté de douze pour cent au dernier trimestre.",
    "Attachez vos ceintures, nous allons atterrir.",
    "Ajoutez deux œufs et une tasse de farine, puis remuez.",
    "Le vaccin réduit le risque d'une infection grave.",
    "La rivière inonde la vallée chaque année.",
    "Ma grand-mère m'a appris à tricoter.",
)
ITALIAN = (
    "Il porto apre alle sette di mattina.",
    "Due pescatori portano una rete pesante lungo il molo.",
    "Le nostre vendite sono cresciute del dodici per cento nell'ultimo trimestre.",
    "Allacciate le cinture, stiamo per atterrare.",
    "Aggiungete due uova e una tazza di farina e mescolate.",
    "Il vaccino riduce il rischio di un'infezione grave.",
    "Il fiume inonda la valle ogni anno.",
    "Mia nonna mi ha insegnato a lavorare a maglia.",
)
POLISH = (
    "Port otwiera się o siódmej rano.",
    "Dwóch rybaków niesie ciężką sieć wzdłuż molo.",
    "Nasza sprzedaż wzrosła o dwanaście procent w ostatnim kwartale.",
    "Proszę zapiąć pasy, zaraz lądujemy.",
    "Dodaj dwa jajka i szklankę mąki, a potem wymieszaj.",
    "Szczepionka zmniejsza ryzyko ciężkiej infekcji.",
    "Rzeka zalewa dolinę każdego roku.",
    "Babcia nauczyła mnie robić na drutach.",
)
VOICES = (
    ("en", "en-us", tuple(spoken for spoken, *_ in SENTENCES[:8])),
    ("de", "de", GERMAN[:8]),
    ("es", "es", SPANISH[:8]),
    ("fr", "fr", FRENCH),
    ("it", "it", ITALIAN),
    ("pl", "pl", POLISH),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        large = load_speech_model(load_settings(home=Path(home), speech_model="multilingual"))
        small = load_speech_model(load_settings())
        header("Speech in six languages by espeak-ng")
        for code, voice, texts in VOICES:
            of_language(large, small, code, voice, texts)
        texts = [of_video(large, small, Path(path)) for path in sys.argv[1:]]
        if any(other for _, other in texts):
            both = [" ".join(parts) for parts in zip(*texts, strict=True)]
            print(f"\nall videos: {word_error_rate(*both):.2f} of the words are written otherwise")


def of_language(
    large: SpeechModel, small: SpeechModel, code: str, voice: str, texts: tuple[str, ...]
) -> None:
    samples, _ = in_turn(texts, voice)
    seconds = len(samples) / RATE_HZ
    half = len(samples) // 2
    spoken = large.spoken_language([samples[:half], samples[half:]])
    found = f"{spoken.code} {spoken.probability:.2f}" if spoken else "none"
    known = LanguageChoice(code, is_sure=True)
    words_spoken, (text, cpu_s) = " ".join(texts), written(large, samples, known)
    error = word_error_rate(text, words_spoken)
    line = f"told as {found}; error {error:.2f}, {cpu_s / seconds:.3f} CPU s per s"
    if code == "en":
        text, cpu_s = written(small, samples, None)
        line += (
            f"; the English one {word_error_rate(text, words_spoken):.2f}, {cpu_s / seconds:.3f}"
        )
    row(code, line)


def of_video(large: SpeechModel, small: SpeechModel, path: Path) -> tuple[str, str]:
    """What the large and the small model write of its first minute."""
    duration_s = probe(path).duration_s
    windows = [
        read_audio(path, item.start_s, item.end_s)[0] for item in language_windows(duration_s)
    ]
    spoken = large.spoken_language(windows)
    samples, _ = read_audio(path, 0.0, min(duration_s, 60.0))
    text, cpu_s = written(large, samples, choose_language(spoken, ""))
    other, other_s = written(small, samples, None)
    seconds = len(samples) / RATE_HZ
    print(f"\n{path.name}: {spoken}\n  {cpu_s / seconds:.3f} CPU s per s: {text[:300]}")
    print(f"  {other_s / seconds:.3f}, the English one: {other[:300]}")
    if other:
        print(f"  {word_error_rate(text, other):.2f} of the words are written otherwise")
    return text, other


def written(model: SpeechModel, samples, language: LanguageChoice | None) -> tuple[str, float]:
    started = time.process_time()
    passages = model.transcribe(samples, 0.0, language)
    return " ".join(passage.text for passage in passages), time.process_time() - started


if __name__ == "__main__":
    main()
