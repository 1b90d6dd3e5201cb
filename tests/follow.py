"""Follows a guide of docs/ literally, in a copy of the repository: writes its files, adds its lines, runs its shell blocks.

The line above a block tells what to do with it: "New file `PATH`:" stands above code, "In `PATH`:" above a `diff` of added lines.
Blocks of `sh` are run; those that begin with the comment `# takes a minute` where there is time. Blocks of `text` are only read.
Anything else is a fault of the guide.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("ifdd", "workbench", "pages", "tests", "recipes", "pyproject.toml", "Makefile", "CONVENTIONS.md")
LINKED = ("checkpoints", "docs", "benchmarks", ".venv")
SLOW = "# takes a minute\n"
TESTS = "tests/"
OWN = "own/"
"""What lies there is the reader's, not the repository's."""

_BLOCK = re.compile(r"(?:^(?P<lead>[^\n]+)\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NEW = re.compile(r".*New file `(?P<path>[^`]+)`:$")
_ADD = re.compile(r".*In `(?P<path>[^`]+)`:$")
_TOLD = re.compile(r"^\*\*Touched: (?P<told>.+)\*\*$", re.MULTILINE)


@dataclass
class Followed:
    """What a guide touched, how many lines it added where, and what its shell printed."""

    new: list[str] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    printed: str = ""

    def touched(self) -> str:
        """In the words in which a guide says it."""
        ours = [name for name in self.new if not name.startswith(OWN)]
        files = [name for name in ours if not name.startswith(TESTS)]
        folders = {str(Path(name).parent) for name in files}
        where = f" in {'one folder' if len(folders) == 1 else f'{len(folders)} folders'}" if len(files) > 1 else ""
        parts = [f"{_count(len(files), 'new file')}{where}"] if files else []
        if self.lines:
            spread = "one file" if len(self.lines) == 1 else f"{len(self.lines)} files"
            parts.append(f"{_count(sum(self.lines.values()), 'line')} in {spread}")
        if tests := len(ours) - len(files):
            parts.append(f"{_count(tests, 'new file')} of tests")
        return (", ".join(parts) or "nothing") + "."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def copy_of_the_repository(folder: Path) -> Path:
    """A copy that a guide may change: code copied, large folders linked."""
    folder.mkdir()
    for name in COPIED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, folder / name)  # with what Python and numba have compiled
        else:
            shutil.copy(place, folder / name)
    for name in LINKED:
        if (ROOT / name).exists():
            (folder / name).symlink_to((ROOT / name).resolve())
    return folder


def follow(guide: Path, copy: Path, *, shell: bool = True, slow: bool = False) -> Followed:
    """Do in `copy` what the guide says, from top to bottom; without `shell` only what it writes, with `slow` all of it."""
    done = Followed()
    text = guide.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        lead, kind, code = block["lead"] or "", block["kind"], block["text"]
        where = f"{guide.name}, line {text.count(chr(10), 0, block.start('kind')) + 1}"
        if kind == "text":
            continue
        if kind == "sh":
            wanted = slow if code.startswith(SLOW) else shell
            done.printed += run_shell(code, copy, where) if wanted else ""
        elif new := _NEW.match(lead):
            _write(copy / new["path"], code, where)
            done.new.append(new["path"])
        elif kind == "diff" and (add := _ADD.match(lead)):
            added = _apply(copy / add["path"], code, where)
            done.lines[add["path"]] = done.lines.get(add["path"], 0) + added
        else:
            raise AssertionError(f"{where}: nothing above this block says what to do with it: {lead!r}")
    told = _TOLD.search(text)
    assert told, f"{guide.name} does not say what it touches"
    assert told["told"] == done.touched(), f"{guide.name} says that it touches {told['told']}"
    return done


def run_shell(code: str, copy: Path, where: str = "", **more: str) -> str:
    """Run lines of shell in the copy, as in its activated environment; returns what they print."""
    path = f"{(copy / '.venv' / 'bin').resolve()}{os.pathsep}{os.environ['PATH']}"
    given = {name: value for name, value in os.environ.items() if not name.startswith("IFDD_")}
    given |= {"PATH": path, "PYTHONPATH": str(copy), "COLUMNS": "130"} | more
    run = subprocess.run(["bash", "-euc", code], cwd=copy, env=given, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{where}\n{code}\n{run.stdout[-4000:]}\n{run.stderr[-4000:]}"
    return run.stdout


def _write(file: Path, code: str, where: str) -> None:
    assert not file.exists(), f"{where}: {file} is there already"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(code, encoding="utf-8")


def _apply(file: Path, diff: str, where: str) -> int:
    """Add lines where the diff says; returns how many."""
    lines = diff.splitlines(keepends=True)
    assert all(line[0] in " +" for line in lines), f"{where}: a line of a diff begins with + or a space"
    before, after = "".join(line[1:] for line in lines if line[0] == " "), "".join(line[1:] for line in lines)
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{where}: {file} has these lines {text.count(before)} times:\n{before}"
    file.write_text(text.replace(before, after), encoding="utf-8")
    return sum(line[0] == "+" for line in lines)
