"""Questions in one language about what is spoken in another: the right sentence first, called a
match, and false alarms.

    python -m benchmarks.words.languages

Sixteen sentences of benchmarks.words.text_search in English, Spanish and German, each asked in
other words in English, Spanish and Chinese, among sixteen sentences about other things; and 24
questions in each language that nobody answers. The sentences are subtitles of drawn videos.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.support.measure import header, row
from benchmarks.words.passages import HARVARD
from benchmarks.words.text_search import SENTENCES
from indexer.library import Library
from indexer.settings import load_settings
from tests.support import colour_video

SPANISH = (
    "El puerto abre a las siete de la mañana.",
    "Dos pescadores llevan una red pesada por el muelle.",
    "Nuestras ventas crecieron un doce por ciento en el último trimestre.",
    "Abróchense los cinturones, estamos a punto de aterrizar.",
    "Añada dos huevos y una taza de harina, y remueva.",
    "La vacuna reduce el riesgo de una infección grave.",
    "Decidimos cerrar la fábrica en primavera.",
    "El río inunda el valle cada año.",
    "Mi abuela me enseñó a tejer.",
    "El presidente dimitió tras el escándalo.",
    "Los paneles solares convierten la luz del sol en electricidad.",
    "Marcó el gol de la victoria en el último minuto.",
    "El museo cierra los lunes.",
    "Gire a la izquierda en la iglesia y camine doscientos metros.",
    "Los precios de las casas se han duplicado desde el año dos mil.",
    "El volcán entró en erupción sin previo aviso.",
)
GERMAN = (
    "Der Hafen öffnet um sieben Uhr morgens.",
    "Zwei Fischer tragen ein schweres Netz über den Pier.",
    "Unser Umsatz wuchs im letzten Quartal um zwölf Prozent.",
    "Bitte schnallen Sie sich an, wir landen gleich.",
    "Geben Sie zwei Eier und eine Tasse Mehl dazu und rühren Sie um.",
    "Die Impfung senkt das Risiko einer schweren Infektion.",
    "Wir haben beschlossen, die Fabrik im Frühling zu schließen.",
    "Der Fluss überschwemmt jedes Jahr das Tal.",
    "Meine Großmutter brachte mir das Stricken bei.",
    "Der Präsident trat nach dem Skandal zurück.",
    "Solarzellen verwandeln Sonnenlicht in Strom.",
    "Er schoss das Siegtor in der letzten Minute.",
    "Das Museum ist montags geschlossen.",
    "Biegen Sie an der Kirche links ab und gehen Sie zweihundert Meter.",
    "Die Hauspreise haben sich seit dem Jahr zweitausend verdoppelt.",
    "Der Vulkan brach ohne Vorwarnung aus.",
)
ASKED_IN_SPANISH = (
    "a qué hora empieza a trabajar el puerto",
    "hombres arrastrando aparejos de pesca en el muelle",
    "los ingresos aumentaron respecto al trimestre anterior",
    "el avión va a tomar tierra",
    "instrucciones para hacer un pastel",
    "la inmunización protege contra la enfermedad",
    "cierre de la planta",
    "inundación anual",
    "aprender artesanía de un familiar",
    "el jefe de estado renunció",
    "energía renovable del sol",
    "el tiro decisivo del partido",
    "qué día no se puede visitar la exposición",
    "indicaciones para ir a pie",
    "la propiedad se volvió más cara",
    "una erupción repentina",
)
OTHER_SPANISH = (
    "Buenos días a todos y bienvenidos.",
    "Hoy vamos a hablar de la historia de la ciudad.",
    "El tren sale del andén número cinco.",
    "Necesitamos más voluntarios para el sábado.",
    "La reunión empieza después de comer.",
    "El perro ladra toda la noche.",
    "Compramos pan y queso en el mercado.",
    "Mañana lloverá en el norte.",
    "Gracias por su atención.",
    "El médico recomienda descansar.",
    "Los niños juegan en el patio.",
    "Perdimos las llaves en la playa.",
    "La película dura dos horas.",
    "El coche no arranca cuando hace frío.",
    "Escuchamos música antes de dormir.",
    "El examen fue muy difícil.",
)
ABSENT = (
    "a lecture on Roman coins",
    "the cake is burning",
    "beware of the dragon",
    "the mayor opens a tunnel",
    "a chess tournament",
    "how to repair a bicycle",
    "the birth of a panda",
    "tax law for beginners",
    "a wedding on the beach",
    "choosing a mobile phone",
    "the orchestra tunes up",
    "mining for gold",
    "how bees make honey",
    "a bank robbery",
    "painting the kitchen",
    "training for a marathon",
    "a lawyer questions the witness",
    "assembling a wardrobe",
    "the spaceship docks",
    "a ghost story",
    "how to tie a tie",
    "the price of oil",
    "penguins in Antarctica",
    "a debate about the death penalty",
)
ABSENT_IN_SPANISH = (
    "una conferencia sobre monedas romanas",
    "el pastel se está quemando",
    "cuidado con el dragón",
    "el alcalde inaugura un túnel",
    "un torneo de ajedrez",
    "cómo reparar una bicicleta",
    "el nacimiento de un panda",
    "derecho fiscal para principiantes",
    "una boda en la playa",
    "elegir un teléfono móvil",
    "la orquesta afina los instrumentos",
    "buscar oro en una mina",
    "cómo hacen miel las abejas",
    "un atraco a un banco",
    "pintar la cocina",
    "entrenar para un maratón",
    "el abogado interroga al testigo",
    "montar un armario",
    "la nave espacial se acopla",
    "una historia de fantasmas",
    "cómo hacer el nudo de la corbata",
    "el precio del petróleo",
    "pingüinos en la Antártida",
    "un debate sobre la pena de muerte",
)
ABSENT_IN_CHINESE = (
    "关于罗马硬币的讲座",
    "蛋糕烤焦了",
    "小心恶龙",
    "市长为隧道剪彩",
    "国际象棋比赛",
    "怎样修自行车",
    "熊猫出生",
    "税法入门",
    "海滩上的婚礼",
    "挑选手机",
    "乐队在调音",
    "开采黄金",
    "蜜蜂怎样酿蜜",
    "抢劫银行",
    "粉刷厨房",
    "马拉松训练",
    "律师盘问证人",
    "组装衣柜",
    "飞船对接",
    "鬼故事",
    "怎样打领带",
    "石油价格",
    "南极的企鹅",
    "关于死刑的辩论",
)
ENGLISH = tuple(english for english, _, _ in SENTENCES)
QUESTIONS = {
    "English": (tuple(asked for _, asked, _ in SENTENCES), ABSENT),
    "Spanish": (ASKED_IN_SPANISH, ABSENT_IN_SPANISH),
    "Chinese": (tuple(asked for _, _, asked in SENTENCES), ABSENT_IN_CHINESE),
}
LIBRARIES = {
    "English": (ENGLISH, HARVARD),
    "Spanish": (SPANISH, OTHER_SPANISH),
    "Spanish among English": (SPANISH, HARVARD),
    "English among Spanish": (ENGLISH, OTHER_SPANISH),
    "German among English": (GERMAN, HARVARD),
}
EACH_S = 3


def make_library(folder: Path, sentences: tuple[str, ...]) -> Library:
    """One video; sentence n is spoken from `EACH_S` * n on."""
    video = colour_video(folder / "media" / "spoken.mp4", [("blue", EACH_S * len(sentences))])
    lines = [
        f"{n + 1}\n{_time(EACH_S * n)} --> {_time(EACH_S * n + 2)}\n{text}\n"
        for n, text in enumerate(sentences)
    ]
    video.with_suffix(".srt").write_text("\n".join(lines))
    library = Library(
        load_settings(
            home=folder / "home", embedder="demo", speech=True, screen_text=False, sound=False
        )
    )
    library.ingest([video])
    return library


def _time(seconds: int) -> str:
    return f"00:{seconds // 60:02}:{seconds % 60:02},000"


def ask(library: Library, questions: tuple[str, ...], absent: tuple[str, ...]) -> str:
    """How many answers are right, and how many absent ones are called a match."""
    first = matched = 0
    for number, question in enumerate(questions):
        answer = library.search(question, only=["speech"])
        is_first = (
            bool(answer.moments) and abs(answer.moments[0].span.start_s - EACH_S * number) < 1
        )
        first += is_first
        matched += is_first and answer.matched
    false = sum(library.search(question, only=["speech"]).matched for question in absent)
    return (
        f"{first / len(questions):.2f} first, {matched / len(questions):.2f} called a match, "
        f"{false} of {len(absent)} false alarms"
    )


def main() -> None:
    """Each language about each."""
    header("Questions across languages")
    for spoken, sentences in LIBRARIES.items():
        with tempfile.TemporaryDirectory() as folder:
            library = make_library(Path(folder), sum(sentences, ()))
            for language, (questions, absent) in QUESTIONS.items():
                row(f"{spoken}, asked in {language}", ask(library, questions, absent))


if __name__ == "__main__":
    main()
