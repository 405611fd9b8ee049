"""Read the weights of a model directory into transformers' module. Never unpickles anything."""

from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
import torch
import transformers
from transformers import ElectraConfig, ElectraForSequenceClassification

from nifos_stream.errors import UserError


def files(directory: Path) -> list[Path]:
    """Return the files that hold the weights."""
    found = sorted(directory.glob("*.safetensors"))
    if found:
        return found
    if list(directory.glob("pytorch_model*.bin")):
        raise UserError(
            f"{directory} has only pytorch_model.bin, which may run code when it is read; "
            "save it again with transformers' save_pretrained, which writes model.safetensors."
        )
    raise UserError(f"{directory} is no model directory: it has no model.safetensors.")


def read_plain(directory: Path) -> ElectraForSequenceClassification:
    """Load weights as transformers saved them."""
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        module, found = cast(
            tuple[ElectraForSequenceClassification, dict[str, Any]],
            ElectraForSequenceClassification.from_pretrained(
                directory,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            ),
        )
    except (OSError, ValueError, RuntimeError, safetensors.SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise UserError(f"The weights in {directory} cannot be read: {reason}.") from None
    if missing := sorted(found["missing_keys"]):
        raise UserError(f"The weights in {directory} are of no trained classifier: {missing[0]} is missing.")
    return _for_reading(module)


def read_int8_rows(config: ElectraConfig, file: Path) -> ElectraForSequenceClassification:
    """Load weights of which each row is int8 numbers and one scale."""
    try:
        stored = safetensors.torch.load_file(file)
        state = {
            name: tensor.float() * stored[f"{name}.scale"].float()[:, None]
            if tensor.dtype == torch.int8
            else tensor.float()
            for name, tensor in stored.items()
            if not name.endswith(".scale")
        }
        module = ElectraForSequenceClassification(config)
        module.load_state_dict(state)
    except (OSError, RuntimeError, KeyError, safetensors.SafetensorError) as error:
        raise UserError(f"{file} cannot be read as int8 rows: {str(error).partition(chr(10))[0]}.") from None
    return _for_reading(module)


def _for_reading(module: ElectraForSequenceClassification) -> ElectraForSequenceClassification:
    module.train(False)
    return module
