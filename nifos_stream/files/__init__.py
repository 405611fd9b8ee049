"""Files of posts, whatever their format and encoding, as rows and as posts.

`Table(path, columns)` gives rows of a file, `posts(table, …)` makes them posts.

    with Table("reviews.csv", columns) as table:
        for found in posts(table, columns, zone, typed=table.typed):
            ...
"""

from nifos_stream.files.columns import ALIASES, Columns, Taken, parse_mapping
from nifos_stream.files.formats import Format
from nifos_stream.files.posts import Found, made_id, posts
from nifos_stream.files.rows import Reject, Row
from nifos_stream.files.table import Table

__all__ = [
    "ALIASES",
    "Columns",
    "Format",
    "Found",
    "Reject",
    "Row",
    "Table",
    "Taken",
    "made_id",
    "parse_mapping",
    "posts",
]
