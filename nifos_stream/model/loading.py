"""Put a classifier together from settings: directory, device, dtype, chunk size. Knows no text."""

import time
from functools import partial
from pathlib import Path

import torch

from nifos_stream.errors import UserError
from nifos_stream.model import directory
from nifos_stream.model.cache import LabelCache, PiecesCache
from nifos_stream.model.calibrate import Choice, calibrated
from nifos_stream.model.classifier import Classifier
from nifos_stream.model.electra import PackedElectra
from nifos_stream.model.lanes import Lanes
from nifos_stream.model.pieces import Splitter
from nifos_stream.model.reading import ModelInfo
from nifos_stream.model.sample import SAMPLE
from nifos_stream.model.tokenizer import ID_BYTES, Tokenizer
from nifos_stream.settings import ModelSettings

_ANY_TEXT = bytes(20 * ID_BYTES)


def load(path: str | Path, settings: ModelSettings) -> Classifier:
    """Load a model and make it ready to read; `nifos_stream.model.load_model` says the rest."""
    loaded = directory.load(path)
    device = _device(settings.device)
    max_length = settings.max_length or loaded.max_length
    limit = loaded.module.config.max_position_embeddings
    if not 8 <= max_length <= limit:
        raise UserError(
            f"This model reads between 8 and {limit} tokens, so max_length cannot be {max_length}."
        )
    splitter = Splitter(
        loaded.cleaning,
        Tokenizer(loaded.tokenizer),
        max_length=max_length,
        max_sentences=settings.max_sentences,
        mode=settings.sentences,
    )
    lanes = Lanes(settings.threads or torch.get_num_threads()) if device.type == "cpu" else None
    choice = _choice(settings, loaded, splitter, device, lanes)
    return Classifier(
        info=ModelInfo(loaded.name, loaded.revision, max_length),
        device=str(device),
        dtype=choice.dtype,
        chunk_tokens=settings.chunk_tokens or choice.chunk_tokens,
        run=_electra(loaded, choice.dtype, device),
        lanes=lanes,
        splitter=splitter,
        cache=LabelCache(settings.cache_entries),
        pieces=PiecesCache(min(settings.cache_entries, PiecesCache.ENTRIES)),
        order=loaded.order,
        temperature=loaded.temperature,
    )


def _choice(
    settings: ModelSettings,
    loaded: directory.Loaded,
    splitter: Splitter,
    device: torch.device,
    lanes: Lanes | None,
) -> Choice:
    fixed = settings.dtype if settings.dtype != "auto" else None
    if fixed and settings.chunk_tokens:
        return Choice(fixed, settings.chunk_tokens)
    # Where cleaning leaves nothing of the sample, any ids do: how long a pass takes does not hang on them.
    sample = [piece.ids for text in splitter.split(SAMPLE) for piece in text.pieces] or [_ANY_TEXT]
    measure = partial(calibrated, loaded.module, sample, revision=loaded.revision, device=device, dtype=fixed)
    if lanes is None:
        return measure(now=time.perf_counter)
    # A thread's own time does not pass while something else has the core.
    return lanes.map(lambda now: measure(now=now), [time.thread_time])[0]


def _electra(loaded: directory.Loaded, dtype: str, device: torch.device) -> PackedElectra:
    try:
        return PackedElectra(loaded.module, dtype=dtype, device=device)
    except ValueError as error:
        raise UserError(f"The model cannot run in {dtype}: {error}.") from None
    except torch.OutOfMemoryError:
        raise UserError(f"The memory of {device} is too small for this model.") from None


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
