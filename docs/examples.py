"""Show the examples of docstrings as code: a section of their own for the reference, which knows no bare `>>>`."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


def with_section(docstring: str) -> str:
    """The docstring with its examples, up to the next empty line, below "Examples:"."""
    return _EXAMPLE.sub(lambda found: "Examples:\n" + re.sub("^", "    ", found[0], flags=re.MULTILINE), docstring)


class Examples(griffe.Extension):
    """What griffe calls for every object that it reads."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring before it is parsed."""
        if obj.docstring:
            obj.docstring.value = with_section(obj.docstring.value)
