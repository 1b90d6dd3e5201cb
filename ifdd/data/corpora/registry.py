"""The corpora by the names that they have on the command line."""

from types import MappingProxyType

from ifdd.data.corpora.crema_d import CREMA_D
from ifdd.data.corpora.dfew import DFEW
from ifdd.data.corpora.ferv39k import FERV39K
from ifdd.data.corpora.indexing import Corpus
from ifdd.data.corpora.mafw import MAFW
from ifdd.data.corpora.ravdess import RAVDESS

CORPORA: MappingProxyType[str, Corpus] = MappingProxyType({one.name: one for one in (DFEW, FERV39K, MAFW, CREMA_D, RAVDESS)})
"""Every corpus whose layout and counts are known."""
