from .published import published_rows as published_rows
from .results import ClassRecall as ClassRecall
from .results import MetricsResult as MetricsResult
from .results import PublishedRow as PublishedRow
from .scores import summary as summary
