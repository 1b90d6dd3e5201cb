"""The built-in parametric head: template + anatomy + shape + paint + parts = `Person`."""

from functools import cache, lru_cache

import numpy as np

from ifdd.scripted.head.anatomy import EYE_CENTRE, EYE_RADIUS, displacements, lid_distance, rest, smoothstep
from ifdd.scripted.head.face import Eyeball, Person
from ifdd.scripted.head.painting import crease_mix, creases, paint, skin_tone, texture_uv
from ifdd.scripted.head.parts import Part, ear, eyeball, hair, mouth_parts, neck
from ifdd.scripted.head.regions import part_regions, skin_regions
from ifdd.scripted.head.shape import warp
from ifdd.scripted.head.templates import template
from ifdd.scripted.script.elements import Appearance
from ifdd.scripted.script.looks import Shape
from ifdd.scripted.script.units import UNITS


@cache
def canonical() -> tuple[np.ndarray, np.ndarray]:
    """Resting vertices (V, 3) and displacements (A, V, 3) of the canonical face."""
    p = rest(template())
    return p, displacements(template(), p)


class ParametricHead:
    """The face model that is made in code; see `ifdd.scripted.head.face.FaceModel`."""

    units: tuple[str, ...] = UNITS

    def person(self, identity: int, appearance: Appearance) -> Person:
        """The person of an identity seed, cached."""
        return _person(identity, appearance)


def _asymmetry(identity: int, points: np.ndarray) -> np.ndarray:
    """Gain (A, V, 1) of every unit on either side: no face moves evenly."""
    rng = np.random.default_rng([identity, 41])
    lean = np.clip(0.1 * rng.normal(size=len(UNITS)), -0.2, 0.2)
    lean[UNITS.index("AU45")] = 0.0
    gain = 1.0 + 0.08 * np.clip(rng.normal(size=len(UNITS)), -2, 2)
    gain[UNITS.index("AU45")] = 1.0
    return (gain[:, None] * (1 + lean[:, None] * np.tanh(points[:, 0] / 1.5)))[..., None]


@lru_cache(maxsize=8)
def _person(identity: int, appearance: Appearance) -> Person:
    shape = Shape.of(identity)
    face = template()
    base, moves = canonical()
    skin = skin_tone(appearance)
    mouth, ears = mouth_parts(appearance), [ear(side, skin) for side in (-1, 1)]
    parts: list[Part] = [
        *mouth,
        *ears,
        *neck(appearance, skin, shape.feminine),
        *hair(appearance, identity),
    ]
    eyes = [eyeball(side, appearance) for side in (-1, 1)]
    static = [Part(base, face.triangles, np.ones_like(base), 0.05 + 0.06 * appearance.oily), *parts]
    points = np.concatenate([p.vertices for p in static])
    offsets = np.concatenate([moves, *(p.displacements() for p in parts)], axis=1)
    vertices = warp(shape, points)
    gain = _asymmetry(identity, points)
    gain[:, len(base) :] = 1.0  # teeth stay even
    basis = warp(shape, points[None] + offsets * gain) - vertices
    d, _ = lid_distance(face.xy)
    balls, blocks = [], []
    start = len(points)
    scale = shape.eye_size()
    for side, part in zip((-1, 1), eyes, strict=True):
        centre = warp(shape, (EYE_CENTRE * [side, 1, 1])[None])[0]
        centre[2] -= EYE_RADIUS * (scale - 1)  # the front of the ball keeps its depth under the lids
        blocks.append((part.vertices - EYE_CENTRE * [side, 1, 1]) * scale + centre)
        lids = np.flatnonzero((d < 0.7) & (face.xy[:, 0] * side > 1.4) & (np.abs(face.xy[:, 1]) < 1.6))
        balls.append(Eyeball(centre, EYE_RADIUS * scale, slice(start, start + len(part.vertices)), lids))
        start += len(part.vertices)
    everything = [*static, *eyes]
    shifts = np.cumsum([0] + [len(p.vertices) for p in everything])
    uv = np.full((start, 2), -1.0)
    uv[: len(base)] = texture_uv(face.points)
    follow = np.concatenate([np.broadcast_to(np.asarray(p.follow, float), len(p.vertices)) for p in everything])
    follow[: len(base)] = smoothstep(face.points[:, 1], -14.0, -12.0)
    named = ["mouth"] * len(mouth) + ["face"] * len(ears) + ["background"] * (len(parts) - len(mouth) - len(ears)) + ["eyes"] * 2
    regions = [part_regions(name, len(p.vertices)) for name, p in zip(named, [*parts, *eyes], strict=True)]
    brow, chin = warp(shape, np.array([[0.0, 2.2, 9.0], [0.0, -11.3, 8.5]]))[:, 1]
    # OpenCV's frontal cascade draws a box of about 1.28 times brow to chin (measured); 15 % margin on each side
    side = 1.28 * 1.3 * (brow - chin)
    return Person(
        vertices=np.concatenate([vertices, *blocks]).astype(np.float32),
        triangles=np.concatenate([p.triangles + s for p, s in zip(everything, shifts[:-1], strict=True)]).astype(np.int32),
        displacements=np.concatenate([basis, np.zeros((len(UNITS), start - len(points), 3))], 1).astype(np.float32),
        colour=np.concatenate([p.colour for p in everything]).astype(np.float32),
        uv=uv.astype(np.float32),
        gloss=np.concatenate([np.full(len(p.vertices), p.gloss) for p in everything]).astype(np.float32),
        follow=follow.astype(np.float32),
        texture=paint(appearance, identity, shape.age),
        creases=creases(),
        crease_mix=crease_mix(shape.age),
        eyes=tuple(balls),
        frame_centre=np.array([0.0, 0.5 * (brow + chin) + 3.0]),
        frame_side=float(side),
        regions=np.concatenate([skin_regions(face.xy, face.points[:, 1]), *regions]),
    )
