"""Files that appear whole or not at all."""

import json
from pathlib import Path
from typing import Any


def write_text(file: Path, text: str) -> None:
    """Write UTF-8 under a temporary name, then rename; an existing file is replaced."""
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write indented JSON as `write_text` does."""
    write_text(file, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
