"""Choose dtype and chunk size by a short measurement, and remember the choice for this machine and model."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from transformers import ElectraForSequenceClassification

from nifos_stream import logs
from nifos_stream.model.chunks import DEFAULT_CHUNK_TOKENS, plan
from nifos_stream.model.electra import PackedElectra
from nifos_stream.model.measure import Clock, Key, race
from nifos_stream.model.tokenizer import length_of

log = logs.get(__name__)

CANDIDATES = {"cpu": ("fp32", "bf16", "int8"), "cuda": ("fp32", "bf16", "fp16")}
CHUNK_TOKENS = {"cpu": (128, 256, 512, 1024), "cuda": (4096, 8192, 16384, 32768, 65536)}
# How far the probabilities may be from those in float32, on average over the sample.
_MOST_DIFFERENCE = 0.01
# A chunk size this close to the fastest is as good, and smaller ones take less memory and time each.
_AS_GOOD = 0.97
# A dtype that the machine only emulates is found out on a few tokens: it can be a hundred times slower.
_FEW_TOKENS = 32
_HOPELESS = 6.0
_ROUNDS = 3
# When half of the rounds take so many times the best one, something else is using the machine.
_STEADY = 1.5
_MOST_REMEMBERED = 100
# One whole layer and the last, which asks for less: enough to compare with, and short.
_LAYERS = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """What runs fastest here: a dtype, and the most tokens of one forward pass."""

    dtype: str
    chunk_tokens: int


def calibrated(
    module: ElectraForSequenceClassification,
    sample: Sequence[bytes],
    *,
    revision: str,
    device: torch.device,
    now: Clock,
    dtype: str | None = None,
) -> Choice:
    """Return the choice made before for this model on this machine, else measure for a second or two.

    It measures in the calling thread, with as many cores as that has.

    dtype: where it is fixed, the chunk size alone is measured.
    sample: token ids of a few dozen texts of usual lengths. Dtypes and chunk sizes for which there is no
    memory are left out. A measurement that was disturbed, or short of memory, is not kept.
    """
    key = _key(revision, device, dtype)
    if known := _remembered(key):
        return known
    runs = _candidates(module, sample, device, now, dtype)
    if dtype and not runs:
        return Choice(dtype, DEFAULT_CHUNK_TOKENS[device.type])
    seconds = _race_dtypes(runs, sample, device, now)
    quickest = {name: min(times) for name, times in seconds.items()}
    dtype = dtype or _true_enough(sorted(quickest, key=quickest.__getitem__), module, sample, device)
    rates = _chunk_rates(runs[dtype], sample, now) if dtype in runs else {}
    good = [size for size, rate in rates.items() if rate >= _AS_GOOD * max(rates.values())]
    sizes = CHUNK_TOKENS[device.type]
    choice = Choice(dtype, min(good or sizes))
    roomy = len(seconds) == len(runs) and len(rates) == len(sizes)
    steady = roomy and median(seconds[dtype]) <= _STEADY * quickest[dtype]
    log.info(
        "dtype.chosen",
        **asdict(choice),
        steady=steady,
        milliseconds={name: round(took * 1e3, 2) for name, took in quickest.items()},
        tokens_per_second={size: round(rate) for size, rate in rates.items()},
    )
    if steady:
        _remember(key, choice)
    return choice


def _candidates(
    module: ElectraForSequenceClassification,
    sample: Sequence[bytes],
    device: torch.device,
    now: Clock,
    only: str | None,
) -> dict[str, PackedElectra]:
    """Return a part of the model in every dtype, or in one, that is there and not merely emulated."""
    runs: dict[str, PackedElectra] = {}
    for dtype in dict.fromkeys(("fp32", only)) if only else CANDIDATES[device.type]:
        try:
            run = PackedElectra(module, dtype=dtype, device=device, layers=_LAYERS)
            few = _chunk(sample, _FEW_TOKENS)
            contest = {name: partial(each, *few) for name, each in [*runs.items(), (dtype, run)]}
            seconds = _race(contest, device, 2, now)
        except (ValueError, RuntimeError) as error:
            log.info("dtype.not_available", dtype=dtype, error=str(error).partition("\n")[0])
            continue
        if dtype not in seconds:
            continue
        if min(seconds[dtype]) > _HOPELESS * min(map(min, seconds.values())):
            log.info("dtype.emulated", dtype=dtype)
            continue
        runs[dtype] = run
    return {dtype: run for dtype, run in runs.items() if only in (None, dtype)}


def _race_dtypes(
    runs: dict[str, PackedElectra], sample: Sequence[bytes], device: torch.device, now: Clock
) -> dict[str, list[float]]:
    """Return the seconds of each dtype for a chunk of the usual size, or of the largest that fits."""
    usual = DEFAULT_CHUNK_TOKENS[device.type]
    for tokens in [usual, *(size for size in reversed(CHUNK_TOKENS[device.type]) if size < usual)]:
        chunk = _chunk(sample, tokens)
        if seconds := _race({name: partial(run, *chunk) for name, run in runs.items()}, device, _ROUNDS, now):
            return seconds
    return {}


def _chunk_rates(run: PackedElectra, sample: Sequence[bytes], now: Clock) -> dict[int, float]:
    """Return tokens per second by chunk size."""
    chunks = {size: _chunk(sample, size) for size in CHUNK_TOKENS[run.device.type]}
    seconds = _race({size: partial(run, *chunk) for size, chunk in chunks.items()}, run.device, _ROUNDS, now)
    return {size: len(chunks[size][0]) / min(times) for size, times in seconds.items()}


def _race(
    contestants: Mapping[Key, Callable[[], Any]], device: torch.device, rounds: int, now: Clock
) -> dict[Key, list[float]]:
    """Race them without those for which there is no memory, or no more: others may use the device, too."""
    out: set[Key] = set()

    def attempt(name: Key, run: Callable[[], Any]) -> None:
        if name in out:
            return
        try:
            run()
        except torch.OutOfMemoryError:
            log.info("calibration.out_of_memory", what=str(name))
            torch.cuda.empty_cache()
            out.add(name)

    seconds = race(
        {name: partial(attempt, name, run) for name, run in contestants.items()}, device, rounds, now
    )
    return {name: times for name, times in seconds.items() if name not in out}


def _true_enough(
    dtypes: Sequence[str],
    module: ElectraForSequenceClassification,
    sample: Sequence[bytes],
    device: torch.device,
) -> str:
    """Return the first dtype whose probabilities are close to those in float32."""
    texts = sorted(sample, key=len)[::2]
    ids = np.frombuffer(bytearray().join(texts), dtype=np.int32)
    lengths = [length_of(text) for text in texts]

    def probabilities(dtype: str, where: torch.device) -> torch.Tensor:
        return torch.softmax(PackedElectra(module, dtype=dtype, device=where)(ids, lengths), dim=-1).cpu()

    def reference() -> torch.Tensor:
        try:
            return probabilities("fp32", device)
        except torch.OutOfMemoryError:
            return probabilities("fp32", torch.device("cpu"))

    for dtype in dtypes:
        if dtype == "fp32":
            break
        try:
            given = probabilities(dtype, device)
        except torch.OutOfMemoryError:
            log.info("calibration.out_of_memory", what=dtype)
            continue
        difference = float((given - reference()).abs().mean())
        if difference <= _MOST_DIFFERENCE:
            return dtype
        log.warning("dtype.not_true_enough", dtype=dtype, mean_difference=round(difference, 4))
    return "fp32"


def _chunk(sample: Sequence[bytes], tokens: int) -> tuple[np.ndarray, list[int]]:
    """Take one chunk out of many, as a long queue of texts like these would give."""
    whole = sum(length_of(text) for text in sample)
    texts = list(sample) * max(1, 8 * tokens // whole)
    lengths = [length_of(text) for text in texts]
    chunks = plan(lengths, tokens)
    chosen = chunks[len(chunks) // 2]
    ids = np.frombuffer(bytearray().join(texts[i] for i in chosen), dtype=np.int32)
    return ids, [lengths[i] for i in chosen]


def _remembered(key: str) -> Choice | None:
    try:
        return Choice(**json.loads(_file().read_text(encoding="utf-8"))[key])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(key: str, choice: Choice) -> None:
    """Keep a choice for the next start; where that cannot be written, the next start measures again."""
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            known = dict(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            known = {}
        known.pop(key, None)
        latest = dict([*known.items(), (key, asdict(choice))][-_MOST_REMEMBERED:])
        beside = file.with_name(f"{file.name}.{os.getpid()}")
        beside.write_text(json.dumps(latest, indent=1, ensure_ascii=False), encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        log.debug("calibration.not_kept", error=str(error))


def _key(revision: str, device: torch.device, dtype: str | None) -> str:
    """Name this machine, the device, the way torch uses them, the model, and what was fixed."""
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()
    fixed = f" | {dtype}" if dtype else ""
    return f"{kind} | {torch.get_num_threads()} threads | torch {torch.__version__} | {revision}{fixed}"


def _file() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "nifos-stream" / "calibration.json"


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} {torch.backends.cpu.get_cpu_capability()}"
    except OSError:
        pass
    return f"{platform.machine()} {platform.processor()}"
