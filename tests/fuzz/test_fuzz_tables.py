"""Damaged collections, tables of predictions and manifests."""

import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harness import swarm
from mutations import changed, damaged, json_file, weird

from ifdd.data.manifest import clip_path, data_hash, files_hash, read_manifest
from workbench.analysis.performance.task import measure
from workbench.app.clipview import read_truth
from workbench.store.collection import open_collection
from workbench.store.columns import factor_columns
from workbench.store.side_by_side import same_clips
from workbench.store.tables import features, labelled, vector_activations
from workbench.store.truth import has_regions, true_intensity, true_masks, true_regions

Use = Callable[[], object]
ROWS = 12
LABELS = ["happy", "sad", "fear"]


@pytest.fixture(scope="module")
def parts() -> dict[str, bytes]:
    """The files of a whole collection."""
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), ROWS).astype(np.float32)
    named = np.arange(ROWS) % 3
    table = pd.DataFrame(
        {"clip_id": [f"c{i}" for i in range(ROWS)], "fold": 0, "label": named, "label_name": np.array(LABELS)[named]}
        | {f"p_{label}": probs[:, i] for i, label in enumerate(LABELS)}
        | {
            "subject": [str(i // 3) for i in range(ROWS)],
            "yaw": rng.normal(size=ROWS),
            "fps": 8.0,
            "n_frames": 16,
            "split": "test",
        }
    )
    meta = {
        "schema_version": 2,
        "checkpoint": {"name": "tiny", "sha256": "0" * 64},
        "labels": LABELS,
        "data": {"manifest": "/data/clips.parquet", "hash": "1", "reading": "2"},
        "code_version": "0",
        "pool": None,
        "clips": ROWS,
        "activations": {"head.embedding": {"shape": [4], "dtype": "float32"}, "ladm.Y_D": {"shape": [2, 3], "dtype": "float16"}},
        "model": {
            "capabilities": ["split", "lift"],
            "branches": {"D": "ladm.Y_D", "S": "ladm.Y_S"},
            "activations": {
                "head.embedding": {"axes": "B C", "role": "embedding", "used": True},
                "ladm.Y_D": {"axes": "B KHW C", "role": "branch", "group": "D", "grid": [1, 1], "used": True},
            },
        },
    }
    arrays = {}
    for name, about in meta["activations"].items():  # type: ignore[attr-defined]
        stream = io.BytesIO()
        np.save(stream, rng.normal(size=(ROWS, *about["shape"])).astype(about["dtype"]))
        arrays[f"activations/{name}.npy"] = stream.getvalue()
    return {"manifest.json": json.dumps(meta).encode(), "predictions.parquet": as_parquet(table), **arrays}


def as_parquet(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()


def spoilt(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    """A table with columns that are gone, renamed, of another type, or with cells that do not belong there."""
    table = table.copy()
    for _ in range(rng.choice((1, 1, 2, 4))):
        name = rng.choice(list(table.columns))
        act = rng.randrange(8)
        if act == 0:
            table = table.drop(columns=name)
        elif act == 1:
            table = table.rename(columns={name: rng.choice(("", "row", "p_", "confidence", "é", "a\nb", *table.columns))})
        elif act == 2:
            table = table.sample(frac=rng.choice((0, 0.5, 2)), replace=True, random_state=rng.randrange(99))
        elif not table.columns.is_unique:
            break  # one of them twice
        elif act == 3:
            table[name] = rng.choice((None, np.nan, 1, -1, 1e300, np.inf, "x", "", "a\0b", True, pd.Timestamp(0), b"x"))
        elif act == 4:
            kind = rng.choice(("str", "float64", "object", "category", "bool", "Int64", "string"))
            table[name] = table[name].astype(str) if kind == "Int64" else table[name].astype(kind, errors="ignore")
        else:
            values = list(table[name])
            if values:
                cell = weird(rng)
                values[rng.randrange(len(values))] = str(cell) if isinstance(cell, dict) and rng.random() < 0.5 else cell
                table[name] = pd.Series(values, index=table.index, dtype=object)
        if not len(table.columns):
            break
    return table.loc[:, ~table.columns.duplicated()] if rng.random() < 0.9 else table


def table_bytes(table: pd.DataFrame, rng: random.Random) -> bytes:
    """The table as parquet; where it cannot be one, with the odd columns as text."""
    table = spoilt(table, rng)
    try:
        return as_parquet(table)
    except Exception:  # the damage is such that no writer takes it
        table = table.loc[:, ~table.columns.duplicated()]
        texts = {name: table[name].map(ascii) for name in table if not pd.api.types.is_numeric_dtype(table[name])}
        return as_parquet(table.assign(**texts))


def use_collection(folder: Path) -> None:
    """What pages and commands do with a collection."""
    found = open_collection(folder)
    _ = found.probs
    for name in found.activation_names:
        found.activation(name)
    for name in vector_activations(found):
        features(found, name)
    table = labelled(found)
    factor_columns(table)
    measure(found)


def test_collections(parts: dict[str, bytes], tmp_path: Path, count: int) -> None:
    def write(rng: random.Random, place: Path) -> Use:
        bad = rng.choice(list(parts))
        for name, data in parts.items():
            (place / name).parent.mkdir(exist_ok=True)
            if name == bad:
                if rng.random() < 0.05:
                    continue  # missing
                data = json_file(json.loads(data), rng) if name.endswith("json") else damaged(data, rng)
            (place / name).write_bytes(data)
        return lambda: use_collection(place)

    swarm("collection", count, tmp_path, write)


def test_predictions(parts: dict[str, bytes], tmp_path: Path, count: int) -> None:
    table = pd.read_parquet(io.BytesIO(parts["predictions.parquet"]))

    def write(rng: random.Random, place: Path) -> Use:
        for name, data in parts.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_bytes(table_bytes(table, rng) if name == "predictions.parquet" else data)

        def read() -> None:
            use_collection(place)
            same_clips([open_collection(place), open_collection(place)])

        return read

    swarm("predictions", count, tmp_path, write)


ODD = (
    np.zeros(0),
    np.float64(1),
    np.array([np.nan] * 8),
    np.array(["a"]),
    np.zeros((2, 2, 2, 2)),
    np.array([-1, 0, 10**9]),
    np.zeros(3, complex),
)


def test_truths(tmp_path: Path, count: int) -> None:
    made = np.random.default_rng(0)
    arrays = {
        "intensity": made.random(8),
        "mask": made.integers(0, 255, (8, 16, 2), np.uint8),
        "mask_shape": np.array([8, 16, 16]),
    }
    arrays["regions"] = made.integers(0, 9, (8, 16, 16), np.uint8)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)

    def write(rng: random.Random, place: Path) -> Use:
        file = place / "clip.npz"
        if rng.random() < 0.4:
            kept = {
                name: rng.choice(ODD) if rng.random() < 0.3 else array for name, array in arrays.items() if rng.random() < 0.9
            }
            with file.open("wb") as out:
                np.savez(out, **kept)
        else:
            file.write_bytes(damaged(stream.getvalue(), rng))
        clips = pd.DataFrame({"truth": ["clip.npz"]})
        clips.attrs["root"] = str(place)

        def read() -> None:
            has_regions(clips)
            readers: tuple[Use, ...] = (
                lambda: true_intensity(clips, 8),
                lambda: true_masks(clips, 4, (8, 8)),
                lambda: true_regions(clips, 4, (8, 8)),
                lambda: read_truth("happy", file),
            )
            rng.choice(readers)()

        return read

    swarm("truth", count, tmp_path, write)


def test_manifests(tmp_path: Path, count: int) -> None:
    classes = [LABELS[i % 3] for i in range(6)]
    table = pd.DataFrame(
        {
            "clip_id": [f"c{i}" for i in range(6)],
            "path": [f"c{i}.mp4" for i in range(6)],
            "kind": "video",
            "n_frames": 16,
            "fps": 8.0,
        }
        | {"width": 64, "height": 64, "label": [LABELS.index(name) for name in classes], "label_name": classes, "fold": 0}
        | {"subject": ["1", "1", "2", "2", "3", "3"], "crop": "face", "truth": "", "yaw_deg": 1.5, "votes_happy": 3}
    )
    text = table.to_csv(index=False).encode()

    def write(rng: random.Random, place: Path) -> Use:
        kind = rng.choice(("parquet", "csv", "rows", "bytes"))
        file = place / ("clips.csv" if kind in ("csv", "rows") else "clips.parquet")
        if kind == "rows":  # cells of a text table
            rows = changed([row.split(",") for row in text.decode().splitlines()], rng)
            rows = rows if isinstance(rows, list) else [rows]
            lines = [",".join(map(str, row)) if isinstance(row, list) else str(row) for row in rows]
            file.write_bytes("\n".join(lines).encode(errors="surrogatepass"))
        else:
            file.write_bytes(
                {
                    "csv": lambda: damaged(text, rng),
                    "parquet": lambda: table_bytes(table, rng),
                    "bytes": lambda: damaged(as_parquet(table), rng),
                }[kind]()
            )

        def read() -> None:
            found = read_manifest(file)
            data_hash(found)
            for row in found.to_dict("records"):
                clip_path(found, row)
            files_hash(found)

        return read

    swarm("manifest", count, tmp_path, write)
