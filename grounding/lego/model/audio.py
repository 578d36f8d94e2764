"""Sound: three clips through ImageBind's audio branch, then clip positions and a Q-Former over
them.
"""

from __future__ import annotations

from torch import Tensor

from grounding.errors import MediaError
from grounding.lego.model.config import LegoConfig
from grounding.lego.model.imagebind import ImageBindAudio
from grounding.lego.model.modality import Modality, Placeholder, Rename, check_shape
from grounding.lego.model.qformer import SequenceAdapter, qformer_renames

_ENCODER = "model.audio_encoder.modality"


class AudioModality(Modality):
    """Items are `(clips, 1, mels, frames)` float32, as `preprocess.audio.sound_tensor` makes
    them.
    """

    name = "sound"
    marker = "<sound>"
    placeholder = Placeholder("<so_patch>", "<so_start>", "<so_end>")
    renames = (
        Rename(f"{_ENCODER}_preprocessors.audio.cls_token", "encoder.stem.cls_token"),
        Rename(
            f"{_ENCODER}_preprocessors.audio.pos_embedding_helper.pos_embed",
            "encoder.stem.pos_embed",
        ),
        # after the two above: the first match counts
        Rename(f"{_ENCODER}_preprocessors.audio.rgbt_stem.", "encoder.stem."),
        Rename(f"{_ENCODER}_trunks.audio.blocks.", "encoder.blocks."),
        Rename(f"{_ENCODER}_heads.audio.0.", "encoder.norm."),
        Rename(f"{_ENCODER}_heads.audio.2.", "encoder.head."),
        Rename(f"{_ENCODER}_postprocessors.audio.1.log_logit_scale", "encoder.log_logit_scale"),
        Rename("model.audio_position_embedding.", "adapter.positions.table."),
        *qformer_renames("model.audio_Qformer", "model.audio_query_tokens", "adapter.qformer"),
        Rename("model.audio_llama_proj.", "adapter.projection."),
    )
    unused = (
        r"model\.audio_encoder\.modality_(preprocessors|trunks|heads|postprocessors)\."
        r"(vision|text|depth|thermal|imu)\..+",
        r"model\.audio_Qformer\.bert\.embeddings\.position_ids",
    )

    def __init__(self, config: LegoConfig) -> None:
        super().__init__(config)
        self.encoder = ImageBindAudio(config.audio)
        self.adapter = SequenceAdapter(
            config.qformer,
            positions=config.audio_positions,
            step_width=config.audio.out_width,
            tokens=config.audio_tokens,
            hidden_size=config.hidden_size,
        )

    @property
    def tokens(self) -> int:
        """Audio queries."""
        return self.config.audio_tokens

    def check(self, item: Tensor) -> None:
        """Raises MediaError for another shape, or for more clips than there are positions."""
        dims = self.config.audio
        check_shape("a sound (clips, 1, mels, frames)", item, (None, 1, dims.mels, dims.frames))
        if item.shape[0] > self.config.audio_positions:
            raise MediaError(
                "a sound has {clips} clips; this model reads at most {audio_positions}",
                clips=item.shape[0],
                audio_positions=self.config.audio_positions,
            )
