"""What do the models make of videos of your own, and which clips of the dataset are like them?"""

import streamlit as st
from shared import looks, own_videos, player, state

from workbench.app.clipview import ClipView
from workbench.app.from_ifdd import InputError, NoFaceError
from workbench.app.uploads import OwnVideos

SHOWN = ("What the models see", "Nearest clips", "In the embedding")

looks.heading("Your own videos")
models = state.usable_models()
if not state.needs_network("reading a video"):
    st.stop()
own: OwnVideos = st.session_state.setdefault("upload_own", OwnVideos())
video, beside = own_videos.ask(own, models)
names = list(models)[: state.FEW]
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    options = own_videos.ask_how(own, video, {name: models[name] for name in names})
    with st.popover("Maps", icon=":material/blur_on:", key="upload_maps"):
        maps = player.ask_maps([models[name] for name in names], "upload", {})
    own_videos.copy_as(video, {name: models[name] for name in names}, options)
    shown = st.segmented_control(
        "Show", SHOWN, default=SHOWN[0], required=True, label_visibility="collapsed", **looks.kept("upload_shown")
    )
options = own_videos.with_maps(options, maps)
try:
    options = own_videos.choose_face(own, video, options, beside)
    key = (tuple(names), options)
    seen = own.once(video, key, lambda: own_videos.explain(own, video, names, options))
except NoFaceError as error:
    own_videos.show_error(own, error)
    st.markdown("Where the face fills the picture, read it without looking for one:")
    with st.container(horizontal=True):
        for crop, label in (("center", "the centred square"), ("none", "the whole frame")):
            st.button(label, key=f"upload_use_{crop}", on_click=st.session_state.update, kwargs={"upload_crop": crop})
    st.stop()
except InputError as error:
    own_videos.show_error(own, error)
    st.stop()
if shown == SHOWN[0]:
    player.show(ClipView(seen), video.path.stem, "upload")
else:
    own_videos.compare(own, video, seen, key, shown == SHOWN[1])
