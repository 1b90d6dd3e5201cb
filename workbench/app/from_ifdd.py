"""What the pages use of `ifdd`, which they do not import themselves; no torch is loaded for that."""

from pathlib import Path
from typing import TYPE_CHECKING

from ifdd.card import Card as Card
from ifdd.checkpoint_files import verified_card as verified_card
from ifdd.documents import user_path as user_path
from ifdd.errors import DiskError as DiskError
from ifdd.errors import InputError as InputError
from ifdd.errors import NoFaceError as NoFaceError
from ifdd.plain import markdown_text as markdown_text
from ifdd.tables import csv_text as csv_text

if TYPE_CHECKING:
    from ifdd.checkpoints import Bundle as Bundle


def load_checkpoint(folder: Path) -> "Bundle":
    """As that of `ifdd.checkpoints`, which brings torch with it."""
    from ifdd.checkpoints import load_checkpoint

    return load_checkpoint(folder)
