"""Networks of the user's own: `ifdd.adapting`, under the names of the workbench."""

from ifdd.adapting import adapt as adapt
from ifdd.adapting import load_own as load_own
