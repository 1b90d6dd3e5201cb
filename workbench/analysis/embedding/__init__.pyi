from .placing import place as place
from .projection import embed as embed
from .quality import knn_accuracy as knn_accuracy
from .results import EmbeddingResult as EmbeddingResult
from .results import EmbeddingSeries as EmbeddingSeries
from .results import MapMeasure as MapMeasure
from .results import PlacedClips as PlacedClips
from .series import embed_series as embed_series
