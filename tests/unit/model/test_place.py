"""Where a model lies is said before anything heavy is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from nifos_stream.errors import UserError
from nifos_stream.model import place


def test_the_bundled_model_and_a_directory_are_found(tmp_path: Path) -> None:
    bundled = place.local("bundled")
    assert bundled is not None
    assert (bundled / "config.json").exists()
    assert place.local(str(tmp_path)) == tmp_path


def test_a_name_of_the_hub_is_not_here() -> None:
    assert place.local("monologg/koelectra-base-v3-discriminator") is None


def test_what_can_be_no_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        place.local(str(tmp_path / "missing"))
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        place.local(str(tmp_path / "file"))


def test_a_missing_directory_is_said_before_torch_is_imported(tmp_path: Path) -> None:
    """torch takes seconds to import; a typing error in a path need not wait for it."""
    program = (
        "import sys\n"
        "from nifos_stream import load_model\n"
        "from nifos_stream.errors import UserError\n"
        "try:\n"
        "    load_model(sys.argv[1])\n"
        "except UserError as error:\n"
        "    print(error, 'torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "missing")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == f"Model directory {tmp_path / 'missing'} does not exist. False\n"
