"""Where models run and in which number format, from the settings."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from indexer.errors import ModelError
from indexer.settings import Settings

if TYPE_CHECKING:
    import torch


def choose_device(settings: Settings) -> tuple[torch.device, torch.dtype]:
    """The device of the settings and the number format to compute in on it. ModelError when the
    device is unknown or not there. Applies `settings.threads` to torch.
    """
    import torch

    if settings.threads:
        torch.set_num_threads(settings.threads)
    try:
        device = torch.device(settings.torch_device)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(
            "the device {device!r} cannot be used: {error}",
            "set SEEKPOINT_DEVICE=cpu, or install a build of torch for that device",
            device=settings.device,
            error=str(error).rstrip("."),
        ) from None
    return device, _dtype(torch, settings, device)


def _dtype(torch: ModuleType, settings: Settings, device: torch.device) -> torch.dtype:
    """Auto takes bfloat16 only where the hardware multiplies it: emulated it is far slower."""
    if settings.dtype != "auto":
        return getattr(torch, settings.dtype)
    if device.type == "cuda":
        return (
            torch.bfloat16
            if torch.cuda.is_bf16_supported(including_emulation=False)
            else torch.float16
        )
    multiplies_bfloat16 = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if device.type == "cpu" and multiplies_bfloat16() else torch.float32
