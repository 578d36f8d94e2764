"""What a stage trains, that nothing else moves by a digit, and that its checkpoint is the model
that was trained.
"""

import json
import os
import sys

import numpy as np
import pytest
import torch

from grounding.errors import TrainingError
from grounding.lego import load_grounder
from grounding.lego.checkpoint.load import load_model
from grounding.training import stage as stages
from grounding.training.plot import plot_losses, read_losses
from grounding.training.settings import Source
from grounding.training.stage import load_step, run_stage
from tests.grounding.training.conftest import START

NINE = 9


def moved(before, after):
    """Names of tensors that differ."""
    ours, theirs = before.state_dict(), after.state_dict()
    assert list(ours) == list(theirs)
    return {name for name in ours if not torch.equal(ours[name], theirs[name])}


def loaded(folder):
    return load_model(folder, dtype=torch.float32, clip_folder=START.parent / "clip_tower")


@pytest.fixture
def published(monkeypatch):
    """Keeps the model of a run as it was in memory when the checkpoint was written."""
    kept = []
    write = stages.save_model
    monkeypatch.setattr(
        stages,
        "save_model",
        lambda model, *args, **named: (kept.append(model), write(model, *args, **named))[1],
    )
    return kept


@torch.inference_mode()
def logits(model, drawn):
    from grounding.lego.preprocess.tokenizer import LegoTokenizer

    ids = torch.tensor(
        [LegoTokenizer(START).encode("###Human: When does the plain red disc glow?###Assistant:")]
    )
    generator = torch.Generator().manual_seed(0)
    size = model.config.eva.image_size
    clip = torch.randn(3, 4, size, size, generator=generator)
    patch, start, end = model.placeholder_ids("video")
    span = torch.tensor([[start, *[patch] * model.config.video_tokens, end]])
    return model(torch.cat([ids[:, :1], span, ids[:, 1:]], dim=1), [{"video": [clip]}]).logits


def test_stage_1_moves_adapters_and_the_rows_of_the_new_tokens_alone(planned, drawn, published):
    folder = run_stage(planned(1))
    before, after = loaded(START), loaded(folder)
    adapters = {name for name, _ in before.named_parameters() if ".adapter." in name}
    table = "language.model.embed_tokens.weight"
    assert moved(before, after) <= {*adapters, table}
    old, new = before.state_dict()[table], after.state_dict()[table]
    assert torch.equal(old[:-NINE], new[:-NINE])
    rows = (old[-NINE:] != new[-NINE:]).any(dim=1).tolist()
    assert (
        rows == [False, True, True] * 3
    )  # start and end of each medium; where its patches stand the medium itself is read
    still = adapters - moved(before, after)
    assert {name.split(".")[-2] for name in still} <= {"key"}  # the bias of a key has no gradient
    assert all(name.endswith("bias") for name in still)
    assert torch.equal(logits(published[0], drawn), logits(after, drawn))


@pytest.mark.parametrize("lora", [0, 4], ids=["full", "lora"])
def test_later_stages_move_the_language_model_too_and_never_an_encoder(
    planned, drawn, published, lora
):
    folder = run_stage(planned(2, lora_rank=lora, gradient_checkpointing=bool(lora)))
    before, after = loaded(START), loaded(folder)
    changed = moved(before, after)
    assert not [name for name in changed if ".encoder." in name and ".adapter." not in name]
    layers = {
        name
        for name, _ in before.named_parameters()
        if name.startswith("language.model.layers.") and "norm" not in name
    }
    assert layers <= changed
    assert ("language.lm_head.weight" in changed) == (not lora)
    assert torch.allclose(logits(published[0], drawn), logits(after, drawn), atol=1e-6)


def test_checkpoint_loads_into_the_grounder_and_the_next_stage(planned, drawn):
    first = run_stage(planned(1, output="one"))
    mixed = [Source(drawn / "stage2.jsonl"), Source(drawn / "stage1.jsonl", 0.2)]
    second = run_stage(planned(2, start=first, output="two", sources=mixed, max_steps=1))
    grounder = load_grounder(second, dtype="float32", max_new_tokens=4)
    from grounding.records.media_files import read_frames

    clip = next((drawn / "clips").iterdir())
    assert isinstance(grounder.ground(read_frames(clip, 8), "the plain red disc glows"), list)
    assert json.loads((second / "training.json").read_text())["stage"] == 2
    with pytest.raises(
        TrainingError, match=r"stage 3 starts from a checkpoint of stage 2, but .* stage 1"
    ):
        run_stage(planned(3, start=first, output="three"))
    with pytest.raises(TrainingError, match="no stage of this program"):
        run_stage(planned(2, any_base_checkpoint=False, output="four"))
    with pytest.raises(TrainingError, match="exists already"):
        run_stage(planned(1, output="one"))


def test_kept_features_give_the_losses_of_the_encoders(planned, tmp_path):
    without = run_stage(planned(1, output="without", dropout=0.0))
    kept = run_stage(planned(1, output="kept", dropout=0.0, features=tmp_path / "features"))
    losses = [
        [
            json.loads(line).get("loss")
            for line in (folder.parent / "log.jsonl").read_text().splitlines()
        ]
        for folder in (without, kept)
    ]
    assert losses[0][:3] == pytest.approx(losses[1][:3], rel=2e-3)  # kept in float16


def test_accumulated_batches_are_one_large_batch(planned):
    """Adam makes a whole step of a gradient that is nearly zero, so losses and gradients are
    compared and not weights.
    """
    rows = []
    for name, batch, parts in (("large", 8, 1), ("small", 4, 2)):
        folder = run_stage(
            planned(
                1,
                output=name,
                dropout=0.0,
                max_steps=2,
                batch_size=batch,
                gradient_accumulation_steps=parts,
            )
        )
        logged = [
            json.loads(line) for line in (folder.parent / "log.jsonl").read_text().splitlines()
        ]
        rows.append([(row["loss"], row["grad_norm"]) for row in logged if "loss" in row])
    assert np.array(rows[0]) == pytest.approx(np.array(rows[1]), rel=1e-4)


def test_bfloat16_trains_float32_copies(planned):
    folder = run_stage(planned(2, precision="bfloat16", max_steps=2))
    rows = [json.loads(line) for line in (folder.parent / "log.jsonl").read_text().splitlines()]
    assert all(row["loss"] < 20 for row in rows if "loss" in row)
    assert load_model(folder).language.lm_head.weight.dtype == torch.bfloat16


def test_a_step_on_the_way_can_be_loaded(planned, drawn):
    settings = planned(1, save_steps=1)
    folder = run_stage(settings)
    last = load_step(settings, settings.output / "checkpoint-3")
    assert torch.equal(logits(last, drawn), logits(loaded(folder), drawn))
    assert not torch.equal(
        logits(load_step(settings, settings.output / "checkpoint-2"), drawn), logits(last, drawn)
    )


def test_loss_is_plotted(finished):
    assert (finished / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_costs_no_checkpoint(planned, monkeypatch, caplog):
    def broken(*args):
        raise RuntimeError("no font")

    monkeypatch.setattr(stages, "plot_losses", broken)
    assert loaded(run_stage(planned(1, max_steps=1))).modalities
    assert "cannot be drawn: no font" in caplog.text


def test_a_name_that_is_no_text_is_drawn(tmp_path):
    folder = tmp_path / os.fsdecode(b"run \xff \xc3\xb6")
    folder.mkdir()
    (folder / "log.jsonl").write_bytes(
        b'{"step": 1, "loss": 2.0}\n{"step": 2, "lo\n[]\n\xff\n{"step": 3, "loss": 1.0}\n'
    )
    assert read_losses(folder / "log.jsonl") == {1: 2.0, 3: 1.0}
    plot_losses(folder / "log.jsonl", folder / "loss.png")
    assert (folder / "loss.png").stat().st_size > 1000


def test_kept_features_that_were_cut_off_are_made_again(planned, tmp_path):
    kept = planned(1, output="one", max_steps=2, features=tmp_path / "features")
    run_stage(kept)
    for entry in (tmp_path / "features").rglob("*.npy"):
        entry.write_bytes(entry.read_bytes()[:50])
    run_stage(planned(1, output="two", max_steps=2, features=tmp_path / "features"))
    logs = [read_losses(tmp_path / name / "log.jsonl") for name in ("one", "two")]
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "is not an object"),
        ('{"fsdp": null}', "is not an object"),
        ("{", "cannot be read"),
        ('{"fsdp": {}}', "start them with torchrun"),
        ('{"zero_optimization": {}}', "DeepSpeed, which is not installed"),
    ],
)
def test_a_distributed_config_that_cannot_run_is_an_error_before_anything_is_read(
    planned, tmp_path, content, message, monkeypatch
):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setitem(sys.modules, "deepspeed", None)
    (tmp_path / "distributed.json").write_text(content)
    with pytest.raises(TrainingError, match=message):
        run_stage(planned(1, distributed_config=tmp_path / "distributed.json"))
    assert not planned(1).output.exists()


def test_a_start_that_is_not_there(planned, tmp_path):
    with pytest.raises(
        TrainingError, match=r"nowhere, the checkpoint to start from, does not exist"
    ):
        run_stage(planned(2, start=tmp_path / "nowhere"))


def test_too_little_memory_says_what_to_do(planned, monkeypatch):
    from grounding.training.trainer import LossModule

    def full(self, *args, **named):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(LossModule, "forward", full)
    with pytest.raises(
        TrainingError, match="halve batch_size and double gradient_accumulation_steps"
    ):
        run_stage(planned(1))
