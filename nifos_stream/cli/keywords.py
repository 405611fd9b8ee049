"""Commands about the watch list: keywords add, remove, list."""

from typing import Annotated

import typer

from nifos_stream.cli.app import app, settings_with

keywords_app = typer.Typer(
    help="The watch list: words that every new post is searched for.", no_args_is_help=True
)
app.add_typer(keywords_app, name="keywords", rich_help_panel="Posts and counts")

Words = Annotated[list[str], typer.Argument(metavar="WORD…", help="Words; quote one that has spaces.")]


@keywords_app.command("add", epilog="Example: nifos-stream keywords add 산불 '국립 공원' KTX")
def keywords_add(
    words: Words,
    compounds: Annotated[
        bool, typer.Option("--compounds", help="Find them at the beginning of longer words, too: 산불감시원.")
    ] = False,
) -> None:
    """Watch for words. Running workers find them within seconds; posts labelled before stay as they are.

    Particles and endings may follow a word (산불이, 산불에서는). Added again, a word takes the new option.
    """
    from nifos_stream.commands import keywords as command

    for sentence in command.add(settings_with(), words, compounds=compounds):
        typer.echo(sentence)


@keywords_app.command("remove", epilog="Example: nifos-stream keywords remove 산불")
def keywords_remove(words: Words) -> None:
    """Watch for words no longer. What was counted stays."""
    from nifos_stream.commands import keywords as command

    for sentence in command.remove(settings_with(), words):
        typer.echo(sentence)


@keywords_app.command("list", epilog="Example: nifos-stream keywords list --json")
def keywords_list(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show the words that are watched for."""
    from rich.console import Console

    from nifos_stream.commands import keywords as command

    settings = settings_with()
    words = command.shown(settings)
    if as_json:
        typer.echo(command.as_json(words))
    else:
        Console(highlight=False).print(command.table(words, settings.zone), markup=False)
