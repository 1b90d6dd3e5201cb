"""From a collection to WAR, UAR and recalls."""

from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.scores import summary
from workbench.store.collection import Collection
from workbench.store.tables import labelled, subjects


def measure(collection: Collection) -> MetricsResult:
    """WAR, UAR and recalls of a collection, with intervals over persons where they are known.

    Raises: InputError if no clip has a label.
    """
    table = labelled(collection)
    probs = collection.probs[table["row"].to_numpy()]
    return summary(probs, table["label"].to_numpy(), collection.labels, groups=subjects(table))
