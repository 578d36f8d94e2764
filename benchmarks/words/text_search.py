"""What speech, screen text and pictures gain from each other: one collection of talks that are made
here and, with SEEKPOINT_TEST_DATA, of the real videos; every question asked of each kind alone and
of all together.

    SEEKPOINT_HOME=FOLDER python -m benchmarks.words.text_search

The home keeps the ingested collection `talks`, so that a second run only asks.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from indexer.library import Library
from indexer.settings import load_settings
from tests.indexer.talks import Part, make_talk

SENTENCES = (  # as they are spoken, asked in other words, asked in Chinese
    (
        "The harbour opens at seven in the morning.",
        "what time the port starts working",
        "港口早上几点开门",
    ),
    (
        "Two fishermen carry a heavy net along the pier.",
        "men hauling fishing gear on the dock",
        "渔民沿着码头搬渔网",
    ),
    (
        "Our sales grew by twelve percent in the last quarter.",
        "revenue increased compared to last quarter",
        "上个季度的销售增长",
    ),
    (
        "Please fasten your seat belts, we are about to land.",
        "the plane is going to touch down",
        "飞机马上要降落了",
    ),
    (
        "Add two eggs and a cup of flour, then stir.",
        "baking instructions",
        "加入两个鸡蛋和一杯面粉",
    ),
    (
        "The vaccine reduces the risk of severe infection.",
        "immunisation protects against disease",
        "疫苗降低感染风险",
    ),
    ("We decided to close the factory in spring.", "shutting down the plant", "我们决定关闭工厂"),
    ("The river floods the valley every year.", "annual inundation", "河水每年淹没山谷"),
    (
        "My grandmother taught me how to knit.",
        "learning handicraft from a relative",
        "奶奶教我织毛衣",
    ),
    (
        "The president resigned after the scandal.",
        "the head of state stepped down",
        "总统在丑闻后辞职",
    ),
    (
        "Solar panels turn sunlight into electricity.",
        "renewable energy from the sun",
        "太阳能板把阳光变成电",
    ),
    (
        "He scored the winning goal in the last minute.",
        "the decisive shot of the match",
        "他在最后一分钟进了球",
    ),
    (
        "The museum is closed on Mondays.",
        "which day one cannot visit the exhibition",
        "博物馆星期一关门",
    ),
    (
        "Turn left at the church and walk two hundred metres.",
        "directions on foot",
        "在教堂左转走两百米",
    ),
    (
        "Prices of houses have doubled since the year two thousand.",
        "property became more expensive",
        "房价翻了一倍",
    ),
    ("The volcano erupted without warning.", "a sudden eruption", "火山突然爆发"),
)
WRITTEN = (  # written, asked in other words
    ("Agenda for the board meeting", "what the directors are going to discuss"),
    ("Emergency exit to the left", "the way out in case of fire"),
    ("Doctor Anna Kowalski", "Kowalski"),
    ("Opening hours of the library", "when one can borrow books"),
    ("Thank you for your attention", "end of the presentation"),
    ("Temperature rises by two degrees", "global warming"),
    ("Flight 4711 to Lisbon is delayed", "the plane leaves late"),
    ("No smoking in this building", "cigarettes are forbidden"),
)
ABSENT = (
    "a lecture on Roman coins",
    "she says the cake is burning",
    "the sign reads beware of the dragon",
    "the mayor opens a tunnel",
)
COLOURS = ("black", "white", "gray", "red", "green", "blue", "yellow", "orange")
KINDS = ("picture", "speech", "screen")


def make_talks(folder: Path) -> list[dict]:
    """Eight talks of about 40 s with two sentences and a title each; the rows of their ground
    truth.
    """
    rows: list[dict] = []
    for number, (title, title_asked) in enumerate(WRITTEN):
        name = f"talk{number}.mp4"
        spoken = SENTENCES[2 * number : 2 * number + 2]
        parts = [
            Part(
                9,
                COLOURS[number],
                speech=spoken[0][0],
                voice=("en-us", "en-gb", "en-us+f3", "en-us+m3")[number % 4],
            ),
            Part(8, COLOURS[number], title=title),
            Part(
                9,
                COLOURS[(number + 3) % 8],
                speech=spoken[1][0],
                voice=("en-us+f3", "en-us", "en-us+m3", "en-gb")[number % 4],
            ),
            Part(6, COLOURS[number]),
        ]
        spans = make_talk(folder / name, parts) if not (folder / name).exists() else []
        spans = spans or json.loads((folder / f"{name}.json").read_text())
        spans = [
            [span.start_s, span.end_s] if not isinstance(span, list) else span for span in spans
        ]
        (folder / f"{name}.json").write_text(json.dumps(spans))
        for (text, other, chinese), span in zip(spoken, spans):
            rows.append(_row(name, f"someone says that {text.rstrip('.')}", span, "said"))
            rows.append(_row(name, other, span, "said, in other words"))
            rows.append(_row(name, chinese, span, "said, asked in Chinese"))
        rows.append(_row(name, f"the slide says {title}", [9.0, 17.0], "written"))
        rows.append(_row(name, title_asked, [9.0, 17.0], "written, in other words"))
    return rows + [_row("talk0.mp4", text, None, "absent") for text in ABSENT]


def _row(video: str, query: str, window: list[float] | None, kind: str) -> dict:
    return {
        "video": video,
        "query": query,
        "windows": [window] if window else [],
        "kind": kind,
        "scope": "moment",
    }


def main() -> int:
    """Ingests the talks once and evaluates each kind of evidence."""
    settings = load_settings()
    folder = settings.home_path / "talks"
    folder.mkdir(parents=True, exist_ok=True)
    rows = make_talks(folder)
    paths = [folder]
    if data := os.environ.get("SEEKPOINT_TEST_DATA"):
        paths.append(Path(data) / "natural")
        real = [
            json.loads(line)
            for line in (Path(data) / "ground_truth.jsonl").read_text().splitlines()
        ]
        rows += [{**row, "kind": "seen"} for row in real]
    truth = settings.home_path / "talks.jsonl"
    truth.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    library = Library(settings)
    report = library.ingest(paths, "talks")
    if report.video_s:
        print(
            f"ingested {report.video_s:.0f} s in {report.seconds:.0f} s: {report.speed:.1f} times "
            "real time"
        )
    for failure in report.failures:
        print(failure.error, file=sys.stderr)
    for only in (None, *([kind] for kind in KINDS)):
        measured = library.evaluate(truth, "talks", only=only)
        shown = {"all kinds of questions": measured.all, **measured.by_kind}
        print(f"\n{'together' if only is None else only[0] + ' alone'}")
        for name, metrics in shown.items():
            print(
                f"  {name:24}"
                + " ".join(
                    f"{metric} {metrics.get(metric) or 0:.3f}"
                    for metric in ("video_r1", "mrr", "moment_r1_iou50")
                )
            )
        print(f"  no_match_auroc {measured.all.get('no_match_auroc') or 0:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
