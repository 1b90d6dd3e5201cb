"""What the pages use of `ifdd`, which they do not import themselves."""

from ifdd.card import Card as Card
from ifdd.checkpoints import Bundle as Bundle
from ifdd.checkpoints import load_checkpoint as load_checkpoint
from ifdd.checkpoints import verified_card as verified_card
from ifdd.documents import user_path as user_path
from ifdd.errors import DiskError as DiskError
from ifdd.errors import InputError as InputError
from ifdd.errors import NoFaceError as NoFaceError
from ifdd.plain import markdown_text as markdown_text
from ifdd.tables import csv_text as csv_text
