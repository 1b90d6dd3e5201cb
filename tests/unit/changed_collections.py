"""Collections that differ a little from a given one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.store.collection import Collection, open_collection


def changed(folder: Path, out: Path, edit: Callable[[pd.DataFrame], pd.DataFrame], **meta: object) -> Collection:
    """A copy of a collection with other predictions."""
    shutil.copytree(folder, out)
    table = edit(pd.read_parquet(out / "predictions.parquet"))
    table.to_parquet(out / "predictions.parquet", index=False)
    written = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(written | {"clips": len(table)} | meta))
    return open_collection(out)


def right_but_once(table: pd.DataFrame) -> pd.DataFrame:
    """Labels with which a temperature can be fitted."""
    ours = [name for name in table.columns if name.startswith("p_")]
    ranks = np.argsort(-table[ours].to_numpy(), axis=1)
    label = np.where(np.arange(5) == 0, ranks[:, 1], ranks[:, 0])
    return table.assign(label=label, label_name=np.array([name.removeprefix("p_") for name in ours])[label])
