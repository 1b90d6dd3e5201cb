"""Decode a video, or a folder of frames, one upright frame at a time."""

from ifdd.data.video.decode import probe, read_frames, read_seconds, read_times
from ifdd.data.video.frame_folder import FOLDER_FPS, IMAGE_SUFFIXES, image_files, left_out, natural_key
from ifdd.data.video.frames import Frame, Times, VideoInfo, left_to_show, stretch_name
from ifdd.data.video.hashing import file_sha256
from ifdd.data.video.images import is_animated

__all__ = [
    "FOLDER_FPS",
    "IMAGE_SUFFIXES",
    "Frame",
    "Times",
    "VideoInfo",
    "file_sha256",
    "image_files",
    "is_animated",
    "left_out",
    "left_to_show",
    "natural_key",
    "probe",
    "read_frames",
    "read_seconds",
    "read_times",
    "stretch_name",
]
