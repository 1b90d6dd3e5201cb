from .clip import from_clip as from_clip
from .kinetics import from_kinetics as from_kinetics
from .reference import from_reference as from_reference
