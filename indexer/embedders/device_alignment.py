"""The picture side of the alignment on the device of the classifier: there the classifier's maps,
half a megabyte a picture, need not be copied, and the CPU need not keep up with a GPU.
"""

from __future__ import annotations

import numpy as np
import torch

from indexer.embedders.alignment import (
    BEST_CLASSES,
    CLASSES_WEIGHT,
    EARLIER_WEIGHT,
    PROBABILITY_POWER,
    Alignment,
)


class DeviceAlignment:
    """What `Alignment.pictures` computes, in float32."""

    def __init__(self, alignment: Alignment, device: torch.device) -> None:
        def move(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(np.array(array, np.float32, order="C")).to(device)

        self._classes = move(alignment.classes)
        self._earlier_mean = move(alignment.earlier_mean)
        self._earlier_scale = move(alignment.earlier_scale)
        self._picture, self._bias = move(alignment.picture), move(alignment.bias)

    @torch.inference_mode()
    def pictures(
        self, cells: torch.Tensor, earlier: torch.Tensor, probabilities: torch.Tensor
    ) -> np.ndarray:
        """Unit vectors (N, DIMENSION) of the views of pictures, as `PictureViews` has them."""
        features = torch.cat(
            [
                _unit(cells.sqrt().mean(1)),
                EARLIER_WEIGHT * _unit((earlier - self._earlier_mean) / self._earlier_scale),
                _unit(probabilities**PROBABILITY_POWER),
            ],
            dim=1,
        )
        least = probabilities.topk(BEST_CLASSES, dim=1).values[:, -1:]
        best = torch.where(probabilities >= least, probabilities, 0)
        classes = _unit(best @ self._classes)
        described = features @ self._picture + self._bias
        return _unit(CLASSES_WEIGHT * classes + described).cpu().numpy()


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=1)
