"""The grounder that the settings name."""

from __future__ import annotations

from importlib.util import find_spec

from indexer import grounder
from indexer.errors import ModelError
from indexer.grounder.base import Grounder
from indexer.grounder.lego import lego_key, load_lego, require_lego
from indexer.settings import Settings


def load_grounder(settings: Settings) -> Grounder:
    """Loaded once per process. Raises ModelError where none is configured, or it fails."""
    require_grounder(settings)
    kind = settings.grounder_kind
    if kind == "lego":
        return load_lego(settings)
    if kind == "endpoint":
        return grounder.endpoint.load_endpoint(settings)
    return grounder.qwen.load_qwen(settings)


def require_grounder(settings: Settings) -> None:
    """Raises ModelError that says what is missing and where it goes; nothing is loaded, no
    endpoint is asked.
    """
    kind = settings.grounder_kind
    if kind == "lego":
        require_lego(settings)
    elif kind == "endpoint":
        _require_packages()
        grounder.endpoint.require_endpoint(settings)
    elif kind == "transformers":
        grounder.qwen.require_qwen(settings)
    else:
        raise ModelError(
            "no grounder is configured",
            "set SEEKPOINT_GROUNDER_URL and SEEKPOINT_GROUNDER_MODEL to a vision-language model "
            "behind an OpenAI-compatible server, or SEEKPOINT_LEGO_PATH to a LEGO checkpoint "
            "(docs/guides/grounding-models.md); everything else works without",
        )


def _require_packages() -> None:
    for name in ("httpx2", "tenacity"):
        if find_spec(name) is None:
            raise ModelError(
                "asking an endpoint needs the package {name!r}",
                "install it: pip install 'seekpoint[vlm]'",
                name=name,
            )


def check_grounder(settings: Settings) -> None:
    """As `require_grounder`; an endpoint is also asked whether it serves the model."""
    require_grounder(settings)
    if settings.grounder_kind == "endpoint":
        grounder.endpoint.check_endpoint(settings)


def grounder_key(settings: Settings) -> str:
    """Identity of the model and of how it is asked, without loading it: events of another are
    made again. Raises ModelError.
    """
    require_grounder(settings)
    kind = settings.grounder_kind
    if kind == "lego":
        return lego_key(settings)
    if kind == "endpoint":
        return grounder.endpoint.endpoint_key(settings)
    return grounder.qwen.qwen_key(settings)


def grounder_name(settings: Settings) -> str:
    """As people know the configured grounder."""
    if settings.grounder_kind == "lego":
        return "LEGO"
    return settings.grounder_model.rstrip("/").rsplit("/", 1)[-1]
