"""From collections to the agreement of their models, and the files that `workbench agreement` writes.

<out>/  agreement.json   agreement.md   differences.csv   of each pair agreement_<i>.png
"""

import json
from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ifdd.io import new_folder, write_text
from ifdd.tables import csv_text
from workbench.analysis.agreement.displays import AgreementDisplay, agreement_markdown, said
from workbench.analysis.agreement.kappa import agree
from workbench.analysis.agreement.results import AgreementResult
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collection import Collection
from workbench.store.side_by_side import SameClips, same_clips
from workbench.store.tables import subjects


def run(collections: Sequence[Collection], among: Ids[str] | None = None) -> AgreementResult:
    """Agreement of the models of collections of the same clips, with labels or without; of those `among` these ids, if given.

    Raises: InputError as `same_clips`.
    """
    clips = same_clips(collections, need_labels=False)
    return run_clips(clips if among is None else clips.among(among))


def run_clips(clips: SameClips) -> AgreementResult:
    """Agreement of models that were run over the same clips."""
    found = agree(
        {name: probs.argmax(1) for name, probs in clips.probs.items()},
        subjects(clips.table),
        label_names=clips.labels,
        clip_ids=list(clips.table["clip_id"]),
    )
    return replace(found, notes=(*clips.notes, *found.notes), provenance=found.provenance.with_source(**clips.sources))


def write(result: AgreementResult, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the new folder `out`, all of it or nothing; returns its files. Pictures carry the number of the pair.

    Raises: InputError if `out` exists.
    """
    with new_folder(out) as folder:
        plain = {"caption": result.caption} | result.to_dict()
        write_text(folder / "agreement.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        write_text(folder / "agreement.md", agreement_markdown(result))
        differ = pd.DataFrame(said(result), columns=["clip_id", *result.predicted])
        write_text(folder / "differences.csv", csv_text(differ))
        for i in range(len(result.pairs)):
            AgreementDisplay.from_result(result, i).save(folder / f"agreement_{i + 1}.png", context=context)
    return sorted(out.iterdir())
