"""Which code is running."""

import hashlib
import subprocess
from functools import cache
from pathlib import Path


@cache
def source_commit() -> str | None:
    """Commit that this code was checked out from, with `-dirty` where files differ from it; None if it was installed."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        # a copy in the site-packages of another repository is not tracked there
        subprocess.run([*git, "ls-files", "--error-unmatch", __file__], capture_output=True, check=True)
        words = [*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


@cache
def code_hash(*parts: str) -> str:
    """SHA-256 of this package's source, or of the files and folders `parts` of it: what other code made is not gone on with."""
    root = Path(__file__).parent
    places = [root / part for part in parts] or [root]
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
