from .kinetics import from_kinetics as from_kinetics
from .load import load_exactly as load_exactly
from .reference import from_reference as from_reference
