import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import ifdd.repository


def commit_of(copy: Path) -> str | None:
    spec = importlib.util.spec_from_file_location(f"copy_{copy.parent.name}", copy)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.source_commit()


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True)


def test_the_commit_is_that_of_the_tracked_code(tmp_path: Path) -> None:
    source = Path(ifdd.repository.__file__)
    for name in ("own", "installed"):
        (tmp_path / name).mkdir()
        shutil.copy(source, tmp_path / name)
    own, installed = (tmp_path / name / source.name for name in ("own", "installed"))
    assert commit_of(own) is None  # no repository
    git(tmp_path, "init")
    git(tmp_path, "add", "own")
    git(tmp_path, "commit", "-m", "a")
    found = commit_of(own)
    assert found is not None
    assert re.fullmatch("[0-9a-f]{40}", found)
    assert commit_of(installed) is None  # beside the repository's own files, but none of them
    own.write_text(own.read_text() + "\n")
    assert commit_of(own) == f"{found}-dirty"
