"""Commands whose help ends with examples, printed line by line as they are written."""

from __future__ import annotations

import click


class ExampleCommand(click.Command):
    """A command whose epilog, its examples, is printed line by line."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are."""
        write_verbatim(formatter, self.epilog or "")


def write_verbatim(formatter: click.HelpFormatter, text: str) -> None:
    """Write `text`, a headline and lines below it, with their line ends."""
    if text:
        formatter.write_paragraph()
        formatter.write(text.strip("\n") + "\n")
