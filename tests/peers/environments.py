"""An environment for each peer, that has its own packages in front of those of the project.

So all share one torch and one transformers, and pip brings only what the project has not, or not in a version
that the peer takes. They lie in .envs and are made when they are asked for first.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from nifos_stream.errors import NifosError

FOLDER = Path(__file__).parent / ".envs"
OWN = Path(sys.executable)
SHARED = ("torch", "transformers", "tokenizers")


class Unavailable(NifosError):
    """A peer cannot be installed, or not beside the shared packages; says why."""


def python_with(requirement: str) -> Path:
    """The interpreter of an environment with `requirement`, such as bytewax==0.21.1. Unavailable."""
    environment = FOLDER / requirement.partition("==")[0]
    python = environment / "bin" / "python"
    ready = environment / ".ready"
    described = f"{requirement}\n{sysconfig.get_path('purelib')}\n"
    if ready.exists() and ready.read_text(encoding="utf-8") == described:
        return python
    shutil.rmtree(environment, ignore_errors=True)
    _run([sys.executable, "-m", "venv", "--without-pip", str(environment)], requirement)
    _link(environment)
    # Nothing is built: a peer without a wheel for this Python is left out.
    _run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"),
            *("install", "--quiet", "--only-binary", ":all:", requirement),
        ],
        requirement,
    )
    _check(python, requirement)
    ready.write_text(described, encoding="utf-8")
    return python


def _link(environment: Path) -> None:
    """Append the project's packages; `addsitedir` also reads what makes its own package importable."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    file = environment / "lib" / version / "site-packages" / "project.pth"
    file.write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n", encoding="utf-8")


def _check(python: Path, requirement: str) -> None:
    wanted = "; ".join(f"import {name}; print({name}.__file__)" for name in SHARED)
    files = _run([str(python), "-c", wanted], requirement).split()
    own = [file for file in files if Path(file).is_relative_to(FOLDER)]
    if own:
        raise Unavailable(f"{requirement} brings a version of its own of what all should share: {own}.")


def _run(argv: list[str], requirement: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-5:]
        raise Unavailable(f"{requirement} cannot be had here:\n" + "\n".join(last))
    return done.stdout
