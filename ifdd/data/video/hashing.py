"""Hash of a video, or of a folder of frames."""

import hashlib
from pathlib import Path

from ifdd.data.video.frame_folder import image_files
from ifdd.data.video.frames import existing


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, or over the names and contents of a folder's frames in their order.

    Raises:
        InputError: no such file, a folder without images.
    """
    path = existing(path)
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for image in image_files(path):
        digest.update(f"{image.name}\0{file_sha256(image)}\n".encode())
    return digest.hexdigest()
