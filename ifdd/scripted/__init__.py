"""ScriptedFaces: clips of a face made in code, each with its truth.

`script` says what happens, `head` (or another `face.FaceModel`) what it happens to, `raster` draws it, `truth` and `regions` say
what there is to see, `suites` names sets of clips, `suite` and `cache` make them.
"""

from ifdd.scripted.head.regions import REGIONS
from ifdd.scripted.render.cache import TrainingArrays, segment_centres, training_arrays
from ifdd.scripted.render.clips import GENERATOR_VERSION, RenderedClip, render_clip, render_times
from ifdd.scripted.render.store import read_mask, read_regions
from ifdd.scripted.script.sampling import DIFFICULTIES, Difficulty, sample_script
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.truth import Truth
from ifdd.scripted.script.units import PROTOTYPES, UNITS
from ifdd.scripted.suite import render_suite
from ifdd.scripted.suites import SUITES, SuiteConfig, class_note, suite_hash, suite_scripts

__all__ = [
    "DIFFICULTIES",
    "GENERATOR_VERSION",
    "PROTOTYPES",
    "REGIONS",
    "SUITES",
    "UNITS",
    "Difficulty",
    "RenderedClip",
    "Script",
    "SuiteConfig",
    "TrainingArrays",
    "Truth",
    "class_note",
    "read_mask",
    "read_regions",
    "render_clip",
    "render_suite",
    "render_times",
    "sample_script",
    "segment_centres",
    "suite_hash",
    "suite_scripts",
    "training_arrays",
]
