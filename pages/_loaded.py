"""What every page needs, by one import, which the server begins as it starts.

Parts of `shared` import each other: of two threads that load them at once, each could find half of a part. Who imports this
module while another one does waits until all is there.
"""

from threading import Event

from shared import charts as charts
from shared import concept as concept
from shared import measures as measures
from shared import state as state
from shared import tables as tables
from shared import tour as tour
from shared import view_bar as view_bar

import workbench.analysis.performance.displays.scores
import workbench.app.overview  # noqa: F401 - of the first page

FIRST_PAGE = Event()
"""Set when a page was drawn."""
