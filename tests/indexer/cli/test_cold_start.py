"""What a fresh process imports: `--help` next to nothing, a search nothing heavy that it does not
compute with.
"""

import subprocess
import sys

import pytest
from typer.main import get_command

from indexer.cli import Commands, app
from indexer.cli.lazy_group import read_help


def modules_after(code: str) -> set[str]:
    """Names of the packages that are loaded after the code ran in a fresh process."""
    listing = "import sys; print('\\n'.join(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{listing}"], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


HELP = """
import sys
sys.argv = ["seekpoint", "--help"]
from indexer.cli import main
try:
    main()
except SystemExit:
    pass
"""


def test_help_loads_no_library():
    loaded = modules_after(HELP)
    assert "indexer.cli" in loaded
    assert not loaded & {"numpy", "sqlalchemy", "pydantic", "indexer.library", "torch", "streamlit"}


def test_the_library_loads_nothing_heavy():
    loaded = modules_after("from indexer.library import Library")
    heavy = {
        "torch",
        "transformers",
        "faiss",
        "av",
        "alembic",
        "streamlit",
        "onnxruntime",
        "celery",
        "PIL",
        "sqlalchemy.dialects.postgresql",
    }
    assert not loaded & heavy


def test_a_question_is_embedded_without_torch():
    loaded = modules_after(
        "from indexer.embedders.registry import load_embedder\n"
        "from indexer.settings import Settings\n"
        "load_embedder(Settings(embedder='lite')).embed_texts(['a dog', '一只狗'])"
    )
    assert "indexer.embedders.text.multilingual" in loaded
    assert not loaded & {"torch", "transformers", "efficientnet_lite_pytorch", "onnxruntime"}


@pytest.mark.parametrize("name", Commands.places)
def test_the_list_of_commands_says_what_each_command_says(name):
    command = get_command(app).commands[name]
    assert command.name == name
    assert command.help == read_help(Commands.places[name])
