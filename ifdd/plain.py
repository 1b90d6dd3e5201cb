"""Text from files, so that nothing that shows it takes it for more than text.

A checkpoint's card, a label and a clip's id may come from a stranger: a picture in Markdown would make a reader's browser ask a
foreign address, and control characters would rewrite a terminal.
"""

import io
import re
import sys
import unicodedata

# Streamlit also reads $maths$, :colours[] and :icons:; entities begin with &
_SIGNS = frozenset("\\`*_{}[]<>|~$:&")
# what opens a list, a heading or a rule at the begin of a line, and a link without any other sign
_OPENERS = re.compile(r"^(?=[-+#=])|(?<=^\d)(?=[.)])|(?<=^\d\d)(?=[.)])|(?<=\bwww)(?=\.)", re.IGNORECASE)

_FORMULA = re.compile(r"\s*(?:[=@＝＠]|[-+＋－].*[(|!])", re.DOTALL)


def markdown_text(text: object) -> str:
    """The text as Markdown that shows it letter by letter, in one line."""
    line = "".join(f"\\{letter}" if letter in _SIGNS else letter for letter in " ".join(str(text).split()))
    return _OPENERS.sub(r"\\", line)


def terminal_text(text: object) -> str:
    """The text in one line without control characters, which are shown as � (U+FFFD)."""
    line = " ".join(str(text).split())
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in line)


def printable(text: str) -> str:
    """The text with what is no Unicode (bytes of a file's name) written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def escape_what_cannot_be_printed() -> None:
    """Let a command print any file's name, on any terminal: what that has no character for is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def sheet_text(text: str) -> str:
    """The text for a cell of a CSV file, with ' before what a spreadsheet would run.

    What begins with + or - is one where it calls something: a name may begin so.

    >>> sheet_text("=1+2"), sheet_text("-2+cmd|'x'!A0"), sheet_text("-0.5"), sheet_text("-id of a clip")
    ("'=1+2", "'-2+cmd|'x'!A0", '-0.5', '-id of a clip')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def markdown_line(text: object) -> str:
    """The text for a line of a Markdown file, readable in a terminal too: no picture, link, tag, code or cell begins in it."""
    line = " ".join(str(text).split())
    for sign in ("|", "<", "`"):
        line = line.replace(sign, f"\\{sign}")
    for opened in ("](", "][", "]:"):
        line = line.replace(opened, f"]\\{opened[1]}")
    return line
