import torch

from nifos_stream.training import forward

from . import tiny


def test_the_short_last_layer_gives_the_logits_and_gradients_of_transformers() -> None:
    model = tiny.model(dropout=0.0)
    ids = torch.tensor([tiny.tokenizer().encode(text).ids for text in ("숲이 좋았다", "숲이 나빴다")])
    words = torch.nn.functional.embedding(ids, model.electra.embeddings.word_embeddings.weight)
    expected, found = model(input_ids=ids).logits, forward.logits(model, words)
    assert torch.allclose(found, expected, atol=1e-6)
    weights = list(model.parameters())
    for one, other in zip(
        torch.autograd.grad(expected.square().sum(), weights),
        torch.autograd.grad(found.square().sum(), weights),
        strict=True,
    ):
        assert torch.allclose(one, other, atol=1e-6)
