"""The bundled model gives transformers' own labels in fp32, and nearly the same ones with fewer digits."""

import datetime as dt

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import ElectraForSequenceClassification, PreTrainedTokenizerFast

from nifos_stream.local.sample import sample_posts
from nifos_stream.model import directory, load_model
from nifos_stream.settings import ModelSettings
from nifos_stream.training import corpus, exported
from nifos_stream.training.evaluate import classify
from tests.corpus import TEST

BATCH = 64
# Fewer digits may tip a text that stood between two labels, and no other.
AS_CLOSE = 1e-4
MOST_TURNED, MOST_LOST = 0.01, 0.003
# A machine that only emulates bf16 takes a hundred times as long for a text.
HAS_BF16 = any(name.endswith("bf16") and there for name, there in torch.cpu.get_capabilities().items())
SAMPLED = 20
# In fp32 the two differ in the last digits alone, whichever the text; transformers' padding takes its time.
EACH_THIRD = 3


@pytest.fixture(scope="module")
def expanded(tmp_path_factory):
    """The same weights in fp32, as transformers reads them."""
    out = tmp_path_factory.mktemp("expanded")
    exported.plain("bundled", out)
    return out


@pytest.fixture(scope="module")
def rows():
    return corpus.read(TEST)


@pytest.fixture(scope="module")
def exact(rows):
    return read("fp32", [row.text for row in rows])


def read(dtype, texts):
    """Probabilities by this package, (texts, 3)."""
    return classify(load_model("bundled", settings=ModelSettings(dtype=dtype, device="cpu")), texts)


@torch.inference_mode()
def transformers_says(expanded, texts):
    """Probabilities by transformers' own tokenizer class and forward, and which texts it could read whole."""
    told = directory.load(expanded)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(expanded / "tokenizer.json"))
    module = ElectraForSequenceClassification.from_pretrained(expanded, local_files_only=True).eval()
    ids = [tokenizer(told.cleaning(text))["input_ids"] for text in texts]
    fits = np.array([len(each) <= told.max_length for each in ids])
    found = np.full((len(texts), 3), np.nan)
    places = sorted(np.flatnonzero(fits).tolist(), key=lambda place: len(ids[place]))
    for start in range(0, len(places), BATCH):
        chosen = places[start : start + BATCH]
        rows = [torch.tensor(ids[place]) for place in chosen]
        padded = pad_sequence(rows, batch_first=True, padding_value=module.config.pad_token_id)
        mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        logits = module(input_ids=padded, attention_mask=mask).logits.double()
        found[chosen] = torch.softmax(logits / told.temperature, -1).numpy()
    return found, fits


def assert_same_labels(ours, theirs):
    first, second = np.sort(theirs, axis=1)[:, [2, 1]].T
    decided = first - second >= AS_CLOSE
    assert (ours.argmax(1) == theirs.argmax(1))[decided].all()
    assert np.abs(ours - theirs).max() < 1e-4


def test_transformers_gives_the_same_labels_to_the_sample_posts(expanded):
    texts = [post["text"] for post in sample_posts(dt.datetime.now(dt.UTC))]
    theirs, fits = transformers_says(expanded, texts)
    assert fits.mean() > 0.9
    assert_same_labels(read("fp32", texts)[fits], theirs[fits])


@pytest.mark.corpus
@pytest.mark.timeout(1200)
def test_transformers_gives_the_same_labels_to_the_corpus(expanded, rows, exact):
    theirs, fits = transformers_says(expanded, [row.text for row in rows[::EACH_THIRD]])
    assert fits.mean() > 0.9
    assert_same_labels(exact[::EACH_THIRD][fits], theirs[fits])


@pytest.mark.corpus
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("dtype", ["bf16", "int8"])
def test_fewer_digits_give_the_same_labels_and_lose_no_accuracy(rows, exact, dtype):
    step = SAMPLED if dtype == "bf16" and not HAS_BF16 else 1
    labels = np.array([row.label for row in rows[::step]])
    exactly, said = exact[::step].argmax(1), read(dtype, [row.text for row in rows[::step]]).argmax(1)
    assert (said != exactly).mean() <= MOST_TURNED
    assert (exactly == labels).mean() - (said == labels).mean() <= MOST_LOST
