from .results import StreamsResult as StreamsResult
from .shares import rollout as rollout
from .shares import stream_shares as stream_shares
