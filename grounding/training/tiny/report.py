"""What a demo reached, as a table and as a picture of losses and scores over the steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from grounding.training.plot import read_losses

KINDS = {"spans": "events in time", "boxes": "things in a picture", "sources": "source of a sound"}


def as_text(report: Mapping[str, Any]) -> str:
    """A Markdown table: IoU of at least .5 after each stage; then the baselines and the seconds."""
    steps = report["steps"]
    asked = [steps[f"asked{stage}"]["result"] for stage in (1, 2, 3)]
    lines = ["| IoU >= .5 | questions | stage 1 | stage 2 | stage 3 |", "|---|---|---|---|---|"]
    for key, words in KINDS.items():
        lines.append(
            f"| {words} | {asked[-1][key + '_asked']} | "
            + " | ".join(f"{scores[key]:.3f}" for scores in asked)
            + " |"
        )
    constant, shuffled = report["constant"], steps["shuffled"]["result"]
    lines += ["", f"Frames shuffled: {shuffled['spans']:.3f} of {shuffled['spans_asked']}."]
    lines += [
        f"Best constant span {constant['span']}: {constant['training']:.3f} of the training "
        f"answers, {constant['test']:.3f} here.",
        "",
    ]
    lines += ["| step | seconds by the clock | of processors |", "|---|---|---|"]
    lines += [
        f"| {name} | {step['clock_s']} | {step['processor_s']} |" for name, step in steps.items()
    ]
    lines += [
        "",
        *(
            f"{name}: {described['text']} ({described['file']})"
            for name, described in asked[-1]["descriptions"].items()
        ),
    ]
    return "\n".join(lines)


def plot_curves(folder: Path, report: Mapping[str, Any], picture: Path) -> None:
    """Losses of the three stages one after another, and the scores measured on the way."""
    figure = Figure(figsize=(8, 7))
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    first, scores = 0, []
    for stage in (1, 2, 3):
        losses = read_losses(folder / f"stage{stage}" / "log.jsonl")
        above.plot([first + step for step in losses], list(losses.values()), label=f"stage {stage}")
        on_the_way = report["steps"].get("way", {}).get("result", {}) if stage == 2 else {}
        scores += [
            (first + int(step), own) for step, own in on_the_way.items() if int(step) < max(losses)
        ]
        first += max(losses, default=0)
        scores.append((first, report["steps"][f"asked{stage}"]["result"]))
    for key, words in KINDS.items():
        below.plot(
            [step for step, _ in scores], [own[key] for _, own in scores], marker="o", label=words
        )
    below.axhline(
        report["constant"]["test"], color="grey", linestyle=":", label="best constant span"
    )
    above.set(ylabel="loss")
    below.set(xlabel="step", ylabel="share with IoU >= .5", ylim=(0, 1))
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(picture, dpi=120, bbox_inches="tight")
