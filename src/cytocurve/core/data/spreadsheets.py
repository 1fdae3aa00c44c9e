"""Text in tables that people open in a spreadsheet, which would run a cell that starts like a formula."""

import re

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_HARMLESS = re.compile(rf"{_NUMBER}(?: {_NUMBER})*")
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def escaped(text: str) -> str:
    """The text with an apostrophe in front if a spreadsheet would read it as a formula; numbers stay numbers."""
    return f"'{text}" if _FORMULA.match(text) and not _HARMLESS.fullmatch(text) else text


def unescaped(text: str) -> str:
    """The text that ``escaped`` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
