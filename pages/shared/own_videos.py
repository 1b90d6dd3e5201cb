"""Parts of the page Upload: which video, how it is read, which of its faces, and the clips that are nearest to it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from shared import charts, gallery, looks, maps, player, state, view, waiting
from workbench.analysis.embedding.task import embedding_of, has_features
from workbench.app.copying import Copied
from workbench.app.embeddings import Request
from workbench.app.from_ifdd import InputError
from workbench.app.limits import LIMITS
from workbench.app.roots import roots_of, within
from workbench.app.uploads import OwnVideo, OwnVideos, check_source, find_faces, found_faces, nearest, vector_of
from workbench.explain.task import Options
from workbench.store.collection import Collection
from workbench.store.tables import usable

if TYPE_CHECKING:
    from workbench.app.from_ifdd import Bundle
    from workbench.explain.results import Explanation

CROPS = {"face": "the tracked face", "center": "the centred square", "none": "the whole frame"}


def ask(own: OwnVideos, models: dict[str, Bundle]) -> tuple[OwnVideo, Any]:
    """Let the visitor give videos and choose one of them, and a place beside for its faces.

    Without any the page ends with what may be given.
    """
    if not own.videos:
        looks.lead("Read on this computer, seen by you alone, and gone when you close this page of the browser.")
        looks.notice(bundle.card for bundle in models.values())
        _take(own)
        st.info("Give a video: a face, a few seconds, any format.", icon=":material/movie:")
        st.stop()
    for text in dict.fromkeys(bundle.card.notice for bundle in models.values()):
        looks.note(text)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.session_state.get("upload_which") not in own.videos:
            st.session_state["upload_which"] = next(iter(own.videos))
        chosen = st.segmented_control(
            "Video",
            list(own.videos),
            format_func=lambda key: looks.markdown_text(own.videos[key].name),
            required=True,
            label_visibility="collapsed",
            **looks.kept("upload_which"),
        )
        with st.popover("Add or remove", icon=":material/upload_file:", key="upload_videos"):
            _take(own)
            for key, video in own.videos.items():
                label = looks.markdown_text(f"Remove {video.name}")
                st.button(label, icon=":material/delete:", key=f"upload_remove_{key}", on_click=own.remove, args=(key,))
        faces = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content")
    return own.videos[chosen or next(iter(own.videos))], faces


def _take(own: OwnVideos) -> None:
    """Take videos by file or by path; what is taken leaves the form, and the server's memory of uploads."""
    turn = st.session_state.setdefault("upload_turn", 0)
    left, right = st.columns(2, gap="large")
    files = left.file_uploader(
        "Video files",
        key=f"upload_file_{turn}",
        accept_multiple_files=True,
        max_upload_size=LIMITS.megabytes,
        help="Any format that FFmpeg reads.",
    )
    roots = roots_of(state.workspace())
    typed = right.text_input(
        "or the path of a video, or of a folder of frames",
        key=f"upload_path_{turn}",
        help=looks.markdown_text(f"Below {', '.join(map(str, roots))}; more folders with workbench app --root FOLDER."),
    ).strip()
    looks.note(LIMITS.words)
    with looks.error_panel():
        new = [own.add(file.name, file.getbuffer()) for file in files]
        new += [own.add_path(within(typed, roots))] if typed else []
    if new:
        for file in files:
            _forget(file.file_id)
        st.session_state.update(upload_which=new[0].key, upload_turn=turn + 1)
        st.rerun()


def _forget(file_id: str) -> None:
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def ask_how(own: OwnVideos, video: OwnVideo, models: Mapping[str, Bundle]) -> Options:
    """How the video is read: crop, stretch, windows; the rate of a folder of frames; what is around it, if a model reads that."""
    with st.popover("How it is read", icon=":material/crop:", key="upload_how"):
        crop = st.segmented_control(
            "Crop", list(CROPS), default="face", format_func=CROPS.__getitem__, required=True, **looks.kept("upload_crop")
        )
        left, right = st.columns(2)
        start = left.number_input("Start (s)", 0.0, None, None, 0.5, placeholder="begin", **looks.kept("upload_start"))
        end = right.number_input("End (s)", 0.0, None, None, 0.5, placeholder="end", **looks.kept("upload_end"))
        window = left.number_input(
            "Window (s)",
            0.1,
            None,
            None,
            0.5,
            placeholder="all",
            help="Read a long video piece by piece. Each model shows the piece in which it is surest of the class.",
            **looks.kept("upload_window"),
        )
        stride = None
        if window is not None:
            stride = right.number_input(
                "Stride (s)",
                0.1,
                None,
                None,
                0.5,
                placeholder="window",
                help="From the begin of one piece to the next; by default pieces do not overlap.",
                **looks.kept("upload_stride"),
            )
        fps = None
        if video.path.is_dir():
            fps = st.number_input(
                "Frame rate of the folder (1/s)",
                1.0,
                1000.0,
                25.0,
                help="Images have no time stamps.",
                **looks.kept("upload_fps"),
            )
        scene = _ask_scene(own, video, models)
    return Options(crop=crop, start=start, end=end, window=window, stride=stride, fps=fps, scene=scene)


def _ask_scene(own: OwnVideos, video: OwnVideo, models: Mapping[str, Bundle]) -> Path | None:
    """Another video given that shows what is around this one; None for the video itself, which shows more than the face."""
    reading = [name for name, bundle in models.items() if bundle.scenes]
    if not reading:
        return None
    others = [key for key in own.videos if key != video.key]
    chosen = st.selectbox(
        "Scene",
        [None, *others],
        format_func=lambda key: "the video itself" if key is None else own.videos[key].name,
        help=looks.markdown_text(
            f"What {' and '.join(reading)} sees around the face. Of a video that is cropped to the face, "
            "give the whole one, with as many frames, too, and choose it here."
        ),
        placeholder="the video itself",
        key=f"upload_scene {video.key}",
    )
    return own.videos[chosen].path if chosen in own.videos else None


def with_maps(options: Options, maps: Mapping[str, Any]) -> Options:
    """The options with those of the maps."""
    known = {field.name for field in fields(Options)}
    return replace(options, **{name: value for name, value in maps.items() if name in known})


def copy_as(video: OwnVideo, models: Mapping[str, Bundle], options: Options) -> None:
    """What explains the video on the command line, and in Python, with each model."""
    values = {
        "crop": options.crop,
        "start": options.start,
        "end": options.end,
        "window": options.window,
        "stride": options.stride,
    }
    values |= {"fps": options.fps, "face": st.session_state.get(_face_key(video))}
    values |= {"scene": options.scene.name if options.scene else None}
    lines: list[Copied] = []
    for model, bundle in models.items():
        known = {name: value for name, value in values.items() if value is not None and (name != "scene" or bundle.scenes)}
        flags = [part for name, value in known.items() for part in (f"--{name}", str(value))]
        python = (
            "from ifdd.checkpoints import load_checkpoint\nfrom workbench.explain import Options, run\n\n"
            f"options = Options({', '.join(f'{name}={value!r}' for name, value in known.items())})\n"
            f"found = run(load_checkpoint({model!r}), {video.name!r}, options)"
        )
        lines.append((["workbench", "explain", video.name, "--checkpoint", model, *flags], python))
    charts.reproduce(*lines[0], "upload", others=lines[1:])


def _face_key(video: OwnVideo) -> str:
    return f"upload_face {video.key}"


def _stretch(options: Options) -> tuple[Any, ...]:
    return options.start, options.end, options.fps


def _faces(own: OwnVideos, video: OwnVideo, options: Options) -> Any:
    """All faces of the stretch, looked for once."""
    return own.once(
        video,
        ("faces", *_stretch(options)),
        lambda: find_faces(video.path, start=options.start, end=options.end, fps=options.fps),
    )


def choose_face(own: OwnVideos, video: OwnVideo, options: Options, beside: Any) -> Options:
    """Let the visitor choose one of the faces that the video shows, by its picture, where there are several.

    Raises: InputError for a video that is too long or too large, or none; NoFaceError.
    """
    pictures = own.once(video, ("pictures", options.crop, *_stretch(options)), lambda: _read(own, video, options))
    if len(pictures) < 2:
        return options
    chosen = st.session_state.get(_face_key(video), 1)
    chosen = chosen if chosen <= len(pictures) else 1
    with beside:
        for face in pictures:
            alt = f"Face {face.number}, seen from {face.begin:.1f} to {face.end:.1f} s in {100 * face.share:.0f} % of the frames"
            st.image(face.picture, width=40, alt=alt)
            st.button(
                f"Face {face.number}",
                key=f"upload_face_{face.number}",
                type="primary" if face.number == chosen else "secondary",
                help=alt,
                on_click=st.session_state.__setitem__,
                args=(_face_key(video), face.number),
            )
    return replace(options, face=chosen)


def _read(own: OwnVideos, video: OwnVideo, options: Options) -> Any:
    """The faces that a video shows, each with a picture; none where it is not read by its face."""

    def read() -> Any:
        check_source(video.path, options.start, options.end, options.fps)
        return found_faces(_faces(own, video, options)) if options.crop == "face" else []

    return _wait(own, video, ("faces", options.crop, *_stretch(options)), read, f"Reading {video.name}")


def _wait(own: OwnVideos, video: OwnVideo, what: tuple[Hashable, ...], make: Callable[[], Any], words: str) -> Any:
    """What is made of a video, which its visitor alone keeps."""
    (made,) = waiting.wait_for({(own.folder, video.key, *what): make}, words, keep=False)
    return made


def explain(own: OwnVideos, video: OwnVideo, names: list[str], options: Options) -> dict[str, Explanation]:
    """The video through the models. Raises: InputError as `explain.task.run`."""
    make = state.explaining(names)

    def explain_it() -> dict[str, Explanation]:
        return make(video.path, options, lambda: _faces(own, video, options))

    found: dict[str, Explanation] = _wait(own, video, ("explained", *names, options), explain_it, f"Running {', '.join(names)}")
    return found


def show_error(own: OwnVideos, error: InputError) -> None:
    """The panel, in the page's words and with the name that the visitor knows."""
    looks.show_error(InputError(player.in_words(own.plain(str(error)))))


def compare(own: OwnVideos, video: OwnVideo, seen: Mapping[str, Explanation], key: Hashable, as_list: bool) -> None:
    """The clips of the dataset that one model takes for most like the video: as a list, or the video on the map of all clips."""
    known = {name: found for name, found in state.collections(list(seen)).items() if has_features(found)}
    if not known:
        st.info(
            "No model in view has read the clips of the dataset, with which the video would be compared.", icon=":material/info:"
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chosen = st.segmented_control(
            "Model",
            list(known),
            required=True,
            default=next(iter(known)),
            format_func=looks.markdown_text,
            label_visibility="collapsed",
            key="upload_near",
        )
        name = chosen if chosen in known else next(iter(known))
        place = own.once(video, ("vector", name, key), lambda: _vector(name, known[name], seen[name]))
        table, activation = usable(known[name]), embedding_of(known[name])
        found = nearest(known[name], activation, place, table["row"].to_numpy())
        ids = [str(clip) for clip in known[name].predictions["clip_id"].to_numpy()[found.rows]]
        st.button("Select the nearest", icon=":material/filter_alt:", key="upload_select", on_click=_select, args=(ids,))
        looks.note(f"By {activation}. {found.words}")
    if as_list:
        gallery.show(ids, "upload_nearest", "grid")
        return
    drawn, _ = maps.ask(Request("map", (name,), activation, "tsne"), {name: known[name]})
    maps.draw(drawn, f"{name}: {activation}", "upload_placed", further=maps.placed(drawn, {video.name: place}))


def _vector(name: str, collection: Collection, seen: Explanation) -> np.ndarray:
    with state.in_turn(name) as bundle:
        return vector_of(bundle, seen.tensor(), embedding_of(collection))


def _select(ids: list[str]) -> None:
    view.set_selection(view.of_texts([f"clip_id={clip}" for clip in ids]))
