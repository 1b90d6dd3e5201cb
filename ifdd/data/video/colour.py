"""From a decoded frame to 8-bit RGB as an SDR screen shows it."""

from functools import lru_cache
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc

from ifdd.data.video.transparency import over_background

WHITE = 203.0
"""Nits of diffuse white in HDR (ITU-R BT.2408), shown as SDR white before highlights are pressed together."""
PEAK = 1000.0
"""Nits that become the brightest SDR value; the reference peak of HLG."""
_KNEE = 0.3
_UNKNOWN, _GAMMA = 2, 2.4
_CURVES = {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}
_NOT_SHOWN = {
    ColorTrc.LINEAR: "linear",
    ColorTrc.LOG: "logarithmic",
    ColorTrc.LOG_SQRT: "logarithmic",
    ColorTrc.SMPTE428: "cinema",
}
_FORMATS = {(False, False): "rgb24", (True, False): "rgba", (False, True): "rgb48le", (True, True): "rgba64le"}
# linear light to that of BT.709, D65 both: ITU-R BT.2087, and SMPTE EG 432-1
_TO_709 = {
    ColorPrimaries.BT2020: [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    ColorPrimaries.SMPTE432: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098273]],
}


class UnknownColour(ValueError):
    """A colour space that cannot be read; says which."""


def to_rgb(frame: av.VideoFrame, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8 RGB of a decoded frame.

    Tagged matrix and range are honoured. Without a tag, a frame of at least 1280 columns or more than 576 lines is BT.709,
    as players take it, a smaller one BT.601. HDR (PQ, HLG) is tone-mapped as FFmpeg's
    `zscale=t=linear:npl=203, zscale=p=bt709, tonemap=mobius:param=0.3:desat=0:peak=4.926, zscale=t=bt709` does; BT.2020 and
    P3 colours become those of BT.709. An interlaced frame shows its upper field. Transparency lies over black.

    Raises:
        UnknownColour: a matrix or transfer curve that cannot be converted.
    """
    if frame.color_trc in _NOT_SHOWN:
        raise UnknownColour(f"{_NOT_SHOWN[ColorTrc(frame.color_trc)]} light")
    large = frame.width >= 1280 or frame.height > 576
    matrix = frame.colorspace
    if matrix == _UNKNOWN:
        matrix = Colorspace.ITU709 if large else Colorspace.ITU601
    primaries = frame.color_primaries
    if primaries == _UNKNOWN and frame.color_trc in _CURVES:
        primaries = ColorPrimaries.BT2020
    alpha = frame.format.has_palette or any(part.is_alpha for part in frame.format.components)
    wide = frame.color_trc in _CURVES or primaries in _TO_709
    shown = _upper_field(frame) if frame.interlaced_frame else frame
    size = (None, None) if alpha else (width, height)  # a colour under transparency would bleed when scaled
    try:
        shown = shown.reformat(size[0], size[1], _FORMATS[alpha, wide], src_colorspace=matrix)
    except OSError as error:
        raise UnknownColour(f"colour matrix {matrix}") from error
    pixels: Any = shown.to_ndarray()
    if wide:
        colours = _standard(pixels[..., :3], frame.color_trc, primaries)
        pixels = np.dstack([colours, (pixels[..., 3] >> 8).astype(np.uint8)]) if alpha else colours
    if alpha:
        pixels = over_background(pixels)
        if pixels.shape[:2] != (height, width):
            pixels = av.VideoFrame.from_ndarray(pixels, format="rgb24").to_ndarray(format="rgb24", width=width, height=height)
    return pixels


def _standard(pixels: np.ndarray, curve: int, primaries: int) -> np.ndarray:
    """(H, W, 3) uint16 RGB of a curve and primaries -> (H, W, 3) uint8 RGB of BT.709 for a display of gamma 2.4."""
    light = _to_light(curve)[pixels]
    if curve == ColorTrc.ARIB_STD_B67:  # BT.2100: the display makes bright scenes brighter, by their luminance
        light *= np.power(light @ np.array([0.2627, 0.6780, 0.0593], np.float32), 0.2)[..., None] * np.float32(PEAK / WHITE)
    if primaries in _TO_709:
        light = light @ np.array(_TO_709[ColorPrimaries(primaries)], np.float32).T
    if curve in _CURVES:
        brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
        light *= _tone(brightest) / brightest
    return (np.power(np.clip(light, 0, 1), np.float32(1 / _GAMMA)) * 255 + 0.5).astype(np.uint8)


@lru_cache
def _to_light(curve: int) -> np.ndarray:
    """(65536,) light of each code; diffuse white is 1, of HLG it is that of the scene (BT.2100)."""
    code = np.linspace(0, 1, 65536)
    if curve == ColorTrc.SMPTE2084:
        power = code ** (1 / 78.84375)
        light = 10_000 / WHITE * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    elif curve == ColorTrc.ARIB_STD_B67:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:
        light = code**_GAMMA
    return light.astype(np.float32)


def _tone(light: np.ndarray) -> np.ndarray:
    """Möbius curve: equal up to the knee, then smooth to 1 at the peak."""
    knee, peak = _KNEE, PEAK / WHITE
    a = -(knee**2) * (peak - 1) / (knee**2 - 2 * knee + peak)
    b = (knee**2 - 2 * knee * peak + peak) / (peak - 1)
    return np.where(light <= knee, light, (b**2 + 2 * b * knee + knee**2) / (b - a) * (light + a) / (light + b))


def _upper_field(frame: av.VideoFrame) -> av.VideoFrame:
    """Every second line of an interlaced frame: the two fields are different moments, woven they would show combs."""
    graph = Graph()
    tags = f"colorspace={frame.colorspace}:range={frame.color_range}"
    source = graph.add("buffer", f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1:{tags}")
    field, sink = graph.add("field", "type=top"), graph.add("buffersink")
    source.link_to(field)
    field.link_to(sink)
    graph.configure()
    source.push(frame)
    half = graph.pull()
    assert isinstance(half, av.VideoFrame)
    return half
