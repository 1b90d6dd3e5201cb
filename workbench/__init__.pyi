from . import analysis as analysis
from .store.collecting import DEFAULT as DEFAULT
from .store.collecting import collect as collect
from .store.collection import Collection as Collection
from .store.collection import open_collection as open_collection
