"""Frames of one stream in order of presentation with the stamps that the container gives, and a word where some are lost."""

from collections.abc import Iterator
from math import inf
from pathlib import Path

import av
import av.error

from ifdd.data.video.animation import INSTEAD, SHORTEST
from ifdd.data.video.decoder import Decoder, next_packet
from ifdd.data.video.stamps import NEW_CLOCK
from ifdd.data.video.transport import packets_lost
from ifdd.data.video.truncation import STREAM_STATED, Reading, cut_short, stated_end

_DECODE_ORDER = {"avi"}
"""Containers that stamp packets in the order in which they are decoded: of B-frames FFmpeg knows no time of presentation."""
ANIMATED = {"gif", "apng"}
"""Pictures that move, whose delays browsers do not take literally."""
_ONE_PICTURE_A_PACKET = {"h264", "hevc", "mpeg1video", "mpeg2video"}
_BEFORE_A_JOIN = 4
"""Frames before a join that FFmpeg may call corrupt, beside those that wait for their turn."""
_LONGEST_WAIT = 32
"""Packets that a decoder may hold before it gives a picture; the standards allow 16 frames."""


class Damaged(Exception):
    """Why the frames end before the stream does."""


class Film:
    """The frames of `stream`, and how long the last one is shown. Iterate it once.

    `step` is how long a frame usually lasts by the header, in seconds. `heard` is an error of the container, who knows where.
    """

    def __init__(
        self, container: av.container.InputContainer, stream: av.video.stream.VideoStream, path: Path, heard: str | None = None
    ) -> None:
        self._container, self._stream, self._path, self._heard = container, stream, path, heard
        rate = float(stream.guessed_rate or stream.average_rate or 25)
        self.step = 1 / rate if 0.1 < rate < 2000 else 0.04
        self._in_decode_order = container.format.name in _DECODE_ORDER
        self._unit = float(stream.time_base or 1)
        self._reading = Reading()
        self._fed = 0
        self._owed: dict[int, tuple[int, float]] = {}  # stamp: number and seconds of a packet that gave no picture yet
        self._joined: bool | None = None  # whether all that is torn is so because the file was joined of several
        self._last: int | None = None  # stamp of the newest frame
        self._lasts = 0.0  # seconds that its packet gives it
        self._given = 0
        self._watched = 0  # number of the last frame that may follow where files were joined
        self._decoder = Decoder(stream, container.format.name)
        self._longer = 0  # units of time by which animated pictures are shown longer than stated
        self._begun: float | None = None  # stamp of the first key picture, -inf where it has none

    def __iter__(self) -> Iterator[tuple[float | None, av.VideoFrame]]:
        """(stamp in seconds or None, frame).

        Raises: Damaged, after the frames that are whole.
        """
        packets = self._container.demux()
        while True:
            try:
                packet, why = next_packet(self._container, packets)
                if why:
                    raise Damaged(f"its container is damaged: {why}")
                frames = self._feed(packet)
            except StopIteration:
                break
            except av.error.FFmpegError as error:
                raise Damaged(error.strerror) from error
            for frame in frames:
                if self._given or not frame.is_corrupt:
                    yield self._check(frame), frame
        if self._given and (why := self._what_is_missing()):
            raise Damaged(why)

    def last_lasts(self, seconds: float) -> float | None:
        """Seconds that the last frame, shown from `seconds` on, stays, or None where nobody says.

        A stream's own header comes first, as an edit list ends a stream before its last packet does; then the packet, unless
        the length of the file is more.
        """
        end = stated_end(self._container, self._stream, self._path, self._reading)
        end = end if end is None else end + self._longer * self._unit
        stated = 0.0
        if end is not None and self._in_decode_order:
            stated = end - seconds - float(self._stream.start_time or 0) * self._unit
        elif end is not None and self._last is not None:
            last = self._last * self._unit
            # not where a new clock began on the way: the header's end is by the old one
            stated = end - last if self._reading.video <= last + self._lasts + 1e-3 else 0.0
        if self._container.format.name in STREAM_STATED and stated > 1e-3:
            return stated
        return max(stated, self._lasts) or None

    def _feed(self, packet: av.Packet) -> list[av.VideoFrame]:
        own = packet.stream is self._stream
        if own and self._container.format.name in ANIMATED:
            self._show_longer(packet)
        self._reading.note(packet, own)
        if not own:
            return []
        if packet.pts is not None:
            self._fed += 1
            if not packet.is_discard:
                self._owed[packet.pts] = (self._fed, float(packet.duration or 0) * self._unit)
        if packet.is_corrupt and self._given:
            if self._torn():
                raise Damaged("packets of it are lost")
            self._watched = self._given + self._reorders + _BEFORE_A_JOIN
        frames, why = self._decoder.decode(packet)
        if self._decoder.gap and self._given:
            self._watched = self._given + self._reorders + _BEFORE_A_JOIN
        if why is None:
            if packet.is_keyframe and self._begun is None:
                self._begun = -inf if packet.pts is None else packet.pts
            return frames
        # a stream may begin within a group of pictures, or with some that need what was before its first whole one
        if self._given or packet.is_keyframe or (self._begun is not None and (packet.pts is None or packet.pts >= self._begun)):
            raise Damaged(f"the decoder says: {why}")
        return []

    def _show_longer(self, packet: av.Packet) -> None:
        """Browsers show a picture of 10 ms or less for 100."""
        if packet.pts is None:
            return
        packet.pts += self._longer
        packet.dts = packet.pts
        if packet.duration and packet.duration * self._unit <= SHORTEST:
            wanted = round(INSTEAD / self._unit)
            self._longer += wanted - packet.duration
            packet.duration = wanted

    def _check(self, frame: av.VideoFrame) -> float | None:
        """The stamp of a frame.

        Raises: Damaged where it is torn, or frames before it gave no picture.
        """
        if frame.is_corrupt and self._torn():
            raise Damaged("the next frame is damaged")
        self._given += 1
        if frame.pts is not None:
            number, self._lasts = self._owed.pop(frame.pts, (self._fed, 0.0))
            lost = [] if self._last is None else self._lost(self._last, frame.pts, number)
            # one stamp that runs ahead passes those that wait for their turn: no more than the decoder reorders
            if len(lost) > self._reorders or (lost and (frame.pts - (self._last or 0)) * self._unit < 4 * self.step):
                raise Damaged(f"what the next {len(lost)} frames need is lost, they cannot be decoded")
            hole = 0.0 if self._last is None else (frame.pts - self._last) * self._unit
            if self._given <= self._watched and 1.5 * self.step < hole <= NEW_CLOCK:
                raise Damaged(f"{hole - self.step:.2f} s of it are lost")  # parts were joined, and one is missing
            self._owed = {stamp: said for stamp, said in self._owed.items() if said[0] > self._fed - _LONGEST_WAIT}
            self._last = frame.pts
        stamp = frame.dts if self._in_decode_order else frame.pts
        return None if stamp is None else stamp * self._unit

    def _torn(self) -> bool:
        """Whether what FFmpeg calls corrupt is damaged: it also calls so what lies where files were joined."""
        if self._joined is None:
            self._joined = self._container.format.name == "mpegts" and not packets_lost(self._path, self._stream.id)
        return not self._joined

    @property
    def _reorders(self) -> int:
        return self._stream.codec_context.has_b_frames

    def _lost(self, after: int, before: float, number: float) -> list[int]:
        """Stamps between two frames of packets, fed before the packet of that number, that gave no picture.

        Only where that leaves a hole in time: the second field of a frame, or a frame that says "as before", leaves none.
        """
        if self._in_decode_order or self._stream.codec_context.name not in _ONE_PICTURE_A_PACKET:
            return []
        if (before - after) * self._unit < 1.5 * self.step:
            return []
        return [
            stamp for stamp, (n, _) in self._owed.items() if after + 0.75 * self.step / self._unit < stamp < before and n < number
        ]

    def _what_is_missing(self) -> str | None:
        if self._last is not None and (lost := self._lost(self._last, inf, inf)):
            return f"what the last {len(lost)} frames need is lost, they cannot be decoded"
        why = cut_short(self._container, self._stream, self._path, self._reading, self.step)
        return why or (f"its container is damaged somewhere before: {self._heard}" if self._heard else None)
