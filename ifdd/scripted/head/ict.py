"""ICT-FaceKit Light as a face model: a scanned, morphable head, read from a file that the user has."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from ifdd.scripted.head.anatomy import smoothstep
from ifdd.scripted.head.face import Eyeball, Person
from ifdd.scripted.head.ict_mesh import UNIT_SHAPES, Mesh, model_file, read_mesh, sphere
from ifdd.scripted.head.ict_paint import PAD, ball, chart, colours, hair_over, hollows, lid_edges, skin_texture
from ifdd.scripted.head.painting import crease_mix, creases
from ifdd.scripted.head.regions import part_regions
from ifdd.scripted.script.elements import Appearance
from ifdd.scripted.script.looks import Shape
from ifdd.scripted.script.units import INDEX, UNITS

IDENTITY_SCALE = 0.75
"""Share of the scans' spread: less makes people alike, more makes faces that no one has."""

LID_OVERLAP = 0.06
"""How far closed lids reach over each other, cm."""


class ICTHead:
    """The face model read from a file; see `ifdd.scripted.head.face.FaceModel`."""

    units: tuple[str, ...] = UNITS

    def __init__(self, path: str | Path) -> None:
        """Reads the npz at `path` or in that folder. Raises: InputError naming the file, the value and the way out."""
        self.file = model_file(Path(path))
        self.mesh = read_mesh(self.file)
        self.uv, self.regions = chart(self.mesh.neutral, self.mesh.shapes["jawOpen"], self.mesh.kind)
        self.hollow = hollows(self.mesh.neutral, self.mesh.triangles, self.mesh.kind)

    def person(self, identity: int, appearance: Appearance) -> Person:
        """The person of an identity seed, cached."""
        return _person(self, identity, appearance)


def _displacements(mesh: Mesh, identity: int) -> np.ndarray:
    """What each unit adds (A, V, 3); no face moves evenly, but lids close on both sides."""
    rng = np.random.default_rng([identity, 41])
    lean = np.clip(0.1 * rng.normal(size=len(UNITS)), -0.2, 0.2)
    gain = 1.0 + 0.08 * np.clip(rng.normal(size=len(UNITS)), -2, 2)
    out = np.zeros((len(UNITS), *mesh.neutral.shape))
    for a, unit in enumerate(UNITS):
        left, right = (1.0, 1.0) if unit == "AU45" else (gain[a] * (1 + lean[a]), gain[a] * (1 - lean[a]))
        for name, weight in UNIT_SHAPES[unit].items():
            if name in mesh.shapes:
                out[a] += weight * 0.5 * (left + right) * mesh.shapes[name]
            else:
                out[a] += weight * (left * mesh.shapes[f"{name}_L"] + right * mesh.shapes[f"{name}_R"])
    return out


def _close_lids(blink: np.ndarray, head: np.ndarray, mesh: Mesh) -> None:
    """Strengthens the blink (V, 3) on either side until the lids of this head (V, 3) meet; a scan's eyes differ in height."""
    for side in (-1, 1):
        upper, lower = lid_edges(mesh.neutral, mesh.kind, side)
        closed = head + blink
        order = np.argsort(closed[lower, 0])
        gap = closed[upper, 1] - np.interp(closed[upper, 0], closed[lower[order], 0], closed[lower[order], 1])
        drop = np.maximum(np.interp(closed[upper, 0], closed[lower[order], 0], blink[lower[order], 1]) - blink[upper, 1], 0.1)
        middle = slice(2, -2)  # near the corners the lids hardly move
        blink[mesh.neutral[:, 0] * side > 0] *= 1 + np.clip(((gap + LID_OVERLAP) / drop)[middle].max(), 0.0, 0.6)


@lru_cache(maxsize=8)
def _person(model: ICTHead, identity: int, appearance: Appearance) -> Person:
    mesh = model.mesh
    shape = Shape.of(identity)
    rng = np.random.default_rng([identity, 47])
    traits = IDENTITY_SCALE * np.clip(rng.normal(size=len(mesh.identities)), -2, 2)
    head = mesh.neutral + np.tensordot(traits, mesh.identities, 1)
    hairs = hair_over(head[mesh.kind == 0], appearance, identity)
    eyes, parts = [], []
    start = len(head) + sum(len(part.vertices) for part in hairs)
    for side, lids, (sclera, deltas) in zip((-1, 1), mesh.lids, mesh.balls, strict=True):
        centre, radius = sphere(sclera + np.tensordot(traits, deltas, 1))
        part = ball(side, appearance, centre, radius)
        eyes.append(Eyeball(centre, radius, slice(start, start + len(part.vertices)), lids))
        parts.append(part)
        start += len(part.vertices)
    extra = [*hairs, *parts]
    colour, gloss = colours(mesh.neutral, mesh.kind, model.hollow, appearance)
    sizes = [len(part.vertices) for part in extra]
    named = [part_regions("background" if part in hairs else "eyes", len(part.vertices)) for part in extra]
    shifts = len(head) + np.cumsum([0, *sizes])
    basis = np.zeros((len(UNITS), start, 3), np.float32)
    moves = _displacements(mesh, identity)
    _close_lids(moves[INDEX["AU45"]], head, mesh)
    basis[:, : len(head)] = moves
    right, left, chin = (head[i, 1] for i in mesh.frame)
    brow = 0.5 * (right + left) - 0.3
    side = 1.28 * 1.3 * (brow - chin)
    follow = [
        smoothstep(mesh.neutral[:, 1], -19.0, -11.5),
        *(np.broadcast_to(np.asarray(p.follow, float), n) for p, n in zip(extra, sizes, strict=True)),
    ]
    return Person(
        vertices=np.concatenate([head, *(p.vertices for p in extra)]).astype(np.float32),
        triangles=np.concatenate([mesh.triangles, *(p.triangles + s for p, s in zip(extra, shifts[:-1], strict=True))]).astype(
            np.int32
        ),
        displacements=basis,
        colour=np.concatenate([colour, *(p.colour for p in extra)]).astype(np.float32),
        uv=np.concatenate([model.uv, np.full((sum(sizes), 2), -1.0)]).astype(np.float32),
        gloss=np.concatenate([gloss, *(np.full(n, p.gloss) for p, n in zip(extra, sizes, strict=True))]).astype(np.float32),
        follow=np.concatenate(follow).astype(np.float32),
        texture=skin_texture(appearance, identity, shape.age),
        creases=np.pad(creases(), ((0, PAD), (PAD, PAD), (0, 0))),
        crease_mix=crease_mix(shape.age),
        eyes=tuple(eyes),
        frame_centre=np.array([0.0, 0.5 * (brow + chin) + 3.0]),
        frame_side=float(side),
        regions=np.concatenate([model.regions, *named]),
    )
