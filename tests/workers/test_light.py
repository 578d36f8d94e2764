"""The parent of the workers stays light: what computes is loaded in its children, when they need
it.
"""

from __future__ import annotations

import subprocess
import sys

from tests.support import demo_environment

CODE = """
import sys, workers.tasks, workers.serve
from indexer.settings import Settings

for name in ("demo", "lite", "clip"):
    workers.serve.check_models(Settings(embedder=name), ["picture"])
heavy = {"torch", "faiss", "transformers", "onnxruntime", "ctranslate2", "av", "streamlit"}
print(sorted(heavy & set(sys.modules)))
from workers.app import app

print(sorted(name for name in app.tasks if name.startswith("workers.")))
"""


def test_importing_the_tasks_loads_nothing_heavy(tmp_path):
    environment = demo_environment(tmp_path, BROKER_URL="redis://127.0.0.1:1/0")
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    heavy, tasks = done.stdout.splitlines()
    assert heavy == "[]"
    kinds = (
        "artefacts",
        "events",
        "ground",
        "picture",
        "plan",
        "proxy",
        "publish",
        "reap",
        "screen",
        "sound",
        "speech",
    )
    assert tasks == str([f"workers.tasks.{kind}" for kind in kinds])
