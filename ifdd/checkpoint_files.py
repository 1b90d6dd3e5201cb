"""The files of checkpoints, without their networks: where they lie, and what their cards say. No torch is loaded for that."""

import hashlib
import os
from pathlib import Path

from ifdd.card import SCHEMA, Card
from ifdd.documents import read_json, shown, user_path
from ifdd.errors import InputError

WEIGHTS, CARD, README = "weights.safetensors", "card.json", "README.md"


def checkpoint_folders() -> list[Path]:
    """Where names of checkpoints are looked up: $IFDD_CHECKPOINTS, ./checkpoints, and beside the package."""
    places = [user_path(os.environ["IFDD_CHECKPOINTS"])] if os.environ.get("IFDD_CHECKPOINTS") else []
    places += [Path("checkpoints"), Path(__file__).resolve().parents[1] / "checkpoints"]
    return [place for place in places if place.is_dir()]


def list_checkpoints() -> dict[str, Path]:
    """Names of the checkpoints that can be loaded by name → their folders."""
    found: dict[str, Path] = {}
    for place in checkpoint_folders():
        for folder in sorted(place.iterdir()):
            if _has_card(folder):
                found.setdefault(folder.name, folder)
    return found


def verified_card(folder: Path) -> Card:
    """The card of a checkpoint folder whose weights file is the one that it describes; the weights are not loaded.

    Raises: InputError as `read_card`, or for another weights file, or none.
    """
    card, file = read_card(folder), folder / WEIGHTS
    if not file.is_file():
        raise InputError(f"{file} is missing; a checkpoint is a folder with {WEIGHTS} and {CARD}")
    digest = sha256_of(file)
    if digest != card.sha256:
        raise InputError(
            f"{file} has sha256 {digest[:12]}…, its card says {card.sha256[:12] or 'nothing'}…: "
            "the weights are not the ones that the card describes; fetch the checkpoint again"
        )
    return card


def read_card(folder: Path) -> Card:
    """Read and check `card.json` of a checkpoint folder.

    Raises: InputError if it is missing, no JSON, of another schema, or has wrong fields.
    """
    file = folder / CARD
    try:
        values = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file} is missing; a checkpoint is a folder with {WEIGHTS} and {CARD}") from None
    if not isinstance(values, dict) or values.get("schema_version") != SCHEMA:
        given = values.get("schema_version") if isinstance(values, dict) else None
        raise InputError(
            f"{file} has schema version {shown(given)}, this version reads {SCHEMA}; save the checkpoint again with it"
        )
    return Card.parse(values, str(file))


def find_checkpoint(name_or_path: str | Path) -> Path:
    """The folder of a checkpoint that is named, or whose path is given. Raises: InputError for an unknown one."""
    path = user_path(name_or_path)
    if (path / CARD).is_file() or (path.is_dir() and len(path.parts) > 1):
        return path
    known = list_checkpoints()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    given, names = shown(str(name_or_path)), ", ".join(known) or "none"
    raise InputError(f"unknown checkpoint {given}; known: {names}, or give a folder's path")


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _has_card(folder: Path) -> bool:
    try:
        return (folder / CARD).is_file()
    except OSError:  # not ours to read: who reads the card is told so
        return True
