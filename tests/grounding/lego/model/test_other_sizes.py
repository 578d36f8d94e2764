"""No size of the fixtures is wired in: a model of other sizes, compared with numbers that it made
itself before it was saved.
"""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from grounding.lego.checkpoint.load import published_state
from grounding.lego.model.config import read_config
from grounding.lego.model.lego_model import LegoModel
from grounding.lego.parity import compare

CONFIG = {
    "model_type": "LEGO",
    "vocab_size": 209,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 5000.0,
    "rope_scaling": {"type": "linear", "factor": 2.0},
    "image_token_len": 9,
    "video_token_len": 5,
    "sound_token_len": 6,
    "num_query_token": 3,
    "max_frame": 10,
    "video_patch_token": 203,
    "video_start_token": 204,
    "video_end_token": 205,
    "sound_patch_token": 206,
    "sound_start_token": 207,
    "sound_end_token": 208,
}
DIMS = {
    "eva_vit": {
        "img_size": 42,
        "patch_size": 14,
        "embed_dim": 24,
        "depth": 2,
        "num_heads": 2,
        "mlp_ratio": 4.3637,
    },
    "qformer_bert": {
        "hidden_size": 24,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "intermediate_size": 50,
        "cross_attention_freq_image": 3,
        "num_hidden_layers_video_audio": 1,
    },
    "imagebind": {
        "audio_embed_dim": 16,
        "audio_num_blocks": 2,
        "audio_num_heads": 2,
        "out_embed_dim": 20,
    },
}
CLIP = {
    "model_type": "clip_vision_model",
    "hidden_size": 20,
    "intermediate_size": 30,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "image_size": 42,
    "patch_size": 14,
}
ITEMS = {
    "image": (1, 3, 42, 42),
    "video": (1, 3, 4, 42, 42),
    "audio": (1, 3, 1, 128, 204),
    "video_full": (1, 3, 10, 42, 42),
}


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    checkpoint, tower = tmp_path / "checkpoint", tmp_path / "clip_tower"
    checkpoint.mkdir()
    tower.mkdir()
    for file, content in (
        (checkpoint / "config.json", CONFIG),
        (tmp_path / "module_dims.json", DIMS),
        (tower / "config.json", CLIP),
    ):
        file.write_text(json.dumps(content))
    model = LegoModel(
        read_config(checkpoint, tower).with_changes(audio_positions=8)
    ).eval()  # eight rows, as one constructor has
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    clip_tower = model.modality("image").encoder.tower.state_dict()
    save_file(
        {name: tensor.clone() for name, tensor in published_state(model).items()},
        checkpoint / "model.safetensors",
    )
    save_file(
        {f"vision_model.{name}": tensor.clone() for name, tensor in clip_tower.items()},
        tower / "model.safetensors",
    )
    write_numbers(tmp_path, model)
    return tmp_path


@torch.inference_mode()
def write_numbers(folder, model):
    inputs = {name: torch.randn(shape) for name, shape in ITEMS.items()}
    spans = {
        name: [start, *[patch] * model.modality(name).tokens, end]
        for name, (patch, start, end) in model.config.placeholder_ids.items()
    }
    prompts = {
        "text": [1, 5, 6, 7] * 8,
        "video": [1, 9, *spans["video"], *[8, 7] * 9],
        "both": [1, *spans["sound"], *spans["image"], *[4] * 20],
    }
    expected = {
        "video_full.llama_proj": compare.stage_outputs(model, "video", inputs["video_full"])[
            "llama_proj"
        ]
    }
    for name, prefix in (("image", "image"), ("video", "video"), ("sound", "audio")):
        ours = compare.stage_outputs(model, name, inputs[compare.INPUTS[name]])
        expected.update({f"{prefix}.{stage}": value for stage, value in ours.items()})
    media = {
        "text": {},
        "video": {"video": [inputs["video"][0]]},
        "both": {"sound": [inputs["audio"][0]], "image": [inputs["image"][0]]},
    }
    for name, row in prompts.items():
        inputs[f"ids.{name}"] = ids = torch.tensor([row])
        logits = model(ids, [media[name]]).logits
        expected[f"inputs_embeds.{name}"] = model.embed(ids, [media[name]])
        expected[f"logits_last7.{name}"] = logits[:, -7:]
        expected[f"argmax_all.{name}"] = logits.argmax(dim=-1)
        expected[f"logsumexp_all.{name}"] = logits.logsumexp(dim=-1)
    for file, arrays in (("inputs.npz", inputs), ("expected.npz", expected)):
        np.savez(folder / file, **{name: value.numpy() for name, value in arrays.items()})


@torch.inference_mode()
def test_saved_and_loaded_model_of_other_sizes_is_the_same(folder):
    fixture = compare.Fixture.open(folder)
    quantities = [
        q for part in (compare.stages, compare.other_inputs, compare.answers) for q in part(fixture)
    ]
    assert len(quantities) > 30
    assert [str(quantity) for quantity in quantities if not quantity.holds] == []
    assert fixture.expected.never_read() == []
    assert fixture.model.config.audio_positions == 8
