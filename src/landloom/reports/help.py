"""Pages of help: commands with their whole first sentences, under headings where there are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 300
"""Characters of a summary: all of every first sentence."""


class WholeGroup(TyperGroup):
    """A group whose help has the whole first sentence of each command."""

    sections: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Heading → its commands, in the order in which one needs them; others come last."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands."""
        del ctx
        listed = {name for names in self.sections.values() for name in names}
        rest = tuple(name for name in self.commands if name not in listed)
        for heading, names in (*self.sections.items(), ("More" if listed else "Commands", rest)):
            there = [(name, self.commands[name]) for name in names if name in self.commands]
            if there:
                with formatter.section(heading):
                    formatter.write_dl([(name, command.get_short_help_str(_LONGEST)) for name, command in there])
