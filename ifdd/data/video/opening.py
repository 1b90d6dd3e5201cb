"""Open a video file and choose the stream that is meant."""

from pathlib import Path

import av
import av.error
import av.logging
from av.stream import Disposition

from ifdd.data.video.decoder import first_error
from ifdd.errors import InputError

# FFmpeg would draw a text file, and follow a playlist to other files
_NOT_A_VIDEO = {"tty", "concat", "hls", "dash", "sdp"}
_RAW = {"h264", "hevc"}
"""Streams without a container: the decoder has spoken, which gets these packets again and says it in its place."""
_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


def open_video(path: Path) -> tuple[av.container.InputContainer, str | None]:
    """The open file, and what its reader calls an error and will not say again while the packets are read, or None.

    To learn what the file holds, FFmpeg reads the first seconds of it, often all of a short clip, and keeps those packets.

    Raises: InputError for what is no video.
    """
    container, why = _open(path)
    if container.format.name in _NOT_A_VIDEO:
        container.close()
        raise InputError(f"{path}: text or a playlist, not a video; give the video itself")
    if why:
        try:
            container.seek(0, any_frame=True)  # read them again, to hear it where it stands
            why = why if container.format.name == "ogg" else None  # which does not come back to a page before the first picture
        except av.error.FFmpegError:  # the packets are gone all the same
            container.close()
            container, _ = _open(path)
            if container.format.name in _RAW:
                why = None
    return container, why


def _open(path: Path) -> tuple[av.container.InputContainer, str | None]:
    try:
        with av.logging.Capture(local=True) as said:
            # "file:" and the whitelist: a name with a colon is no address, and no file makes us fetch another
            # an animated PNG without a delay is shown as such a GIF is
            options = {"protocol_whitelist": "file", "default_fps": "10"}
            container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise InputError(f"{path}: not a video that can be read ({error.strerror}); give a whole video") from error
    return container, first_error(said, container.format.name)


def choose_stream(container: av.container.InputContainer, path: Path) -> av.video.stream.VideoStream:
    """The video stream that the file names as its default, else the one of the most pixels; of several, likewise, then the first.

    Pictures of the cover, thumbnails and stills are no film; a stream without a decoder is taken only where there is no other.

    Raises: InputError where there is none.
    """
    films = [stream for stream in container.streams.video if not stream.disposition & _NO_FILM]
    if not films:
        found = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        found = f"{found}, whose picture is a cover or a thumbnail" if container.streams.video else found
        raise InputError(f"{path}: holds no video, only {found}; give a video with pictures")
    best = max(films, key=lambda film: (film.codec_context is not None, _default(film), _pixels(film)))
    if best.codec_context is None:
        raise InputError(f"{path}: no decoder for its video codec; convert it to H.264 first")
    return best


def _default(stream: av.video.stream.VideoStream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _pixels(stream: av.video.stream.VideoStream) -> int:
    context = stream.codec_context
    return 0 if context is None else context.width * context.height
