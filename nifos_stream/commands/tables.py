"""How commands draw a table: no lines, a dim header, columns two spaces apart. Knows no row."""

from collections.abc import Collection

from rich.table import Table


def table(*names: str, numbers: Collection[str] = (), folded: str | None = None) -> Table:
    """A table to add rows to.

    names: of the columns. numbers: those to the right. folded: the one that may take several lines, where
    the others are never cut.
    """
    drawn = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        drawn.add_column(
            name,
            justify="right" if name in numbers else "left",
            no_wrap=folded is not None and name != folded,
            overflow="fold",
        )
    return drawn
