"""`export-model`: any model that the worker serves, as a directory of plain fp32 weights."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from nifos_stream.errors import UserError


def run_export(model: str, out: Path, console: Console | None = None) -> None:
    """Write `bundled`, a directory or a hub name to `out`: fp32 safetensors, tokenizer, config, nifos.json.

    Its revision is another one, since the files are; it gives the same labels. UserError when the model
    cannot be read, or when `out` holds one already.
    """
    from nifos_stream.training import exported

    console = console or Console(soft_wrap=True, highlight=False)
    if (out / "config.json").exists():
        raise UserError(f"{out} already holds a model; name another directory.")
    revisions = exported.plain(model, out)
    console.print(
        Text(
            f"{model} (revision {revisions.before}) is written to {out} in fp32 (revision {revisions.after})"
        )
    )
