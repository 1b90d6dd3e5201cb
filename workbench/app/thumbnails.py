"""Small pictures of a dataset's clips, made when they are first asked for and kept in one file of the workspace."""

import io
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock

from workbench.app.clipview import thumbnail
from workbench.store.dataset import Dataset

FOLDER = "thumbnails"
"""Of a workspace's results; a file for each dataset. It may be removed: pictures are made again."""
IN_MEMORY = 4096  # pictures of some 3 kB that are kept where the disk takes none
_PATIENCE = 2.0  # seconds for another server that writes into the same file
_TABLE = "CREATE TABLE IF NOT EXISTS pictures (clip TEXT PRIMARY KEY, stamp TEXT NOT NULL, webp BLOB NOT NULL) WITHOUT ROWID"


class Thumbnails:
    """Pictures of the clips of one dataset, in the SQLite file `file`; where that cannot be written, in memory."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._memory: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._turn, self._making = Lock(), Lock()
        self._in_the_making: dict[str, Lock] = {}

    def stamp(self, dataset: Dataset, clip_id: str) -> str:
        """What changes when another picture is due: the clip's file, or the frame that is shown of it.

        Raises: KeyError for a clip that the list does not have, OSError for one that is not there.
        """
        about = dataset.path(clip_id).stat()
        return f"{about.st_size} {about.st_mtime_ns} {dataset.apex(clip_id):.4f}"

    def picture(self, dataset: Dataset, clip_id: str) -> bytes:
        """The frame at the clip's apex as WebP, at most `clipview.THUMBNAIL` pixels wide and high; made once for all who ask.

        Raises: as `stamp`; InputError for a clip that cannot be read.
        """
        stamp = self.stamp(dataset, clip_id)
        with self._one_maker(clip_id):
            found = self._kept(clip_id)
            if found is not None and found[0] == stamp:
                return found[1]
            made = _webp(dataset, clip_id)
            self._keep(clip_id, stamp, made)
            return made

    @contextmanager
    def _one_maker(self, clip_id: str) -> Iterator[None]:
        with self._making:
            lock = self._in_the_making.setdefault(clip_id, Lock())
        with lock:
            yield
        with self._making:
            self._in_the_making.pop(clip_id, None)

    def _kept(self, clip_id: str) -> tuple[str, bytes] | None:
        with self._turn:
            if clip_id in self._memory:
                return self._memory[clip_id]
            if not self.file.is_file():
                return None
            with suppress(sqlite3.Error), closing(self._open()) as pictures:
                row = pictures.execute("SELECT stamp, webp FROM pictures WHERE clip = ?", (clip_id,)).fetchone()
                return None if row is None else (str(row[0]), bytes(row[1]))
        return None

    def _keep(self, clip_id: str, stamp: str, webp: bytes) -> None:
        with self._turn:
            try:
                self._write(clip_id, stamp, webp)
            except (sqlite3.Error, OSError):  # a disk that is full or read-only: the pictures are shown all the same
                self._memory[clip_id] = (stamp, webp)
                while len(self._memory) > IN_MEMORY:
                    self._memory.popitem(last=False)
            else:
                self._memory.pop(clip_id, None)

    def _write(self, clip_id: str, stamp: str, webp: bytes) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._insert(clip_id, stamp, webp)
        except sqlite3.OperationalError:  # the disk, or another server that is busy
            raise
        except sqlite3.DatabaseError:  # damaged: it holds nothing that cannot be made again
            for ending in ("", "-wal", "-shm"):
                self.file.with_name(self.file.name + ending).unlink(missing_ok=True)
            self._insert(clip_id, stamp, webp)

    def _insert(self, clip_id: str, stamp: str, webp: bytes) -> None:
        with closing(self._open()) as pictures, pictures:
            pictures.execute(_TABLE)
            pictures.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)", (clip_id, stamp, webp))

    def _open(self) -> sqlite3.Connection:
        opened = sqlite3.connect(self.file, timeout=_PATIENCE)
        try:
            opened.execute("PRAGMA journal_mode = WAL")
            opened.execute("PRAGMA synchronous = OFF")  # after a power failure it is made again
        except sqlite3.Error:
            opened.close()
            raise
        return opened


def _webp(dataset: Dataset, clip_id: str) -> bytes:
    from PIL import Image

    image = thumbnail(dataset.path(clip_id), dataset.apex(clip_id), dataset.frames(clip_id))
    with io.BytesIO() as file:
        Image.fromarray(image).save(file, "WEBP", quality=82, method=2)
        return file.getvalue()
