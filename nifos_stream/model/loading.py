"""Put a classifier together from settings: directory, device, dtype, chunk size."""

from pathlib import Path

import torch

from nifos_stream import logs
from nifos_stream.errors import UserError
from nifos_stream.model import directory
from nifos_stream.model.cache import LabelCache
from nifos_stream.model.classifier import Classifier
from nifos_stream.model.electra import PackedElectra
from nifos_stream.model.pieces import Splitter
from nifos_stream.model.reading import ModelInfo
from nifos_stream.model.tokenizer import Tokenizer
from nifos_stream.settings import ModelSettings

log = logs.get(__name__)


def load_model(path: str | Path = directory.BUNDLED, *, settings: ModelSettings | None = None) -> Classifier:
    """Load a model and make it ready to read.

    path: `bundled`, a model directory or a name on the hub; it wins over the settings' own path.
    UserError, in one sentence, when the model, the device or the dtype cannot be had.
    """
    settings = settings or ModelSettings()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    loaded = directory.load(path)
    device = _device(settings.device)
    max_length = settings.max_length or loaded.max_length
    limit = loaded.module.config.max_position_embeddings
    if not 8 <= max_length <= limit:
        raise UserError(
            f"This model reads between 8 and {limit} tokens, so max_length cannot be {max_length}."
        )
    dtype = "fp32" if settings.dtype == "auto" else settings.dtype
    tokenizer = Tokenizer(loaded.tokenizer)
    return Classifier(
        info=ModelInfo(loaded.name, loaded.revision, max_length),
        device=str(device),
        dtype=dtype,
        chunk_tokens=settings.chunk_tokens or 1024,
        run=PackedElectra(loaded.module, dtype=dtype, device=device),
        splitter=Splitter(
            loaded.cleaning,
            tokenizer,
            max_length=max_length,
            max_sentences=settings.max_sentences,
            mode=settings.sentences,
        ),
        cache=LabelCache(settings.cache_entries),
        order=loaded.order,
        temperature=loaded.temperature,
    )


def _device(wanted: str) -> torch.device:
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(
            "There is no CUDA device here, or torch was built without CUDA; set the device to cpu."
        )
    device = torch.device("cuda" if wanted == "auto" else wanted)
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise UserError(
            f"There is no {wanted} here; CUDA devices go up to cuda:{torch.cuda.device_count() - 1}."
        )
    return torch.device("cuda", device.index if device.index is not None else torch.cuda.current_device())
