"""Is the disentanglement real? The measures of the scorecard, one file each, under one name.

- `split_quality`: does the dynamic group read the frames in which the emotion happens?
- `probe_matrix`: what does each feature know of the emotion, of who it is, of pose, light, scene?
- `localisation`: do maps lie on the pixels that the emotion moves?
- `dependence`: how much do Y_D and Y_S share?
"""

from workbench.analysis.disentanglement.cka import DependenceResult, dependence
from workbench.analysis.disentanglement.frames_read import SplitQualityResult, split_quality
from workbench.analysis.disentanglement.localising import LocalisationResult, localisation
from workbench.analysis.disentanglement.probes import ProbeMatrix, probe_matrix

__all__ = [
    "DependenceResult",
    "LocalisationResult",
    "ProbeMatrix",
    "SplitQualityResult",
    "dependence",
    "localisation",
    "probe_matrix",
    "split_quality",
]
