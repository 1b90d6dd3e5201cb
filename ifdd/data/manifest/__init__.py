"""The list of the clips that a data set consists of: one row a clip. Its columns are described in docs/manifest.md."""

from ifdd.data.manifest.files import clip_path, crop_notes, data_hash, files_hash, length, scene_path
from ifdd.data.manifest.index import clips_below, index_folder, index_list, index_unlabelled
from ifdd.data.manifest.rows import crop_of, fps_of, of_each_class, with_ids
from ifdd.data.manifest.table import FILE_NAME, NO_LABEL, REQUIRED, VOTES, has_labels, need_labels, read_manifest, write_manifest

__all__ = [
    "FILE_NAME",
    "NO_LABEL",
    "REQUIRED",
    "VOTES",
    "clip_path",
    "clips_below",
    "crop_notes",
    "crop_of",
    "data_hash",
    "files_hash",
    "fps_of",
    "has_labels",
    "index_folder",
    "index_list",
    "index_unlabelled",
    "length",
    "need_labels",
    "of_each_class",
    "read_manifest",
    "scene_path",
    "with_ids",
    "write_manifest",
]
