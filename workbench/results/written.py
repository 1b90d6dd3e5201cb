"""What every command says of the files that it wrote."""

from pathlib import Path


def written(out: Path) -> str:
    """One line: the folder, and the files that lie in it."""
    return f"{out}: {', '.join(sorted(file.name for file in out.iterdir() if file.is_file() and file.name[0] != '.'))}"
