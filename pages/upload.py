"""The same view for a video of your own."""

import tempfile
from pathlib import Path

import streamlit as st
from shared import looks, player, state

from workbench.app.clipview import ClipView
from workbench.app.from_ifdd import InputError, NoFaceError, user_path
from workbench.explain.task import Options
from workbench.store.workspace import upload_name

CROPS = ("face", "center", "none")

looks.heading("Your own video", "It is read on this computer, and no copy of it is kept.")
models = state.usable_models()
if not state.needs_network("reading a video"):
    st.stop()
looks.notice(models)
with st.sidebar:
    names = player.ask_models(models, "upload")
    crop = st.segmented_control(
        "Crop",
        CROPS,
        default="face",
        required=True,
        help="The tracked face, the largest centred square, or the whole frame.",
        **looks.kept("upload_crop"),
    )
    face = None
    if crop == "face":
        face = st.number_input(
            "Face", 1, 20, None, placeholder="the largest", help="1 is the largest.", **looks.kept("upload_face")
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
    maps = player.ask_maps([models[name] for name in names], "upload", {})

left, right = st.columns(2, gap="large")
uploaded = left.file_uploader("A video file", key="upload_file", help="Any format that FFmpeg reads.")
path = right.text_input("or the path of a video or of a folder of frames", key="upload_path").strip()
if uploaded is not None and path:
    st.warning("A file and a path are given; the file is shown. Remove it to see the path.", icon=":material/info:")
fps = None
if uploaded is None and path and (path := str(user_path(path))) and Path(path).is_dir():
    fps = right.number_input(
        "Frame rate of the folder (1/s)", 1.0, 1000.0, 25.0, help="Images have no time stamps.", **looks.kept("upload_fps")
    )
if uploaded is None and not path:
    st.info("Give a video: a face, a few seconds, any format.", icon=":material/movie:")
    st.stop()

options = Options(**maps, crop=crop, face=face, start=start, end=end, window=window, stride=stride, fps=fps)
source = Path(upload_name(uploaded.name) if uploaded else path)
asked = (uploaded.file_id if uploaded else path, tuple(names), options)
if st.session_state.get("upload_asked") != asked:  # only the last view is kept, and only for this visitor
    st.session_state.pop("upload_asked", None)
    with tempfile.TemporaryDirectory() as folder:
        if uploaded:
            source = Path(folder) / source.name
            source.write_bytes(uploaded.getbuffer())
        try:
            with st.spinner("Reading the video …"):
                view = ClipView(state.explanations(names, source, options))
        except InputError as error:
            message = str(error).replace(f"{folder}/", "")
            looks.show_error(InputError(player.in_words(message)))
            if isinstance(error, NoFaceError):
                st.markdown("Where the face fills the picture, read it without looking for one:")
                with st.container(horizontal=True):
                    for other, label in (("center", "the centred square"), ("none", "the whole frame")):
                        st.button(
                            label, key=f"upload_use_{other}", on_click=st.session_state.update, kwargs={"upload_crop": other}
                        )
            st.stop()
    st.session_state.update(upload_view=view, upload_asked=asked)
player.show(st.session_state["upload_view"], source.stem, "upload")
