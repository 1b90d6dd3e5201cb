"""The mesh of ICT-FaceKit Light: read, checked, and cut down to what can be seen.

Vertices keep their meaning over all identities, so what is known of the resting neutral head (which vertices are lids, what never
shows) holds for everyone. Lengths are cm; the file's origin is moved to the axis of the head's turns.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ifdd.errors import InputError
from ifdd.scripted.raster import rasterise

FILE = "ict_face_model_light.npz"
"""Name of the model inside its folder."""

_SHAPES: dict[str, tuple[int, ...]] = {
    "neutral": (26719, 3),
    "faces": (26384, 4),
    "face_material": (26384,),
    "identity_deltas": (100, 26719, 3),
    "expression_deltas": (57, 26719, 3),
    "expression_names": (57,),
    "material_names": (12,),
}
_ORIGIN = np.array([0.0, 3.6, 2.2])
_MATERIALS = ("M_Face", "M_BackHead", "M_GumsTongue", "M_Teeth", "M_ScleraRight", "M_ScleraLeft")
_SOCKETS = (11248, 13294)  # first vertex of the mouth's and of the eyes' sockets, both parts of M_BackHead
_BROWS, _CHIN = (2044, 2734), 966  # vertices, as in the model's list of landmarks

UNIT_SHAPES: dict[str, dict[str, float]] = {
    "AU01": {"browInnerUp": 1.0},
    "AU02": {"browOuterUp": 1.0},
    "AU04": {"browDown": 1.9, "browInnerUp": -0.3},
    "AU05": {"eyeWide": 1.0},
    "AU06": {"cheekSquint": 0.8, "cheekRaiser": 0.6, "eyeSquint": 0.3},
    "AU07": {"eyeSquint": 0.9},
    "AU09": {"noseSneer": 1.0, "mouthUpperUp": 0.25},
    "AU10": {"mouthUpperUp": 0.8, "noseSneer": 0.15},
    "AU12": {"mouthSmile": 1.0},
    "AU14": {"mouthDimple": 1.0},
    "AU15": {"mouthFrown": 1.3},
    "AU16": {"mouthLowerDown": 1.0},
    "AU17": {"mouthShrugLower": 0.9, "mouthShrugUpper": 0.3},
    "AU18": {"mouthPucker": 0.9},
    "AU20": {"mouthStretch": 1.0},
    "AU22": {"mouthFunnel": 0.9},
    "AU23": {"mouthPress": 0.8, "mouthRollUpper": 0.5, "mouthRollLower": 0.5},
    "AU24": {"mouthPress": 1.0, "mouthRollUpper": 0.35, "mouthRollLower": 0.35},
    "AU25": {"mouthLowerDown": 0.45, "mouthUpperUp": 0.2, "jawOpen": 0.05},
    "AU26": {"jawOpen": 0.45},
    "AU27": {"jawOpen": 0.9},
    "AU45": {"eyeBlink": 1.0},
}
"""Shapes of the model that make each unit, both sides of a pair together, and their weights."""

_LOOKS: tuple[tuple[str, ...], ...] = (
    (),
    ("AU27", "AU16"),
    ("AU10", "AU16", "AU26"),
    ("AU12", "AU25", "AU26"),
    ("AU09", "AU10", "AU25"),
    ("AU20", "AU16", "AU26"),
    ("AU22", "AU25"),
    ("AU45", "AU01", "AU02"),
    ("AU05", "AU01", "AU02"),
    ("AU17", "AU15", "AU24"),
)
"""Units that together uncover all that can be uncovered."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """What is drawn of the model. V kept vertices, F triangles; eyeballs are fitted, not drawn."""

    neutral: np.ndarray  # (V, 3)
    triangles: np.ndarray  # (F, 3)
    identities: np.ndarray  # (100, V, 3)
    shapes: dict[str, np.ndarray]  # expression shape -> (V, 3)
    kind: np.ndarray  # (V,) 0 skin, 1 inside of the mouth, 2 gums and tongue, 3 teeth
    balls: tuple[tuple[np.ndarray, np.ndarray], ...]  # for x < 0 and x > 0: sclera (n, 3), its identities (100, n, 3)
    lids: tuple[np.ndarray, ...]  # vertices around each eye
    frame: tuple[int, int, int]  # vertices of the brows and the chin


def model_file(path: Path) -> Path:
    """The npz file that `path` names or holds. Raises: InputError."""
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such face model; give the ICT-FaceKit Light npz ({FILE}), its folder, or 'built-in'")
    return file


def _read(file: Path) -> dict[str, np.ndarray]:
    """The arrays of the model. Raises: InputError for a file that is no npz, lacks an array, or holds another mesh."""
    way_out = f"give the ICT-FaceKit Light npz ({FILE}), or 'built-in'"
    values: dict[str, np.ndarray] = {}
    try:
        with file.open("rb") as stream:  # a broken archive leaves a file open that it opened itself
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            if missing := [name for name in _SHAPES if name not in archive]:
                raise InputError(f"{file}: face model without {', '.join(missing)}; {way_out}")
            values = {name: archive[name] for name in _SHAPES}
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{file}: not a readable npz file ({error}); {way_out}") from error
    for name, shape in _SHAPES.items():
        if values[name].shape != shape:
            raise InputError(f"{file}: {name} has shape {values[name].shape} where the face model has {shape}; {way_out}")
    names = {str(n) for n in values["expression_names"]}
    wanted = {s for shapes in UNIT_SHAPES.values() for s in shapes}
    if lost := sorted(s for s in wanted if s not in names and not {f"{s}_L", f"{s}_R"} <= names):
        raise InputError(f"{file}: expression_names lacks {', '.join(lost)}; {way_out}")
    if lost := sorted(set(_MATERIALS) - {str(m) for m in values["material_names"]}):
        raise InputError(f"{file}: material_names lacks {', '.join(lost)}; {way_out}")
    if (highest := int(values["faces"].max())) >= len(values["neutral"]) or values["faces"][:, :3].min() < 0:
        raise InputError(f"{file}: faces names vertices outside 0 to {len(values['neutral']) - 1} (highest {highest}); {way_out}")
    return values


def _views() -> list[np.ndarray]:
    """Turns of the head (3, 3) that clips may show, and somewhat beyond."""
    out = []
    for yaw in (-45, 0, 45):
        for pitch in (-25, 0, 25):
            y, p = np.radians([yaw, pitch])
            across = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
            out.append(across @ np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]))
    return out


def _seen(points: np.ndarray, triangles: np.ndarray, shapes: dict[str, np.ndarray]) -> np.ndarray:
    """Which triangles (F,) show from any view in any of the looks, and their neighbours; the others only cost time."""
    side, distance = 320, 60.0
    depth, face = np.empty((side, side), np.float32), np.empty((side, side), np.int32)
    weights = np.empty((side, side, 2), np.float32)
    seen = np.zeros(len(triangles) + 1, bool)  # the last is the background
    corners = triangles.astype(np.int32)
    for look in _LOOKS:
        moved = points + sum(
            (w * shapes[s] for unit in look for name, w in UNIT_SHAPES[unit].items() for s in _sides(name, shapes)),
            start=np.zeros_like(points),
        )
        for turn in _views():
            p = moved @ turn.T
            near = 1 / (distance - p[:, 2])
            focus = side / 27.0 * (distance - 7)
            screen = np.column_stack([side / 2 + focus * near * p[:, 0], side / 2 - focus * near * p[:, 1], near])
            rasterise(screen.astype(np.float32), corners, depth, face, weights)
            seen[face.ravel()] = True
    touched = np.zeros(len(points), bool)
    touched[triangles[seen[:-1]]] = True
    return touched[triangles].any(1)


def _cells(points: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Size (V,) in cm to which the mesh may be coarsened where it is finer than clips show; 0 around the eyes."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    plain = (y > 3.2) | (y < -9.2) | (x > 5.0) | ((x > 3.4) & (y < -1.6))  # forehead, chin, cheeks: smooth, and so painted
    size = np.where((y < -12.5) | (y > 6.2) | (z < 1.0), 1.0, np.where(plain, 0.42, 0.17))
    size = np.where((x > 1.6) & (x < 4.8) & (np.abs(y) < 1.1) & (z > 4), 0.0, size)  # lids must stay on the eye
    size = np.where((x > 6.6) & (np.abs(y + 1.5) < 5) & (z < 3), 0.5, size)
    return np.choose(kind, [size, 0.8, 0.7, 0.3])


def _coarsen(points: np.ndarray, triangles: np.ndarray, kind: np.ndarray, jaw: np.ndarray) -> np.ndarray:
    """Triangles (F', 3) with every corner moved to one vertex of its cell, of one `kind`, and of the `jaw` or not."""
    size = _cells(points, kind)
    size[[*_BROWS, _CHIN]] = 0.0  # the frame is measured from them
    cell = np.where(size > 0, size, 1.0)[:, None]
    key = np.column_stack(
        [np.trunc(points[:, :1] / cell), np.floor(points[:, 1:] / cell), np.sign(points[:, 0]), size, kind, jaw]
    )
    key[size == 0, 0] = np.flatnonzero(size == 0)
    _, group, count = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    mean = np.column_stack([np.bincount(group, points[:, k]) for k in range(3)]) / count[:, None]
    far = np.linalg.norm(points - mean[group], axis=1)
    order = np.lexsort((far, group))
    nearest = order[np.searchsorted(group[order], np.arange(len(count)))]
    moved = nearest[group][triangles]
    a, b, c = moved.T
    moved = moved[(a != b) & (b != c) & (c != a)]
    _, first = np.unique(np.sort(moved, axis=1), axis=0, return_index=True)
    return moved[np.sort(first)]


def _sides(name: str, shapes: dict[str, np.ndarray]) -> tuple[str, ...]:
    return (name,) if name in shapes else (f"{name}_L", f"{name}_R")


def read_mesh(file: Path) -> Mesh:
    """The mesh of the npz file. Raises: InputError naming the file, the value and the way out."""
    values = _read(file)
    points = values["neutral"].astype(np.float64) - _ORIGIN
    materials = [str(m) for m in values["material_names"]]
    quads, material = values["faces"], values["face_material"]
    fourth = quads[:, 3] >= 0
    triangles = np.concatenate([quads[:, :3], quads[fourth][:, [0, 2, 3]]]).astype(np.int64)
    material = np.concatenate([material, material[fourth]])
    index = triangles.min(1)
    is_of = {name: material == materials.index(name) for name in _MATERIALS}
    eye_socket = is_of["M_BackHead"] & (index >= _SOCKETS[1])
    inside = is_of["M_BackHead"] & (index >= _SOCKETS[0]) & ~eye_socket
    skin = is_of["M_Face"] | (is_of["M_BackHead"] & (index < _SOCKETS[0]))
    parts = (skin, inside, is_of["M_GumsTongue"], is_of["M_Teeth"])
    sclera = {side: np.unique(triangles[is_of[name]]) for side, name in ((-1, "M_ScleraRight"), (1, "M_ScleraLeft"))}
    shapes = {str(n): d.astype(np.float64) for n, d in zip(values["expression_names"], values["expression_deltas"], strict=True)}
    # the eyeballs hide what lies behind them, though they are replaced later
    drawn = np.flatnonzero(np.any(parts, axis=0) | is_of["M_ScleraRight"] | is_of["M_ScleraLeft"])
    kept = np.zeros(len(triangles), bool)
    kept[drawn] = _seen(points, triangles[drawn], shapes)
    kept = (kept & np.any(parts, axis=0)) | inside | is_of["M_GumsTongue"]  # they close the mouth, whatever its shape
    all_kinds = np.zeros(len(points), np.int64)
    for k, part in enumerate(parts):
        all_kinds[triangles[part]] = k
    all_kinds[: _SOCKETS[0]] = 0  # the lips' rim belongs to the skin
    coarse = _coarsen(points, triangles[kept], all_kinds, shapes["jawOpen"][:, 1] < -0.5)
    used, renumbered = np.unique(coarse, return_inverse=True)
    renumbered = renumbered.reshape(-1, 3)
    kind = all_kinds[used]
    neutral = points[used]
    balls, lids = [], []
    for side, vertices in sclera.items():
        balls.append((points[vertices], values["identity_deltas"][:, vertices].astype(np.float64)))
        centre, radius = sphere(points[vertices])
        near = np.linalg.norm(neutral - centre, axis=1) < radius + 0.35
        lids.append(np.flatnonzero(near & (kind == 0) & (neutral[:, 0] * side > 0) & (neutral[:, 2] > centre[2])))
    frame = np.searchsorted(used, [*_BROWS, _CHIN])
    return Mesh(
        neutral=neutral,
        triangles=renumbered,
        identities=values["identity_deltas"][:, used].astype(np.float64),
        shapes={name: delta[used] for name, delta in shapes.items()},
        kind=kind,
        balls=tuple(balls),
        lids=tuple(lids),
        frame=(int(frame[0]), int(frame[1]), int(frame[2])),
    )


def sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius of the sphere nearest to points (n, 3), by least squares."""
    a = np.column_stack([2 * points, np.ones(len(points))])
    x = np.linalg.lstsq(a, (points**2).sum(1), rcond=None)[0]
    return x[:3], float(np.sqrt(x[3] + x[:3] @ x[:3]))
