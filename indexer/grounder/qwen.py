"""A Qwen3-VL kind (Qwen3-VL, TimeLens) as grounder, loaded by this process from a folder or a hub
id.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer import grounder
from indexer.embedders.identity import make_key
from indexer.embedders.model_folder import (
    ModelKind,
    find_folder,
    local_folder,
    model_files,
    read_config,
)
from indexer.errors import ModelError
from indexer.grounder import tasks
from indexer.grounder.base import FrameBudget
from indexer.grounder.chat import ChatGrounder
from indexer.process.load_once import load_once
from indexer.settings import Settings

QWEN3_VL = ModelKind(
    name="Qwen3-VL",
    default="TencentARC/TimeLens-8B",
    model_types=frozenset({"qwen3_vl", "qwen3_vl_moe"}),
    setting="SEEKPOINT_GROUNDER_MODEL",
)
RATE_HZ = 2.0  # what TimeLens was trained with


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A checkpoint, what it is shown, and the settings that it is loaded by; two are equal where it
    would be the same.
    """

    frames: FrameBudget
    settings: Settings = field(compare=False)
    way: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        s = self.settings
        object.__setattr__(self, "way", (s.grounder_model, s.torch_device, s.dtype))


def load_qwen(settings: Settings) -> ChatGrounder:
    """Once per process and checkpoint. Raises ModelError where there is none, or it fails."""
    require_qwen(settings)
    frames = FrameBudget(settings.grounder_frames, settings.grounder_frame_side, RATE_HZ)
    return _load(_Wanted(frames, settings))


@load_once
def _load(wanted: _Wanted) -> ChatGrounder:
    folder = find_folder(wanted.settings.grounder_model, QWEN3_VL)
    return ChatGrounder(grounder.qwen_model.QwenModel(folder, wanted.frames, wanted.settings))


def require_qwen(settings: Settings) -> None:
    """Raises ModelError where the folder that the settings name holds no such model; nothing is
    loaded, no hub is asked.
    """
    if not settings.grounder_model:
        raise ModelError(
            "the grounder needs the folder or hub id of a Qwen3-VL kind",
            "set SEEKPOINT_GROUNDER_MODEL to it, such as TencentARC/TimeLens-8B",
        )
    if (folder := local_folder(settings.grounder_model, QWEN3_VL)) is not None:
        read_config(folder, QWEN3_VL)


def qwen_key(settings: Settings) -> str:
    """Identity of the checkpoint and of what it is shown."""
    folder = find_folder(settings.grounder_model, QWEN3_VL)
    shown = f"{settings.grounder_frames}.{settings.grounder_frame_side}.{tasks.REVISION}"
    return f"{make_key('qwen3vl', 1, model_files(folder))}.{shown}"
