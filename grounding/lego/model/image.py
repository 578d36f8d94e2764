"""Images: CLIP ViT-L/14-336, the hidden state before the last layer, patches only, then a two-layer
MLP.
"""

from __future__ import annotations

from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from grounding.lego.model.config import LegoConfig
from grounding.lego.model.modality import Modality, Placeholder, Rename, check_shape


class ClipPatches(nn.Module):
    """One hidden layer of CLIP's vision tower, without the class token unless configured so."""

    def __init__(self, config: LegoConfig) -> None:
        super().__init__()
        self.tower = CLIPVisionModel(CLIPVisionConfig(**config.clip))
        self.layer = config.image_layer
        self.first = 0 if config.image_class_token else 1

    def forward(self, images: Tensor) -> Tensor:
        """`(B, 3, S, S)` -> `(B, patches, width)`."""
        states = self.tower(pixel_values=images, output_hidden_states=True).hidden_states
        return states[self.layer][:, self.first :]


class ImageModality(Modality):
    """Items are `(3, S, S)` float32, as `preprocess.image.ImageTransform` makes them."""

    name = "image"
    marker = "<image>"
    placeholder = Placeholder("<im_patch>", "<im_start>", "<im_end>")
    renames = (Rename("model.mm_vision_projector.", "adapter."),)
    external = (Rename("vision_model.", "encoder.tower."),)

    def __init__(self, config: LegoConfig) -> None:
        super().__init__(config)
        self.encoder = ClipPatches(config)
        tower = self.encoder.tower.config
        width, self.size = int(tower.hidden_size), int(tower.image_size)  # type: ignore[arg-type]
        self.adapter = nn.Sequential(
            nn.Linear(width, config.hidden_size),
            nn.GELU(),
            nn.Linear(config.hidden_size, config.hidden_size),
        )

    @property
    def tokens(self) -> int:
        """Patches of the tower."""
        return self.config.image_tokens

    def check(self, item: Tensor) -> None:
        """Raises MediaError for another shape."""
        check_shape("an image", item, (3, self.size, self.size))
