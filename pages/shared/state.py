"""What the pages share: models, and results that are kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import streamlit as st

from shared import jobs, looks, once, view, waiting
from workbench.analysis.comparison.results import RANKED_FROM
from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.task import measure
from workbench.app.clip_table import clip_table as make_clip_table
from workbench.app.from_ifdd import Card, InputError, load_checkpoint, verified_card
from workbench.app.own_networks import own_bundles
from workbench.app.selection import Selection
from workbench.app.turns import Turn
from workbench.benchmark.results import FamilyResult
from workbench.benchmark.scenes.results import ScenesResult, read_scenes
from workbench.benchmark.stored import read_benchmark
from workbench.store.collection import Collection, in_one_order
from workbench.store.dataset import Dataset
from workbench.store.layout import demo_folder
from workbench.store.tables import labelled, subjects
from workbench.store.workspace import Workspace, first_in_view, open_workspace, to_begin_with

if TYPE_CHECKING:  # what one page alone needs is loaded when it does: the first page is drawn in half the time
    from workbench.analysis.confidence.results import CalibrationResult, ConfidenceResult
    from workbench.analysis.disentanglement.results import Scorecard
    from workbench.app.from_ifdd import Bundle
    from workbench.app.playground import Knobs, RenderedClip, Script
    from workbench.app.uploads import Faces
    from workbench.explain.results import Explanation
    from workbench.explain.task import Options


T = TypeVar("T")


def workspace() -> Workspace:
    """The workspace that the app was started with, else the demo; what is wrong with it `dataset` tells."""
    return Workspace(Path(os.environ.get("IFDD_WORKSPACE") or demo_folder()))


def dataset() -> Dataset:
    """The dataset in view; read again when its manifest changes. Raises: InputError for no workspace, or no clips."""
    place = _opened()
    if not place.datasets:
        way_out = f"link one: ln -s /PATH/OF/FOLDER {place.folder / 'datasets'}/NAME"
        raise InputError(f"{place.folder} holds no dataset; make one with ifdd data index FOLDER and {way_out}")
    return _read(place, _dataset_name(place))


def named_dataset(name: str) -> Dataset:
    """A dataset of the workspace by name, as `dataset`, whatever the reader sees. Raises: InputError for an unknown one."""
    return _read(workspace(), name)


@once.a_run
def _opened() -> Workspace:
    return open_workspace(workspace().folder)


@once.a_run
def _read(place: Workspace, name: str) -> Dataset:
    found = place.dataset(name)
    found = _dataset(found, found.manifest.stat().st_mtime_ns)
    _ = found.clips
    return found


@st.cache_resource(
    max_entries=64, show_spinner=False, hash_funcs={Dataset: lambda found: (found.name, found.manifest, found.collections)}
)
def _dataset(found: Dataset, stamp: int) -> Dataset:
    return found


DATASET, IN_VIEW, REFERENCE = "dataset", "models", "ref"
"""Names, in the session and in the address, of what all pages show: a dataset, checkpoints, and which of them others are compared
with."""


def _dataset_name(place: Workspace) -> str:
    """The one that is chosen, else the first."""
    chosen = st.session_state.get(DATASET)
    return str(chosen) if chosen in place.datasets else _first_dataset(place)


def _first_dataset(place: Workspace) -> str:
    """The first dataset that can be read, else the first."""
    broken = _broken(place)
    return next((name for name in place.datasets if name not in broken), place.datasets[0])


@once.a_run
def _broken(place: Workspace) -> dict[str, Exception]:
    """What is wrong with each dataset that cannot be read."""
    found: dict[str, Exception] = {}
    for name in place.datasets:
        try:
            _read(place, name)
        except (InputError, OSError) as error:
            found[name] = error
    return found


def of_dataset(key: str) -> str:
    """A session key for what belongs to the dataset in view, where there are several."""
    place = workspace()
    return key if len(place.datasets) < 2 else f"{key} of {_dataset_name(place)}"


def follow_address() -> None:
    """Dataset, models and reference as the address or the session has them; before the widgets that choose them are drawn."""
    place = workspace()
    if place.datasets:
        st.session_state[DATASET] = view.followed(DATASET, place.datasets, [_first_dataset(place)])[0]
    names = offered()
    before = st.session_state.get(of_dataset("models chosen"), _default_models())
    st.session_state[IN_VIEW] = view.followed(IN_VIEW, names, before)
    chosen = chosen_models(sort=False)
    st.session_state[REFERENCE] = next(iter(view.followed(REFERENCE, chosen, chosen[:1])), None)


def chosen_before() -> list[str]:
    """The models that this session had in view when a page was drawn last; none for a session that begins."""
    return list(st.session_state.get(of_dataset("models chosen"), ()))


def note_in_address() -> None:
    """The address says what is chosen; after the widgets that choose it were drawn."""
    place = workspace()
    if place.datasets:
        view.note_in_address(DATASET, [st.session_state[DATASET]], [_first_dataset(place)])
    chosen = st.session_state[of_dataset("models chosen")] = chosen_models(sort=False)
    view.note_in_address(IN_VIEW, chosen, _default_models())
    view.note_in_address(REFERENCE, chosen_models()[:1], chosen[:1])


def ask_dataset() -> None:
    """Let the reader choose the dataset of all pages, where there are several; those that cannot be read come last, with why."""
    place = workspace()
    if len(place.datasets) < 2:
        return
    broken = _broken(place)
    names = sorted(place.datasets, key=broken.__contains__)
    st.selectbox(
        "Dataset",
        names,
        format_func=lambda name: f"{name} (cannot be read)" if name in broken else name,
        help="All pages show its clips.",
        on_change=_other_dataset,
        **looks.kept(DATASET),
    )
    for name, error in broken.items():
        st.warning(looks.markdown_text(f"{name} cannot be read: {error}"), icon=":material/link_off:")


def _other_dataset() -> None:
    """Models and clips are chosen for a dataset: another one has the models that were chosen for it before, and all clips."""
    for key in (IN_VIEW, REFERENCE):
        st.session_state.pop(key, None)
    view.clear(Selection())


@st.cache_resource(max_entries=32, show_spinner="Loading the model …")
def _model(folder: Path, stamp: int) -> tuple[Bundle, Turn]:
    return load_checkpoint(folder), Turn()


@st.cache_resource(show_spinner="Loading the networks of --model …")
def own_networks() -> dict[str, tuple[Bundle, Turn]]:
    """Networks of the user's own Python, by name, that the app was started with. Raises: InputError as `own_bundles`."""
    return {name: (bundle, Turn()) for name, bundle in own_bundles(list(workspace().checkpoints())).items()}


def model(name: str) -> tuple[Bundle, Turn]:
    """A checkpoint, or a network of the user's own, and the turn to hold while its model runs.

    Raises: InputError for one that is unknown or damaged.
    """
    if name in own_networks():
        return own_networks()[name]
    return _model(*_folder_of(name))


@once.a_run
def _folder_of(name: str) -> tuple[Path, int]:
    """Where a checkpoint lies, and when it was changed last."""
    folder = workspace().checkpoint(name)
    return folder, max(file.stat().st_mtime_ns for file in folder.iterdir())


@once.a_run
def checkpoints() -> Mapping[str, Path]:
    """Folders of the checkpoints that the workspace offers, by name."""
    return workspace().checkpoints()


FEW = 4
"""Up to so many models have room side by side."""


def ask_models_in_view() -> None:
    """Let the reader choose the checkpoints of all pages, at first those that have read the clips, and the reference."""
    names, alone = offered(), predictions_alone()
    if len(names) > 1:
        st.multiselect(
            "Models" if alone else "Checkpoints",
            names,
            format_func=lambda name: f"{name} (predictions)" if name in alone else name,
            help="All pages show these. One that has not read the clips yet asks before it does.",
            **looks.kept(IN_VIEW),
        )
    if len(chosen := chosen_models(sort=False)) > 1:
        st.selectbox("Reference", chosen, help="The one that the others are compared with.", **looks.kept(REFERENCE))


def predictions_alone() -> dict[str, str]:
    """Models of whom the dataset in view has predictions and no network, with where these come from."""
    try:
        return _without_checkpoint(dataset())
    except (InputError, OSError):  # the page says what is wrong with the clips
        return {}


@once.a_run
def _without_checkpoint(clips: Dataset) -> dict[str, str]:
    return clips.without_checkpoint({*checkpoints(), *own_networks()})


def offered() -> list[str]:
    """Names of the models that can be shown: checkpoints, networks of the user's own, predictions of others."""
    return list(dict.fromkeys([*checkpoints(), *own_networks(), *predictions_alone()]))


def _default_models() -> list[str]:
    """What is in view at first: of few models all, of many those that have read the clips."""
    names = offered()
    if len(names) < FEW:
        return names
    try:
        return [*_first_in_view(dataset()), *own_networks(), *predictions_alone()]
    except (InputError, OSError):  # the page says what is wrong with the clips
        return []


@once.a_run
def _first_in_view(clips: Dataset) -> list[str]:
    return first_in_view(checkpoints(), clips)


def chosen_models(sort: bool = True) -> list[str]:
    """Names of the models that the reader has chosen for all pages, the reference first if `sort`."""
    known = offered()
    asked = st.session_state.get(IN_VIEW)
    names = [name for name in (_default_models() if asked is None else asked) if name in known]
    first = st.session_state.get(REFERENCE)
    return sorted(names, key=lambda name: name != first) if sort else names


def in_view() -> list[str]:
    """`chosen_models`. Where none is chosen yet the page ends with a note."""
    known, names = offered(), chosen_models()
    if known and not names:
        clips = dataset()
        st.info(
            looks.markdown_text(
                f"No checkpoint is chosen for the {len(clips.clips)} clips in {clips.manifest.parent}. Choose one or more in the "
                "menu above, with the eye; one that has not read these clips asks before it does."
            ),
            icon=":material/info:",
        )
        if suggested := to_begin_with(checkpoints()):
            label = looks.markdown_text(f"Begin with {' and '.join(suggested)}")
            st.button(label, icon=":material/play_arrow:", key="view_begin", on_click=_begin_with, args=(suggested,))
        st.stop()
    return names


def _begin_with(names: list[str]) -> None:
    st.session_state[IN_VIEW] = names


def card(name: str) -> Card:
    """What a checkpoint, or a network of the user's own, says of itself; its network is not loaded for that.

    Raises: InputError for one that is unknown or damaged.
    """
    if name in own_networks():
        return own_networks()[name][0].card
    return _card(*_folder_of(name))


@st.cache_resource(max_entries=256, show_spinner=False)
def _card(folder: Path, stamp: int) -> Card:
    return verified_card(folder)


def cards() -> dict[str, Card]:
    """The cards of the networks in view, for pages that ask no network: as `usable_models`, which takes seconds."""
    return _usable(card)


def usable_models() -> dict[str, Bundle]:
    """The networks in view that load; a panel for each that does not; none where predictions alone are in view.

    Raises: InputError if none does.
    """
    return _usable(lambda name: model(name)[0])


def _usable(read: Callable[[str], T]) -> dict[str, T]:
    found = {}
    names, alone = in_view(), predictions_alone()
    for name in names:
        if name in alone:
            continue
        try:
            found[name] = read(name)
        except (InputError, OSError) as error:
            looks.show_error(error, name)
    if not found and not alone.keys() & set(names):
        raise InputError(
            "no checkpoint can be used; copy a trained one (runs/NAME/checkpoint) to checkpoints/NAME, or set IFDD_CHECKPOINTS"
        )
    return found


def shown(models: Container[str]) -> list[str]:
    """Names of the models in view: those of `cards` or `usable_models`, and those whose predictions are all that is known."""
    alone = predictions_alone()
    return [name for name in in_view() if name in models or name in alone]


def needs_network(what: str) -> bool:
    """Whether a network is in view; of each model that has none, one sentence says so."""
    alone = [name for name in shown(()) if name in predictions_alone()]
    if told := [looks.markdown_text(f"{found.lacks_network(what)}.") for found in collections(alone).values()]:
        st.info("  \n".join(told), icon=":material/info:")
    return len(alone) < len(in_view())


def collections(models: Iterable[str]) -> dict[str, Collection]:
    """What the models said about the clips; an offer to read them where that is still to do, a panel for each that fails."""
    names, alone = list(models), predictions_alone()
    unread = [name for name in names if name not in dataset().collected()]
    made = _read_clips(unread) if unread else {}
    found = {}
    for name in names:
        if name in unread and name not in made:
            continue
        try:
            found[name] = _collection(dataset(), name, name in alone)
        except (InputError, OSError) as error:
            looks.show_error(error, name)
    return in_one_order(found)


@once.a_run
def _collection(clips: Dataset, name: str, alone: bool) -> Collection:
    return clips.collection(None if alone else card(name), name)


def _read_clips(names: Sequence[str]) -> dict[str, Path]:
    """Offer to read the clips with models that have not; the collections that were made meanwhile."""
    clips, works, seconds = dataset(), {}, 0.0
    for name in names:
        try:
            bundle = model(name)[0]
            seconds += _seconds_to_collect(bundle.card.sha256, str(clips.manifest), name)
        except (InputError, OSError) as error:
            looks.show_error(error, name)
            continue
        which = ["--model", bundle.given] if bundle.given else [name]
        line = ["workbench", "collect", *which, "--dataset", clips.name, "--workspace", str(workspace().folder)]
        title = f"Read {clips.name} with {name}"
        works[name] = jobs.Work(title, line, [bundle.card.sha256], workspace().collection_folder(clips.name, name))
    if not works:
        return {}
    about = f"{len(clips.clips)} clips have not been read with {', '.join(works)} yet."
    return jobs.offer_all(works, f"read_{'_'.join(works)}", button="Read the clips", seconds=seconds, about=about)


@st.cache_data(max_entries=64, show_spinner=False)
def _seconds_to_collect(sha256: str, manifest: str, name: str) -> float:
    from workbench.store.collecting import seconds_to_collect

    bundle, turn = model(name)
    with turn:
        return seconds_to_collect(bundle, manifest)


def needs_labels(what: str) -> bool:
    """Whether the clips in view have labels; where they have none, one sentence says what is missing and what would help."""
    clips = dataset()
    if not clips.has_labels:
        st.info(
            looks.markdown_text(
                f"These clips have no labels, so {what}; name the class of each in a column label of {clips.manifest} and read "
                "the clips again, or see what the models say on the pages Clip, Agreement, Embedding and Splits."
            ),
            icon=":material/label_off:",
        )
    return clips.has_labels


# -- results that are kept -------------------------------------------------------------------------------------------------
# A collection is named by where it is and by the sha256 of its checkpoint; the underscore keeps Streamlit from hashing it.


def key_of(collection: Collection) -> tuple[str, ...]:
    """What a collection is known by: its folder, its checkpoint, its clips, its classes as they are shown."""
    sha256, clips = collection.meta["checkpoint"]["sha256"], collection.meta["data"]["hash"]
    return str(collection.folder), sha256, clips, *collection.labels


def clip_table() -> pd.DataFrame:
    """All clips, indexed by `clip_id`, with what the models in view said of them: those that have read them."""
    found = _read_collections()
    return _clip_table(_clip_table_key(dataset(), found), dataset().clips, in_one_order(found))


def clip_table_key() -> tuple[str, ...]:
    """What `clip_table` depends on: its clips, and what each model in view said."""
    return _clip_table_key(dataset(), _read_collections())


def _read_collections() -> dict[str, Collection]:
    found: dict[str, Collection] = {}
    alone, collected = predictions_alone(), dataset().collected()
    for name in chosen_models():
        if name not in collected:
            continue
        try:
            found[name] = _collection(dataset(), name, name in alone)
        except (InputError, OSError):  # the page shows a panel for it
            continue
    return found


def tell_who_is_left_out() -> None:
    """Of the models in view that `clip_table` has no answers of: a panel with why, or a note where one has not read the clips."""
    found, collected = _read_collections(), dataset().collected()
    for name in chosen_models():
        if name in found:
            continue
        if name not in collected:
            looks.note(f"{name} has not read these clips, so nothing here is of it; other pages offer to read them.")
            continue
        try:
            _collection(dataset(), name, name in predictions_alone())
        except (InputError, OSError) as error:
            looks.show_error(error, name)


def _clip_table_key(clips: Dataset, found: dict[str, Collection]) -> tuple[str, ...]:
    file = clips.manifest
    return (str(file), str(file.stat().st_mtime_ns), *found, *(text for item in found.values() for text in key_of(item)))


def read_ahead() -> None:
    """Read what a fresh page shows, before somebody asks: the clips, and what checkpoints and others said of them.

    No session is asked, for there is none yet. What cannot be read the page tells, which reads it again.
    """
    with suppress(InputError, OSError):
        place = _opened()
        if place.datasets:
            _read_first(place)


def _read_first(place: Workspace) -> None:
    clips = _read(place, _first_dataset(place))
    found: dict[str, Collection] = {}
    for name in [*first_in_view(place.checkpoints(), clips), *clips.without_checkpoint(place.checkpoints())]:
        with suppress(InputError, OSError):  # the page shows a panel for it
            known = _card(*_folder_of(name)) if name in place.checkpoints() else None
            found[name] = clips.collection(known, name)
    if found:
        _clip_table(_clip_table_key(clips, found), clips.clips, in_one_order(found))


@st.cache_resource(max_entries=8, show_spinner=False)
def _clip_table(key: tuple[str, ...], _clips: pd.DataFrame, _collections: dict[str, Collection]) -> pd.DataFrame:
    return make_clip_table(_clips, _collections)


def metrics(collection: Collection) -> MetricsResult:
    """WAR, UAR and recalls of a collection."""
    return _metrics(key_of(collection), collection)


@st.cache_resource(max_entries=8, show_spinner="Measuring …")
def _metrics(key: tuple[str, ...], _collection: Collection) -> MetricsResult:
    return measure(_collection)


def confidences(collection: Collection) -> tuple[ConfidenceResult, CalibrationResult]:
    """Densities and calibration of a collection."""
    return _confidences(key_of(collection), collection)


@st.cache_resource(max_entries=8, show_spinner="Estimating densities …")
def _confidences(key: tuple[str, ...], _collection: Collection) -> tuple[ConfidenceResult, CalibrationResult]:
    from workbench.analysis.confidence import calibration, density

    table, names = labelled(_collection), _collection.labels
    probs, labels = _collection.probs[table["row"].to_numpy()], table["label"].to_numpy()
    return density(probs, labels, names), calibration(probs, labels, label_names=names, groups=subjects(table))


def scorecards(names: Sequence[str]) -> list[Scorecard]:
    """The scorecards of several models; an offer to measure those that were not yet, a panel for each that cannot be read."""
    clips, works = dataset(), {}
    for name in names:
        if name in own_networks():  # which the command does not take
            continue
        line = ["workbench", "scorecard", name, "--dataset", clips.name, "--workspace", str(workspace().folder)]
        title, inputs = f"Measure the disentanglement of {name}", [model(name)[0].card.sha256, *clips.hashes]
        works[name] = jobs.Work(title, [*line, "--out", "{out}"], inputs)
    about = f"The disentanglement of {', '.join(works)} has not been measured on these clips yet."
    made = jobs.offer_all(works, f"scorecard_{'_'.join(works)}", button="Measure", seconds=SCORECARD * len(works), about=about)
    found = []
    for name in names:
        try:
            if name in own_networks():
                found.append(_own_scorecard(str(clips.manifest), clips.manifest.stat().st_mtime_ns, name))
            elif name in made:
                file = made[name] / "scorecard.json"
                found.append(_scorecard(file, file.stat().st_mtime_ns))
        except (InputError, OSError) as error:
            looks.show_error(error, name)
    return found


@st.cache_resource(max_entries=8, show_spinner="Measuring the disentanglement, half a minute for each model …")
def _own_scorecard(manifest: str, stamp: int, name: str) -> Scorecard:
    from workbench.analysis.disentanglement.task import make_scorecard

    with in_turn(name) as bundle, tempfile.TemporaryDirectory() as folder:
        return make_scorecard(bundle, manifest, Path(folder) / "collection")


SCORECARD = 45.0  # seconds that the scorecard of one model takes on two cores, of 140 clips


@st.cache_resource(max_entries=32, show_spinner=False)
def _scorecard(file: Path, stamp: int) -> Scorecard:
    from workbench.analysis.disentanglement.stored import read_scorecards

    return next(iter(read_scorecards(file).values()))


def measured(name: str, among: Sequence[Path] | None = None) -> Path | None:
    """Which file of this name to show, by default of all that commands wrote: the reader's choice where there are several."""
    found = workspace().measured(name) if among is None else among
    files = {_called(file): file for file in found}
    if len(files) < 2:
        return found[0] if found else None
    label = st.selectbox(
        "Measured",
        list(files),
        help=f"Every {name} of the results, and that of the checkpoints.",
        **view.linked(name.partition(".")[0]),
    )
    return files[label]


def _called(file: Path) -> str:
    """A file's place in the workspace; what lies beside checkpoints elsewhere came with those."""
    above = workspace().folder
    return str(file.relative_to(above)) if file.is_relative_to(above) else f"{file.parent.name}/{file.name} (shipped)"


def benchmark(file: Path) -> FamilyResult:
    """What `workbench benchmark` measured."""
    return _benchmark(str(file), file.stat().st_mtime_ns)


@st.cache_resource(max_entries=2, show_spinner=False)
def _benchmark(file: str, stamp: int) -> FamilyResult:
    return read_benchmark(file)


def scenes(file: Path) -> ScenesResult:
    """What `workbench scenes` measured."""
    return _scenes(str(file), file.stat().st_mtime_ns)


@st.cache_resource(max_entries=8, show_spinner=False)
def _scenes(file: str, stamp: int) -> ScenesResult:
    return read_scenes(file)


def compared(found: FamilyResult) -> list[str]:
    """Variants to begin with: those trained often enough to be ranked, or all."""
    ranked = [row.variant for row in found.rows if len(row.checkpoints) >= RANKED_FROM]
    return ranked or [row.variant for row in found.rows]


@st.cache_resource(max_entries=16, show_spinner="Drawing …")
def played(knobs: Knobs) -> tuple[Script, RenderedClip]:
    """A scripted clip with its truth."""
    from workbench.app.playground import play

    return play(knobs)


def explained(video: Path, asked: Mapping[str, Options]) -> dict[str, Explanation]:
    """One clip of the dataset through models, each with its options; until that is done the page waits (`waiting.wait_for`)."""
    works: dict[Hashable, Callable[[], Any]] = {
        (name, model(name)[0].card.sha256, str(video), repr(options)): _explaining(name, video, options)
        for name, options in asked.items()
    }
    return dict(zip(asked, waiting.wait_for(works, f"Running {', '.join(asked)}"), strict=True))


def _explaining(name: str, video: Path, options: Options) -> Callable[[], Explanation]:
    bundle, turn = model(name)

    def explain() -> Explanation:
        from workbench.explain import task as explaining

        with turn:
            return explaining.run(bundle, video, options)

    return explain


def explaining(names: Sequence[str]) -> Callable[..., dict[str, Explanation]]:
    """What takes a video (its path, options, and what finds its faces) through models; it uses nothing of Streamlit.

    The video is read once for all models that read it alike; nothing is kept.
    """
    taken = {name: model(name) for name in names}

    def explain(video: Path, options: Options, faces: Callable[[], Faces] | None = None) -> dict[str, Explanation]:
        from workbench.app.map_choice import fitting
        from workbench.explain import task
        from workbench.store.sources import preprocessing_of, read_source

        sources, found = {}, {}
        for name, (bundle, turn) in taken.items():
            wanted = preprocessing_of(bundle, video, _with_scene(options, bundle))
            if wanted not in sources:
                if faces is not None and wanted.crop == "face":
                    sources[wanted] = faces().source(wanted, options.face)
                else:
                    sources[wanted] = read_source(video, wanted, options)
            with turn:
                found[name] = task.explain_source(bundle, sources[wanted], fitting(_with_scene(options, bundle), bundle))
        return found

    return explain


def _with_scene(options: Options, bundle: Bundle) -> Options:
    """The options without a scene for a model that reads none."""
    return options if bundle.scenes else replace(options, scene=None)


@contextmanager
def in_turn(name: str) -> Iterator[Bundle]:
    """A model, when it is this visitor's turn to use it; until then the page says how many are before."""
    bundle, turn = model(name)
    place = st.empty()

    def told(before: int) -> None:
        people = f"{before} visitor{'s' * (before != 1)}"
        place.info(looks.markdown_text(f"Waiting for {name}: {people} before you."), icon=":material/hourglass_top:")

    with turn.taken(told):
        place.empty()
        yield bundle


def played_explained(names: Sequence[str], knobs: Knobs) -> dict[str, Explanation]:
    """A scripted clip through several models, by maps that pass their tests."""
    (script, rendered), explain = played(knobs), explaining(names)

    def make() -> dict[str, Explanation]:
        from workbench.app.playground import keep, surroundings
        from workbench.explain.task import TESTED, Options

        with tempfile.TemporaryDirectory() as folder:
            frames, fps, scene = keep(rendered, Path(folder), surroundings(script, rendered) if knobs.around else None)
            return explain(frames, Options(crop="none", fps=fps, method=TESTED, scene=scene))

    key = (*names, *(model(name)[0].card.sha256 for name in names), repr(knobs))
    return waiting.wait_for({key: make}, f"Running {', '.join(names)}")[0]


@st.cache_data(max_entries=512, show_spinner=False)
def clip_thumbnail(path: str, share: float, frames: int) -> Any:
    """One small frame of a clip."""
    from workbench.app.clipview import thumbnail

    return thumbnail(path, share, frames)
