from pathlib import Path

import numpy as np
import pytest
import torch

from nifos_stream.training import encoder

from . import tiny


def test_the_tokenizer_frames_a_text_once_and_prefers_whole_words() -> None:
    assert tiny.tokenizer().encode("숲 좋았다").tokens == ["<s>", "▁숲", "▁좋았다", "</s>"]


def test_special_pieces_as_typed_text_are_characters() -> None:
    assert tiny.tokenizer().encode("<s>").tokens == ["<s>", "▁", "<", "s", ">", "</s>"]


def test_compatibility_forms_are_one_text() -> None:
    tokenizer = tiny.tokenizer()
    assert tokenizer.encode("숲!").ids == tokenizer.encode("숲!").ids


def test_pieces_that_do_not_begin_with_the_special_ones_are_refused() -> None:
    with pytest.raises(ValueError, match="begin with"):
        encoder.unigram(["a", "b", "c", "d"], [0.0] * 4)


def test_the_chosen_layers_of_a_stored_encoder_become_the_model(tmp_path: Path) -> None:
    stored = {
        "emb.word": np.random.default_rng(0).normal(size=(20, 384)),
        "emb.pos": np.zeros((512, 384)),
        "emb.type": np.zeros((2, 384)),
        "emb.ln.w": np.ones(384),
        "emb.ln.b": np.zeros(384),
    }
    for layer in range(3):
        for short in ("q", "k", "v", "ao", "aln", "fi", "fo", "oln"):
            outputs = 1536 if short == "fi" else 384
            inputs = 1536 if short == "fo" else 384
            shape = (outputs,) if short.endswith("ln") else (outputs, inputs)
            stored[f"l{layer}.{short}.w"] = np.full(shape, float(layer))
            stored[f"l{layer}.{short}.b"] = np.zeros(outputs)
    np.savez(tmp_path / encoder.WEIGHTS_FILE, **stored)  # type: ignore[arg-type]
    model = encoder.pretrained(tmp_path, layers=(0, 2))
    assert model.config.num_hidden_layers == 2
    queries = [tensor for name, tensor in model.named_parameters() if name.endswith("query.weight")]
    assert [query.mean().item() for query in queries] == [0.0, 2.0]
    words = torch.from_numpy(stored["emb.word"].astype(np.float32))
    assert torch.equal(model.electra.embeddings.word_embeddings.weight, words)
    assert model.config.id2label is not None
    assert list(model.config.id2label.values()) == ["부정", "중립", "긍정"]
