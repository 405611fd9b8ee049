"""Read a model directory, or a model on the hub. Knows file formats, not how a model is run."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import tokenizers
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from pydantic import BaseModel, Field, ValidationError
from transformers import BertTokenizer, ElectraConfig, ElectraForSequenceClassification

from nifos_stream.errors import UserError
from nifos_stream.messages import LABELS, LABELS_KO, Label
from nifos_stream.model import place, weights
from nifos_stream.model.cleaning import Cleaning

_WANTED = ["*.json", "*.safetensors", "vocab.txt"]
# A vocabulary may be smaller than the embeddings, which some round up to a multiple of 64 or 128.
_SPARE_EMBEDDINGS = 127


class Manifest(BaseModel):
    """`nifos.json`: what a model directory says of its model beside transformers' own files."""

    format: Literal[1] = 1
    name: str | None = None
    max_length: int = Field(60, ge=8)
    labels: tuple[Label, Label, Label] | None = None
    cleaning: tuple[str, ...] = ("nfc", "line_breaks", "spaces")
    kept: str = ""
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)
    weights: Literal["plain", "int8-rows"] = "plain"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model as it lay on disk.

    order: the module's output that stands for each of LABELS.
    """

    name: str
    revision: str
    max_length: int
    cleaning: Cleaning
    temperature: float
    order: tuple[int, int, int]
    tokenizer: tokenizers.Tokenizer
    module: ElectraForSequenceClassification


def load(path: str | Path) -> Loaded:
    """Load `bundled`, a directory or a hub name, in float32 on the CPU; UserError where it cannot be."""
    directory = find(str(path))
    manifest = read_manifest(directory)
    config = read_config(directory)
    files = weights.files(directory)
    tokenizer = read_tokenizer(directory)
    check_vocabulary(directory, config, tokenizer)
    _check_sizes(directory, manifest, config)
    cleaning = Cleaning(manifest.cleaning, manifest.kept)
    if manifest.weights == "int8-rows":
        module = weights.read_int8_rows(config, files[0])
    else:
        module = weights.read_plain(directory)
    return Loaded(
        name=manifest.name or _name(str(path), directory),
        revision=_revision(directory, manifest, config, files),
        max_length=manifest.max_length,
        cleaning=cleaning,
        temperature=manifest.temperature,
        order=_order(directory, manifest, config),
        tokenizer=tokenizer,
        module=module,
    )


def find(path: str, also: Sequence[str] = ()) -> Path:
    """Return the directory of `bundled`, a directory or a hub name, fetched if need be; else UserError.

    also: names of files that are wanted beside those of a model directory.
    """
    directory = place.local(path)
    if directory is not None:
        return directory
    try:
        return Path(snapshot_download(path, allow_patterns=[*_WANTED, *also]))
    except (HfHubHTTPError, OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise UserError(f"{path} is no directory here, nor to be had from the hub ({reason}).") from None


def read_manifest(directory: Path) -> Manifest:
    """Return what `nifos.json` says, or what holds without one; UserError when it is not valid."""
    file = directory / "nifos.json"
    try:
        return Manifest.model_validate_json(file.read_bytes()) if file.exists() else Manifest()
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "file"
        raise UserError(f"{file} is not valid: {where}: {problem['msg']}.") from None


def read_config(directory: Path) -> ElectraConfig:
    """Return the shape of the model in a directory; UserError when it is none, or not of ELECTRA's kind."""
    file = directory / "config.json"
    try:
        kind = json.loads(file.read_bytes())["model_type"]
        if kind != "electra":
            raise UserError(f"{file} is of a {kind} model; only ELECTRA models can be read.")
        return ElectraConfig.from_pretrained(directory, local_files_only=True)
    except FileNotFoundError:
        raise UserError(f"{directory} is no model directory: it has no config.json.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} cannot be read: {str(error).partition(chr(10))[0]}.") from None


def read_tokenizer(directory: Path) -> tokenizers.Tokenizer:
    """Return the tokenizer of tokenizer.json, or of vocab.txt where an older directory has only that."""
    try:
        # Read as it is: transformers' classes put their own normalizer in the place of the file's.
        if (directory / "tokenizer.json").exists():
            return tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
        if (directory / "vocab.txt").exists():
            # ELECTRA has no tokenizer of its own: it took BERT's. Which makes small letters, unless told
            # otherwise, and with the accents takes Hangul apart, so that every word is unknown.
            told = directory / "tokenizer_config.json"
            said: dict[str, Any] = json.loads(told.read_bytes()) if told.exists() else {}
            lowers = bool(said.get("do_lower_case", False))
            fast = BertTokenizer.from_pretrained(directory, local_files_only=True, do_lower_case=lowers)
            return cast(tokenizers.Tokenizer, fast.backend_tokenizer)
    except Exception as error:  # noqa: BLE001 - the tokenizers library raises nothing narrower
        reason = str(error).partition("\n")[0].rstrip(".")
        raise UserError(f"The tokenizer in {directory} cannot be read: {reason}.") from None
    raise UserError(f"{directory} is no model directory: it has neither tokenizer.json nor vocab.txt.")


def check_vocabulary(directory: Path, config: ElectraConfig, tokenizer: tokenizers.Tokenizer) -> None:
    """Raise UserError when a tokenizer has not as many entries as its model has embeddings."""
    entries = tokenizer.get_vocab_size(with_added_tokens=True)
    if not config.vocab_size - _SPARE_EMBEDDINGS <= entries <= config.vocab_size:
        raise UserError(
            f"The tokenizer in {directory} has {entries} entries, its model {config.vocab_size}: "
            "they do not belong together."
        )


def _check_sizes(directory: Path, manifest: Manifest, config: ElectraConfig) -> None:
    if manifest.max_length > config.max_position_embeddings:
        raise UserError(
            f"{directory} asks for {manifest.max_length} tokens, its model reads at most "
            f"{config.max_position_embeddings}."
        )
    if config.num_labels != len(LABELS):
        raise UserError(f"The model in {directory} has {config.num_labels} labels; 3 are needed.")


def _order(directory: Path, manifest: Manifest, config: ElectraConfig) -> tuple[int, int, int]:
    names = [str(name) for _, name in sorted((config.id2label or {}).items())]
    labels = manifest.labels or tuple(_label(name, place) for place, name in enumerate(names))
    if set(labels) != set(LABELS):
        raise UserError(
            f"The labels of the model in {directory} are not 부정, 중립 and 긍정 but {', '.join(names)}."
        )
    negative, neutral, positive = (labels.index(label) for label in LABELS)
    return negative, neutral, positive


def _label(name: str, place: int) -> Label | None:
    known = {f"label_{place}": LABELS[place]}
    known |= {str(label): label for label in LABELS} | {LABELS_KO[label]: label for label in LABELS}
    return known.get(name.strip().lower())


def _name(path: str, directory: Path) -> str:
    return path if place.local(path) is None else directory.resolve().name


def _revision(directory: Path, manifest: Manifest, config: ElectraConfig, files: list[Path]) -> str:
    """Hash what decides a label: weights, tokenizer, architecture, cleaning, temperature."""
    digest = hashlib.sha256()
    words = [directory / "tokenizer.json"]
    if not words[0].exists():
        words = [
            file for name in ("vocab.txt", "tokenizer_config.json") if (file := directory / name).exists()
        ]
    for file in [*files, *words]:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    shape: dict[str, Any] = config.to_diff_dict()
    for name in ("transformers_version", "_name_or_path", "architectures", "dtype", "torch_dtype"):
        shape.pop(name, None)
    decisive = {"config": shape, "manifest": manifest.model_dump(mode="json", exclude={"name"})}
    digest.update(json.dumps(decisive, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()[:12]
