"""A cross-validation: one recipe trained for every fold of a corpus, and the scores of all folds together.

<out>/  fold-1 … fold-k (run folders), each with its .yaml and .log
        predictions.parquet (test predictions of all folds)   metrics.json   table.md
        clips/fold-<k>.parquet (the test clips of a fold as a list of their own, to collect with the fold's checkpoint)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ifdd.checkpoints import CARD, read_card
from ifdd.data.corpora.report import read_report, report_file
from ifdd.data.manifest import FILE_NAME, clip_path, data_hash, read_manifest, write_manifest
from ifdd.data.manifest.table import FILES
from ifdd.data.parts import parts_of
from ifdd.data.published import Published, fitting_row
from ifdd.errors import InputError
from ifdd.io import claim, write_json, write_text
from ifdd.metrics import count_units
from ifdd.tables import read_table
from ifdd.training.evaluation import METRICS, PREDICTIONS, write_predictions
from ifdd.training.finishing import CHOSEN_ON_TEST as CHOSEN_ON_THESE
from ifdd.training.fold_table import folds_markdown
from ifdd.training.folds import SOURCE, FoldScores, score_frame
from ifdd.training.keeping import CHECKPOINT
from ifdd.training.processes import check_same, last_word, train_all
from ifdd.training.recipe import CorpusData, Recipe, load_recipe

TABLE, CLIPS = "table.md", "clips"
CHOSEN_ON_TEST = "chosen on the test fold"


@dataclass(frozen=True)
class Chosen:
    """How the checkpoint of a fold was chosen: `epoch` of `epochs`, in words `on` which clips, and whether these are its test."""

    epoch: int
    epochs: int
    on: str
    on_test: bool

    @property
    def words(self) -> str:
        """In one line."""
        return f"epoch {self.epoch} of {self.epochs}, {self.on}"


def plan_folds(file: str | Path, folds: Sequence[int] | None = None, settings: Sequence[str] = ()) -> dict[int, Recipe]:
    """The recipe of each fold, by fold; all folds of the list by default.

    Raises: InputError as `load_recipe`; data that has no folds, a fold that it lacks, or one that is named twice.
    """
    base = load_recipe(file, settings)
    if not isinstance(base.data, CorpusData):
        raise InputError(
            f"{file}: data.source is {base.data.source!r}; a cross-validation needs one list with folds (data.source: corpus)"
        )
    known = folds_of(read_manifest(base.data.manifest), base.data.manifest)
    chosen = known if folds is None else list(folds)
    if strange := [fold for fold in chosen if fold not in known]:
        raise InputError(f"{base.data.manifest}: no fold {strange[0]}; it has {', '.join(map(str, known))}")
    if len(set(chosen)) < len(chosen) or not chosen:
        raise InputError(f"--folds names {'a fold twice' if chosen else 'no fold'}; the list has {', '.join(map(str, known))}")
    return {fold: load_recipe(file, [*settings, f"name={base.name}-fold-{fold}", f"data.fold={fold}"]) for fold in chosen}


def folds_of(frame: pd.DataFrame, source: object) -> list[int]:
    """Numbers of the folds of a list.

    Raises: InputError if it has none.
    """
    known = sorted(set(frame["fold"].tolist()) - {0})
    if len(known) < 2:
        named = "; its column split names a train and a test part: ifdd train takes it as it is" if "split" in frame else ""
        raise InputError(f"{source}: has no folds to cross-validate over (column fold){named}; ifdd data split makes folds")
    return known


def cross_validate(
    file: str | Path,
    out: str | Path,
    *,
    folds: Sequence[int] | None = None,
    settings: Sequence[str] = (),
    jobs: int = 1,
    say: Callable[[str], object] = print,
    papers: Sequence[str] = (),
) -> dict[str, Any]:
    """Train a recipe for every fold into `out/fold-<k>`, score all test predictions; returns what metrics.json holds.

    Folds that are complete are kept, interrupted ones resumed, so the same command goes on where it stopped. `jobs` processes
    share the CPU's cores and the GPUs. `say` gets a line when a fold begins and one with its scores. `papers` names published
    rows (`published.fitting_row`) that the table shows below ours.
    Raises: InputError as `plan_folds` and `fitting_row`, for a folder that holds a run of another recipe, or for folds that
    failed (the others are finished first).
    """
    out = Path(out).resolve()
    recipes = plan_folds(file, folds, settings)
    labels = next(iter(recipes.values())).labels
    printed = [fitting_row(name, labels) for name in papers]  # before hours of training
    with claim(out):
        return _cross_validate(recipes, out, jobs, say, printed)


def _cross_validate(
    recipes: dict[int, Recipe], out: Path, jobs: int, say: Callable[[str], object], papers: Sequence[Published]
) -> dict[str, Any]:
    named = {f"fold-{fold}": recipe for fold, recipe in recipes.items()}
    for name, recipe in named.items():
        check_same(recipe, out / name)
    _check_lists(recipes, out)
    out.mkdir(parents=True, exist_ok=True)
    _, failed = train_all(named, out, jobs=jobs, say=say, trained=lambda name: fold_line(out / name))
    if failed:
        told = "; ".join(f"{name}: {last_word(out / name)}" for name in failed)
        raise InputError(
            f"{len(failed)} of {len(named)} folds failed ({told}), see their .log in {out}; the others are kept, and the same "
            "command goes on"
        )
    return write_folds(recipes, out, papers)


def _check_lists(recipes: dict[int, Recipe], out: Path) -> None:
    """Refuse folds that are complete, of another list than lies there now: their predictions would be pooled with others.

    Raises: InputError that names the fold and the parts.
    """
    for fold, recipe in recipes.items():
        run, data = out / f"fold-{fold}", recipe.data
        assert isinstance(data, CorpusData)
        if not (run / CHECKPOINT / CARD).is_file():
            continue
        listed, known = read_manifest(data.manifest), read_card(run / CHECKPOINT).data
        rows = parts_of(listed, data.manifest, fold=data.fold, val=data.val, seed=recipe.seed).rows
        other = [part for part in rows if known.get(part, {}).get("data_hash") != data_hash(listed.iloc[rows[part]])]
        if other:
            raise InputError(
                f"{run}: was trained when {data.manifest} was another list ({', '.join(map(str, other))}: other clips, paths or "
                "labels); put it back, or choose another --out"
            )


def write_folds(recipes: dict[int, Recipe], out: Path, papers: Sequence[Published] = ()) -> dict[str, Any]:
    """Pool the test predictions of complete folds in `out`, score and write them; returns what metrics.json holds.

    Raises: InputError for a run that is damaged, or test parts that share a clip.
    """
    first = next(iter(recipes.values()))
    assert isinstance(first.data, CorpusData)
    listed = read_manifest(first.data.manifest)
    frame = pooled_predictions({fold: out / f"fold-{fold}" for fold in recipes}, listed)
    scores = score_frame(frame, first.labels)
    chosen = {fold: how_chosen(out / f"fold-{fold}", recipe) for fold, recipe in recipes.items()}
    notes = [
        *_left_out(frame, listed, recipes),
        *_not_official(first.data.manifest),
        *scores.pooled.units.notes,
        *_told_by_runs(recipes, out, scores),
    ]
    name = first.name.removesuffix(f"-fold-{next(iter(recipes))}")
    found = as_written(scores, name, chosen, notes) | {"published": [row.to_dict() for row in papers]}
    for fold in recipes:
        write_clips(listed, fold, out / CLIPS / f"fold-{fold}.parquet")
    write_predictions(out / PREDICTIONS, frame)
    write_json(out / METRICS, found)
    words = {fold: how.words for fold, how in chosen.items()}
    write_text(out / TABLE, folds_markdown(scores, name, words, notes, _mark(chosen), papers))
    return found


def write_clips(listed: pd.DataFrame, fold: int, file: Path) -> None:
    """Write the test part of a fold as a list of its own, whose paths are absolute."""
    own = listed[listed["fold"] == fold].reset_index(drop=True)
    placed: dict[str, Any] = {"path": [str(clip_path(listed, row).absolute()) for row in own.to_dict("records")]}
    root = Path(listed.attrs["root"])
    for column in (name for name in FILES if name in own):
        placed[column] = [None if pd.isna(name) else str((root / name).absolute()) for name in own[column]]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(own.assign(**placed), file)


def pooled_predictions(runs: dict[int, Path], listed: pd.DataFrame) -> pd.DataFrame:
    """The test predictions of the run of every fold, with the source of each clip where the list has it.

    Raises: InputError for a run without predictions of its own fold, or test parts that share a clip.
    """
    parts = []
    for fold, run in runs.items():
        table = read_table(run / PREDICTIONS, f"remove {run} and give the command again")
        test = table[table["split"] == "test"].drop(columns="split")
        if not len(test) or set(test["fold"]) != {fold}:
            raise InputError(
                f"{run / PREDICTIONS}: holds no test predictions of fold {fold} alone; remove {run} and train it anew"
            )
        parts.append(test)
    frame = pd.concat(parts, ignore_index=True)
    if SOURCE in listed:
        frame[SOURCE] = frame["clip_id"].map(dict(zip(listed["clip_id"], listed[SOURCE], strict=True)))
    return frame


def how_chosen(run: Path, recipe: Recipe) -> Chosen:
    """How the checkpoint of a complete run was chosen."""
    card = read_card(run / CHECKPOINT)
    epoch = int(card.training.get("epoch", 0))
    if recipe.keep == "last":
        return Chosen(epoch, recipe.optim.epochs, "the last one: nothing is chosen", False)
    about = card.data.get("val", {})
    clips = str(about.get("validation") or f"{about.get('clips', '?')} clips")
    on_test = bool(card.data.get("test", {}).get("chosen_on_test"))
    return Chosen(
        epoch, recipe.optim.epochs, f"the best UAR on {CHOSEN_ON_TEST.removeprefix('chosen on ') if on_test else clips}", on_test
    )


def fold_line(run: Path) -> str:
    """Scores of a complete run in one line."""
    test = read_card(run / CHECKPOINT).metrics["test"]
    minutes = read_card(run / CHECKPOINT).training.get("minutes")
    took = f", {minutes:g} min" if minutes is not None else ""
    return f"WAR {test['WAR']:.1%}, UAR {test['UAR']:.1%} on {test['n']} test clips{took}"


def as_written(scores: FoldScores, name: str, chosen: dict[int, Chosen], notes: Sequence[str]) -> dict[str, Any]:
    """What metrics.json holds: scores, and how each fold's checkpoint was chosen.

    Where one was chosen on the test fold, every set of numbers that it is in says so.
    """
    found = scores.to_dict()
    on_test = {fold for fold, how in chosen.items() if how.on_test}
    for fold, values in found["folds"].items():
        values["chosen_on_test"] = int(fold) in on_test
    for both in ("mean_of_folds", "pooled"):
        found[both]["chosen_on_test"] = bool(on_test)
    told = {
        str(fold): {"epoch": how.epoch, "epochs": how.epochs, "on": how.on, "on_test": how.on_test}
        for fold, how in chosen.items()
    }
    return {
        "name": name,
        "labels": list(scores.pooled.labels),
        "chosen_on_test": bool(on_test),
        **found,
        "chosen": told,
        "smallest_difference": scores.smallest_difference,
        "notes": list(notes),
    }


def _not_official(manifest: Path) -> list[str]:
    """A note where the folds are not those of the corpus, as the report beside its list says."""
    file = manifest / FILE_NAME if manifest.is_dir() else manifest
    about = read_report(file)
    if about is None or about.get("official"):
        return []
    return [f"the folds are not official ones (see {report_file(file).name}): those of papers have other clips"]


def _told_by_runs(recipes: dict[int, Recipe], out: Path, scores: FoldScores) -> list[str]:
    """What the runs' own tests note, but for what is told of the folds here."""
    ours = {note for one in (scores.pooled, *scores.folds.values()) for note in one.units.notes} | {CHOSEN_ON_THESE}
    if not scores.pooled.units.persons:  # a run says it in other words where its list has the column, but nobody in it
        ours |= {*count_units(None, 1).notes, *count_units([""], 1).notes}
    told: dict[str, list[int]] = {}
    for fold in recipes:
        for note in read_card(out / f"fold-{fold}" / CHECKPOINT).metrics["test"].get("notes", ()):
            if note not in ours:
                told.setdefault(str(note), []).append(fold)
    of_all = len(recipes)
    return [note if len(folds) == of_all else f"fold {', '.join(map(str, folds))}: {note}" for note, folds in told.items()]


def _mark(chosen: dict[int, Chosen]) -> str:
    """What every number is marked with, in words; empty where nothing was chosen on the test fold."""
    folds = [fold for fold, how in chosen.items() if how.on_test]
    return f"{CHOSEN_ON_TEST} itself: on new clips the models are worse" if folds else ""


def _left_out(frame: pd.DataFrame, listed: pd.DataFrame, recipes: dict[int, Recipe]) -> list[str]:
    """Test clips without a prediction, and folds that were not asked for."""
    known = sorted(set(listed["fold"].tolist()) - {0})
    expected = listed["fold"].isin(list(recipes))
    missing = int(expected.sum()) - len(frame)
    notes = [f"{missing} of {int(expected.sum())} test clips could not be read and are not scored"] if missing else []
    if len(recipes) < len(known):
        told = ", ".join(map(str, recipes))
        notes.append(f"folds {told} of {len(known)}: this is a part of the protocol, not the whole")
    return notes
