"""ScriptedFaces: clips of a face made in code, each with its truth.

`script` says what happens, `head` (or another `face.FaceModel`) what it happens to, `raster` draws it, `truth` and `regions` say
what there is to see, `suites` names sets of clips, `suite` and `cache` make them.
"""

from ifdd.data.scripted.cache import TrainingArrays, segment_centres, training_arrays
from ifdd.data.scripted.clips import GENERATOR_VERSION, RenderedClip, Truth, render_clip, render_times
from ifdd.data.scripted.regions import REGIONS
from ifdd.data.scripted.sampling import DIFFICULTIES, Difficulty, sample_script
from ifdd.data.scripted.script import Script
from ifdd.data.scripted.suite import read_mask, read_regions, render_suite
from ifdd.data.scripted.suites import SUITES, SuiteConfig, class_note, suite_hash, suite_scripts
from ifdd.data.scripted.units import PROTOTYPES, UNITS

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
