"""Parts beside the face's skin: eyeballs, teeth, tongue, ears, neck, shoulders, hair. Canonical cm, linear colours."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from ifdd.scripted.head.anatomy import EYE_CENTRE, EYE_RADIUS, JAW_DEGREES, smoothstep, turn_jaw
from ifdd.scripted.head.templates import surface
from ifdd.scripted.raster import to_linear
from ifdd.scripted.script.elements import Appearance
from ifdd.scripted.script.units import INDEX, UNITS


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of mesh with one colour per vertex."""

    vertices: np.ndarray  # (V, 3)
    triangles: np.ndarray  # (F, 3)
    colour: np.ndarray  # (V, 3)
    gloss: float
    jaw: np.ndarray | float = 0.0  # share of the jaw's turn
    follow: np.ndarray | float = 1.0  # share of the head's turn

    def displacements(self) -> np.ndarray:
        """(A, V, 3): only the jaw moves a part."""
        out = np.zeros((len(UNITS), len(self.vertices), 3))
        weight = np.broadcast_to(np.asarray(self.jaw, float), len(self.vertices))
        if np.any(weight):
            for unit, degrees in JAW_DEGREES.items():
                out[INDEX[unit]] = turn_jaw(self.vertices, weight, degrees)
        return out


def sheet(points: np.ndarray) -> np.ndarray:
    """Triangles of a grid (R, C, 3) seen from outside when rows run downward and columns to the right."""
    rows, columns = points.shape[:2]
    i = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    return np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)]).astype(np.int32)


def eyeball(side: int, appearance: Appearance) -> Part:
    """Front half of an eyeball; rings follow the rims of pupil and iris so that both are sharp."""
    angles = np.concatenate([[0.0, 0.1, 0.145, 0.155, 0.2, 0.25, 0.305, 0.335], np.linspace(0.4, 1.55, 8)])
    turns = np.linspace(0, 2 * np.pi, 29)
    theta, phi = np.meshgrid(angles, -turns, indexing="ij")
    points = EYE_RADIUS * np.stack([np.sin(theta) * np.sin(phi), np.sin(theta) * np.cos(phi), np.cos(theta)], -1)
    iris = to_linear(np.array(appearance.iris))
    white = to_linear(np.array([0.82, 0.8, 0.79]))
    veins = to_linear(np.array([0.72, 0.6, 0.58]))
    stripes = 1 + 0.18 * np.sin(7 * phi) * np.sin(3.3 * phi + 1)
    colour = white + smoothstep(theta, 0.5, 1.1)[..., None] * (veins - white)
    ring = (theta < 0.32)[..., None]
    colour = np.where(ring, iris * stripes[..., None] * (1 - 0.6 * smoothstep(theta, 0.25, 0.305))[..., None], colour)
    colour = np.where((theta < 0.15)[..., None], np.array([0.004, 0.004, 0.004]), colour)
    # the upper lid shades the eye
    colour = colour * (1 - 0.45 * smoothstep(points[..., 1], 0.2, 0.75))[..., None]
    # and its corners lie in the dark
    colour = colour * (1 - 0.55 * smoothstep(np.abs(points[..., 0]), 0.75, 1.45))[..., None]
    centre = EYE_CENTRE * [side, 1, 1]
    return Part((points + centre).reshape(-1, 3), sheet(points), colour.reshape(-1, 3), 1.6)


def mouth_parts(appearance: Appearance) -> list[Part]:
    """Dark inside, two rows of teeth, tongue."""
    x = np.linspace(-3.3, 3.3, 9)
    y = np.linspace(-4.5, -9.0, 9)
    gx, gy = np.meshgrid(x, y)
    bag = np.stack([gx, gy, np.full_like(gx, 5.4)], -1)
    parts = [
        Part(bag.reshape(-1, 3), sheet(bag), np.tile([0.022, 0.004, 0.004], (81, 1)), 0.0, smoothstep(gy.ravel(), -6.0, -8.0))
    ]
    width = 2.35
    tx = np.linspace(-width, width, 61)
    gaps = np.abs((tx / 0.72 + 0.5) % 1 - 0.5) < 0.06
    enamel = to_linear(np.array([0.93, 0.9, 0.83]) - appearance.teeth_yellow * np.array([0.05, 0.1, 0.25]))
    for y0, y1, z0, jaw in ((-5.7, -7.18, 8.95, 0.0), (-7.32, -8.3, 8.7, 1.0)):
        ty = np.linspace(y0, y1, 4)
        gx, gy = np.meshgrid(tx, ty)
        gz = z0 - 0.3 * gx**2 + 0.1 * (1 - ((gy - 0.5 * (y0 + y1)) / 0.8) ** 2)
        depth = (1 - 0.75 * np.clip(np.abs(gx) / width, 0, 1) ** 2.2)[..., None]
        colour = enamel * depth * np.where(gaps, 0.45, 1.0)[None, :, None]
        grid = np.stack([gx, gy, gz], -1)
        parts.append(Part(grid.reshape(-1, 3), sheet(grid), 0.8 * colour.reshape(-1, 3), 0.12, jaw))
    u, v = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, 15), np.linspace(np.pi / 2, -np.pi / 2, 9))
    tongue = np.stack([1.7 * np.cos(v) * np.sin(u), -8.15 + 0.65 * np.sin(v), 6.3 + 1.9 * np.cos(v) * np.cos(u)], -1)
    parts.append(Part(tongue.reshape(-1, 3), sheet(tongue), np.tile([0.28, 0.06, 0.06], (tongue.size // 3, 1)), 0.1, 1.0))
    return parts


def ear(side: int, skin: np.ndarray) -> Part:
    """A flat shell with a rim and a dark hollow."""
    r = np.array([0.0, 0.3, 0.5, 0.62, 0.78, 0.9, 1.0, 1.08])
    phi = np.linspace(0, 2 * np.pi, 25)
    rr, pp = np.meshgrid(r, phi, indexing="ij")
    height = np.array([0.0, 0.02, 0.12, 0.3, 0.45, 0.46, 0.25, -0.3])[:, None] + 0 * pp
    py = 3.0 * rr * np.cos(pp)
    pz = 1.75 * rr * np.sin(pp) * (1 + 0.22 * np.cos(pp))
    out, lean = 0.55, 0.45
    x = 7.05 + 0.75 * height - np.minimum(pz, 0.8) * out
    points = np.stack([side * x, -1.0 + py - 0.1 * pz, -0.4 + pz * lean + 0.18 * py], -1)
    dark = np.array([0.4, 0.42, 0.6, 0.75, 1.0, 1.0, 0.95, 0.6])[:, None] + 0 * pp
    colour = skin * np.array([1.05, 0.88, 0.85]) * dark[..., None]
    faces = sheet(points)
    return Part(points.reshape(-1, 3), faces if side < 0 else faces[:, ::-1], colour.reshape(-1, 3), 0.03)


def neck(appearance: Appearance, skin: np.ndarray, feminine: float) -> list[Part]:
    """Neck and clothed shoulders."""
    a, y = np.meshgrid(np.linspace(-1.8, 1.8, 25), np.linspace(-6.0, -19.0, 12))
    radius = (5.2 - 0.6 * feminine) * (1 + 0.12 * smoothstep(y, -15.0, -19.0))
    tube = np.stack([radius * np.sin(a), y, -1.8 + radius * 1.02 * np.cos(a)], -1)
    shade = 0.42 + 0.4 * smoothstep(y, -11.5, -16.0)
    colour = skin * shade[..., None]
    follow = smoothstep(y.ravel(), -19.0, -9.0)
    a2, y2 = np.meshgrid(np.linspace(-1.7, 1.7, 25), np.linspace(0, 1, 10))
    wide = 5.6 - 0.5 * feminine + 13.0 * y2**0.6
    cloth = np.stack([wide * np.sin(a2), -15.0 - 5.5 * y2**1.6 - 1.5 * np.cos(a2), -1.8 + (6.2 + 2 * y2) * np.cos(a2)], -1)
    return [
        Part(tube.reshape(-1, 3), sheet(tube), colour.reshape(-1, 3), 0.03, 0.0, follow),
        Part(
            cloth.reshape(-1, 3),
            sheet(cloth),
            np.tile(to_linear(np.array(appearance.clothes)), (cloth.size // 3, 1)),
            0.0,
            0.0,
            0.0,
        ),
    ]


_HAIR: dict[str, tuple[float, float, float, float, float]] = {
    # front hairline y, sideburn y, nape y, thickness cm, fringe depth
    "short": (6.4, -1.2, -6.0, 0.55, 0.0),
    "crop": (6.6, 0.5, -5.0, 0.22, 0.0),
    "full": (6.2, -1.0, -7.0, 1.3, 0.0),
    "curly": (6.0, -1.0, -7.0, 2.3, 0.0),
    "fringe": (3.7, -2.0, -8.0, 0.8, 0.6),
    "bob": (6.3, -7.5, -10.0, 1.1, 0.0),
    "long": (6.5, -19.0, -19.0, 1.0, 0.0),
    "tied": (6.6, 0.8, -5.5, 0.45, 0.0),
}
HAIR_STYLES: tuple[str, ...] = ("bald", *_HAIR)
"""Names that `Appearance.hair_style` may take."""


def hair(appearance: Appearance, identity: int) -> list[Part]:
    """The hair as a thick sheet over the skull, streaked along its fall; none when bald."""
    if appearance.hair_style == "bald":
        return []
    front, burn, nape, thick, fringe = _HAIR[appearance.hair_style]
    front = front + (0.4 * appearance.hairline if fringe == 0 else 0.3 * appearance.hairline)
    rng = np.random.default_rng([identity, 37])
    long = burn < -5
    a = np.linspace(-np.pi, np.pi, 97)
    temple = 1.02 if not long else 0.98
    edge = PchipInterpolator(
        [0.0, 0.45, temple - 0.12, temple + 0.12, 1.38, 1.62, 2.1, np.pi],
        [
            front,
            front - 0.25,
            front - 1.5,
            0.45 * front + 0.55 * max(burn, -3.0),
            burn,
            burn + (0.0 if long else 2.0),
            nape,
            nape,
        ],
    )(np.abs(a))
    if fringe == 0 and not long:
        edge = edge + 0.12 * rng.normal(size=a.size)
    elif fringe > 0:
        edge = edge + 0.35 * np.abs(np.sin(a * 9 + rng.uniform(0, 6))) * (np.abs(a) < 0.95)
    down = np.linspace(0, 1, 23) ** 1.3
    gt = 11.79 + (edge[None] - 11.79) * down[:, None]
    ga = np.broadcast_to(a, gt.shape)
    points = surface(ga, np.maximum(gt, -1.0))
    points[..., 1] += np.minimum(gt + 1.0, 0.0)
    radial = np.stack([np.sin(ga), 0.9 * smoothstep(gt, 4.0, 11.0), 0.85 * np.cos(ga)], -1)
    above = gt - edge[None]
    thickness = thick * smoothstep(above, -0.3, 2.2) + 0.1
    if fringe > 0:
        thickness = np.maximum(thickness, 0.6 * (np.abs(ga) < 1.0))
    if long:
        thickness = thick * (0.35 + 0.65 * smoothstep(above, -0.3, 1.5)) * (0.6 + 0.4 * smoothstep(np.abs(ga), 0.9, 1.4))
        points[..., 0] *= 1 + 0.05 * smoothstep(gt, 0.0, -8.0)
    lump = 0.35 if appearance.hair_style == "curly" else 0.12
    bumps = rng.normal(size=gt.shape)
    bumps = 0.5 * bumps + 0.25 * np.roll(bumps, 1, 0) + 0.25 * np.roll(bumps, 1, 1)
    if appearance.hair_style != "curly":  # combed: locks run down
        bumps = 0.2 * bumps + rng.normal(size=a.size)[None]
    bumps[:, -1] = bumps[:, 0]
    points = points + radial * (thickness * (1 + lump * bumps))[..., None]
    strand = rng.normal(size=a.size)
    strand[-1] = strand[0]
    tone = np.clip(1 + 0.28 * strand[None] + 0.12 * bumps, 0.4, 1.8)
    tone = tone * (0.6 + 0.4 * smoothstep(above, 0.0, 1.2))
    colour = to_linear(np.array(appearance.hair)) * tone[..., None]
    faces = sheet(points)
    follow = np.where(points[..., 1] > -9, 1.0, smoothstep(points[..., 1], -19.0, -9.0)).ravel()
    lock = Part(points.reshape(-1, 3), faces, colour.reshape(-1, 3), 0.035 + 0.05 * appearance.hair_gloss, 0.0, follow)
    parts = [lock]
    if long:  # its inner side shows beside the neck; own vertices, or the normals of both sides would cancel
        parts.append(replace(lock, triangles=faces[:, ::-1], colour=0.5 * lock.colour))
    if appearance.hair_style == "tied":
        u, v = np.meshgrid(np.linspace(-np.pi, np.pi, 17), np.linspace(np.pi / 2, -np.pi / 2, 9))
        bun = np.stack([2.6 * np.cos(v) * np.sin(u), 12.0 + 2.2 * np.sin(v), -2.0 + 2.6 * np.cos(v) * np.cos(u)], -1)
        shade = (1 + 0.2 * rng.normal(size=u.size))[:, None] * to_linear(np.array(appearance.hair))
        parts.append(Part(bun.reshape(-1, 3), sheet(bun), np.clip(shade, 0, 1), 0.05))
    return parts
