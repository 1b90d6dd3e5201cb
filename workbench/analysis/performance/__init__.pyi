from .results import ClassRecall as ClassRecall
from .results import MetricsResult as MetricsResult
from .scores import summary as summary
