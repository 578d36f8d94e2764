"""The loss of a run as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def plot_losses(log_file: Path, picture: Path) -> None:
    """`log_file` holds a JSON object a line with `step` and `loss`; steps that a resumed run took
    again count once, the last time.
    """
    losses = read_losses(log_file)
    figure = Figure(figsize=(7, 4))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(list(losses), list(losses.values()))
    axes.set(
        xlabel="step", ylabel="loss", title=log_file.parent.name.encode(errors="replace").decode()
    )
    axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=120)


def read_losses(log_file: Path) -> dict[int, float]:
    """Step -> loss; a line that was cut off is left out."""
    lines = (
        log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        if log_file.exists()
        else []
    )
    losses = {}
    for line in lines:
        try:
            row = json.loads(line)
            if "loss" in row:
                losses[int(row["step"])] = float(row["loss"])
        except (ValueError, TypeError, KeyError):
            continue
    return dict(sorted(losses.items()))
