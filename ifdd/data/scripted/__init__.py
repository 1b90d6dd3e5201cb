"""ScriptedFaces: clips of a face made in code, each with its truth.

`script` says what happens, `head` (or another `face.FaceModel`) what it happens to, `raster` draws it, `suite` and `cache` make
sets of clips.
"""

from ifdd.data.scripted.cache import TrainingArrays, segment_centres, training_arrays
from ifdd.data.scripted.clips import GENERATOR_VERSION, RenderedClip, Truth, render_clip, render_times
from ifdd.data.scripted.sampling import DIFFICULTIES, Difficulty, sample_script
from ifdd.data.scripted.script import Script
from ifdd.data.scripted.suite import SuiteConfig, read_mask, render_suite, suite_scripts
from ifdd.data.scripted.units import PROTOTYPES, UNITS

__all__ = [
    "DIFFICULTIES",
    "GENERATOR_VERSION",
    "PROTOTYPES",
    "UNITS",
    "Difficulty",
    "RenderedClip",
    "Script",
    "SuiteConfig",
    "TrainingArrays",
    "Truth",
    "read_mask",
    "render_clip",
    "render_suite",
    "render_times",
    "sample_script",
    "segment_centres",
    "suite_scripts",
    "training_arrays",
]
