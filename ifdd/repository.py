"""Which commit of this repository is running."""

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
