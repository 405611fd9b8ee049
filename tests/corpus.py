"""Where the labelled corpus lies: in the folder that CORPUS names, or else beside the checkout.

Tests that read it carry the marker `corpus`; they are left out where it is not.
"""

import os
from pathlib import Path

DATA = Path(os.environ.get("CORPUS") or Path(__file__).parents[2] / "shared" / "data")
TEST = DATA / "test.tsv.xz"
MISSING = "needs the labelled corpus (in ../shared/data, or where CORPUS says)"
