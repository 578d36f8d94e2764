"""8-bit and 4-bit weights of the language model's layers by the bitsandbytes library (optional, for
GPUs).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from grounding.errors import LegoError
from grounding.lego.model.lego_model import LegoModel


def quantize_language(
    model: LegoModel, bits: Literal[4, 8], device: str | torch.device
) -> LegoModel:
    """Replaces the linear maps of the decoder layers (not the vocabulary, not the encoders) and
    moves the model to `device`. Raises LegoError without the library.
    """
    try:
        import bitsandbytes  # type: ignore[import-not-found]
    except ImportError as error:
        raise LegoError(
            "int8 and int4 need the package bitsandbytes: pip install bitsandbytes, or choose "
            "bfloat16"
        ) from error
    for block in model.language.model.layers:
        for path, linear in list(block.named_modules()):
            if isinstance(linear, nn.Linear):
                parent = block.get_submodule(path.rpartition(".")[0])
                setattr(
                    parent,
                    path.rpartition(".")[2],
                    _quantize(bitsandbytes, linear, bits).to(device),
                )
    return model.to(device)


def _quantize(bitsandbytes, linear: nn.Linear, bits: Literal[4, 8]) -> nn.Module:
    has_bias = linear.bias is not None
    weight = linear.weight.detach()
    if bits == 8:
        layer = bitsandbytes.nn.Linear8bitLt(
            linear.in_features, linear.out_features, has_bias, has_fp16_weights=False, device="meta"
        )
        layer.weight = bitsandbytes.nn.Int8Params(
            weight, requires_grad=False, has_fp16_weights=False
        )
    else:
        layer = bitsandbytes.nn.Linear4bit(
            linear.in_features,
            linear.out_features,
            has_bias,
            compute_dtype=weight.dtype,
            quant_type="nf4",
            device="meta",
        )
        layer.weight = bitsandbytes.nn.Params4bit(weight, requires_grad=False, quant_type="nf4")
    layer.bias = linear.bias
    return layer
