from . import analysis as analysis
from .store.adapting import adapt as adapt
from .store.collecting import DEFAULT as DEFAULT
from .store.collecting import collect as collect
from .store.collection import Collection as Collection
from .store.collection import open_collection as open_collection
from .store.foreign.task import import_predictions as import_predictions
