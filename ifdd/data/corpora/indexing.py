"""The manifest of a corpus: what its lists say of what lies on disk, and a report of where the two disagree."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ifdd.data.corpora.assembling import Gathered, Indexed, Options, Wanted, assemble
from ifdd.data.corpora.base import MENTIONS, Facts
from ifdd.data.corpora.finding import Found, choose, joined, look_below
from ifdd.data.corpora.listing import Listing, read_listing
from ifdd.data.corpora.report import Finding
from ifdd.errors import InputError


@dataclass(frozen=True)
class Corpus(Facts):
    """A corpus that can be indexed."""

    def index(self, root: str | Path, **options: Any) -> Indexed:
        """Its manifest and report of what lies below a folder; options as those of `Options`.

        Raises: InputError as `index_corpus`.
        """
        return index_corpus(self, Path(root), Options(**options))


def index_corpus(corpus: Facts, root: Path, options: Options | None = None) -> Indexed:
    """Index a corpus: find its clips and its lists, compare the two, count the frames of each clip.

    Folders of frames are listed and one header each is read, nothing is decoded; videos are decoded. A clip that is missing,
    cannot be read, has holes in the numbers of its frames or fewer than `min_frames` is a row of the report, not of the manifest.

    Args:
        corpus: which.
        root: folder of it, as it was handed out or moved about.
        options: see there.

    Raises:
        InputError: a root without clips or lists of the corpus; lists that contradict each other (`listing.read_listing`) or a
            table of the corpus; or as `assembling.assemble`.
    """
    options = options or Options()
    found = joined(look_below(root, corpus.key_of), corpus.parts_of_one)
    if not found.clips:
        also = f", only {len(found.lists)} lists" if found.lists else ""
        raise InputError(
            f"{root}: no clips of {corpus.title} there{also}; looked for {corpus.looked_for}; give the folder that holds them"
        )
    folder = choose(found, options.frames, corpus.folders, corpus.title)
    clips = found.clips[folder]
    listing = listing_of(corpus, found, options)
    factors = corpus.factors(found, list(clips))
    labels, source = _labels(corpus, root, clips, listing, factors.labels, factors.source)
    twins = {clip: twin for clip in clips if (twin := corpus.twin_of(clip)) in clips}
    findings = [Finding(clip, "surplus", f"{path} is in no list", True) for clip, path in clips.items() if clip not in labels]
    findings += [
        Finding(clip, "twice", f"{other} is left out beside {path}", False) for clip, path, other in found.twice.get(folder, [])
    ]
    findings += [Finding(clip, "twice", f"{twin} shows the same", True, labels.get(clip, "")) for clip, twin in twins.items()]
    if listing is None:
        wanted = [Wanted(clip, label, clips.get(clip, "")) for clip, label in labels.items() if clip not in twins]
    else:
        family = listing.family
        findings += [Finding(clip, "twice", "a list holds it twice", False, labels[clip]) for clip in family.twice]
        wanted = [
            Wanted(clip, label, clips.get(clip, ""), family.fold[clip], family.part[clip])
            for clip, label in labels.items()
            if clip not in twins
        ]
    others = {name: len(more) for name, more in found.clips.items() if name != folder}
    scenes = scenes_of(corpus, found, folder)
    return assemble(
        Gathered(
            corpus, root, folder, others, wanted, findings, listing, source, factors.columns, factors.notes, *(scenes or ("", {}))
        ),
        options,
    )


def scenes_of(corpus: Facts, found: Found, folder: str) -> tuple[str, Mapping[str, str]] | None:
    """The folder of the scenes around the clips of a folder, and clip id → path; None where the clips are whole pictures.

    >>> from ifdd.data.corpora.ferv39k import FERV39K
    >>> faces, whole = {"Action/Happy/0001": "2_ClipsforFaceCrop/…"}, {"Action/Happy/0001": "3_ClipsforScenImages/…"}
    >>> found = Found(Path(), {"2_ClipsforFaceCrop": faces, "3_ClipsforScenImages": whole})
    >>> scenes_of(FERV39K, found, "2_ClipsforFaceCrop")[0], scenes_of(FERV39K, found, "3_ClipsforScenImages")
    ('3_ClipsforScenImages', None)
    """

    def called(name: str, known: str) -> bool:
        return known in name.lower().split("/")

    if any(called(folder, known) for known in corpus.scenes):
        return None
    fitting = (name for known in corpus.scenes for name in found.clips if name != folder and called(name, known))
    chosen = next(fitting, None)
    return None if chosen is None else (chosen, found.clips[chosen])


def listing_of(corpus: Facts, found: Found, options: Options) -> Listing | None:
    """What the lists below the root, or those that are asked for, say; None where there are none.

    Raises: InputError as `listing.read_listing`; lists that are asked for and are none of the corpus.
    """
    if options.lists is None:
        return read_listing(corpus, found.root, found.lists, order=options.order)
    lists = options.lists
    mentioned = {name for name, words in MENTIONS.items() if words.search(lists.name.lower())}
    if mentioned and corpus.name not in mentioned:
        raise InputError(
            f"--lists {lists}: by its name it is of {min(mentioned)}, not of {corpus.name}; give the lists of {corpus.title}"
        )
    place, names = (lists.parent, [lists.name]) if lists.is_file() else (lists, look_below(lists, corpus.key_of).lists)
    listing = read_listing(corpus, place, names, order=options.order)
    if listing is None:
        raise InputError(f"{lists}: no lists of {corpus.title} there; looked for {corpus.looked_for}")
    return listing


def _labels(
    corpus: Facts,
    root: Path,
    clips: Mapping[str, str],
    listing: Listing | None,
    told: Mapping[str, str],
    table: str,
) -> tuple[dict[str, str], str]:
    """The class of every clip that is listed, or names it itself, and who says so.

    Raises: InputError where a table of the corpus says another class, or nothing says any.
    """
    if listing is not None:
        family = listing.family
        wrong = [clip for clip, name in told.items() if family.label.get(clip, name) != name]
        if wrong:
            clip = min(wrong)
            raise InputError(
                f"{table}: clip {clip} is {told[clip]}, lists ({family.files[0]}) say {family.label[clip]} ({len(wrong)} clips "
                "differ); mend the one that is wrong, or choose lists with --lists"
            )
        return dict(family.label), family.source
    if told:
        return dict(told), table
    named = {clip: name for clip in clips if (name := corpus.class_of(clip)) is not None}
    if corpus.lists_needed or not named:
        raise InputError(
            f"{root}: no lists of {corpus.title} there; looked for {corpus.looked_for}; say where they are with --lists DIR"
        )
    return named, "the names of the clips"
