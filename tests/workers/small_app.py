"""A Celery application with our logs and metrics and two small tasks; its broker is a folder."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from celery import Celery

from indexer.logs import about
from workers import logs, metrics

folder = Path(os.environ["SMALL_APP_FOLDER"])
folder.mkdir(exist_ok=True)
app = Celery("small", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(folder),
    "data_folder_out": str(folder),
    "control_folder": str(folder / "control"),
}
app.conf.task_ignore_result = True
logs.install(app)
metrics.install(app)


@app.task
def chunk(video: int) -> None:
    with about(video=video):
        logging.getLogger("workers.tasks").info("chunk done")


@app.task
def poison() -> None:
    raise ValueError("no video")
