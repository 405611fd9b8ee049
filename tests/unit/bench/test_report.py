import io
import json

import pytest

from nifos_stream.bench.report import Report, json_line, show


def test_the_last_line_is_the_only_json():
    out = io.StringIO()
    show(
        Report(
            "Title [1]", ("what", "posts/s"), [("pipeline", "1,000")], {"bench": "x", "ratio": 0.5}, ["Note."]
        ),
        out,
    )
    *table, line = out.getvalue().splitlines()
    assert json.loads(line) == {"bench": "x", "ratio": 0.5}
    assert table[0] == "Title [1]"
    assert table[1:] == ["", "what      posts/s", "pipeline    1,000", "", "Note."]


def test_what_is_no_number_is_no_result():
    with pytest.raises(ValueError, match="JSON"):
        json_line({"ratio": float("nan")})
