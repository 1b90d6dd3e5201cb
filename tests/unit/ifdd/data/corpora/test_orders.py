"""Known orders of the classes: what the lists that define them say, number by number."""

import pytest

from ifdd.data.corpora import ORDERS, SOURCES, known_order
from ifdd.data.corpora.orders import MAFW_LABELS
from ifdd.labels import EMOTIONS

AS_PRINTED = {
    "dfew": "Happy Sad Neutral Angry Surprise Disgust Fear",
    "alphabetical-7": "Angry Disgust Fear Happy Neutral Sad Surprise",
    "mafw-paper": "anger disgust fear happiness neutral sadness surprise contempt anxiety helplessness disappointment",
    "mafw-dfer-clip": "happiness sadness neutral anger surprise disgust fear contempt anxiety helplessness disappointment",
    "mafw-alphabetical": "Anger Anxiety contempt Disappointment Disgust Fear Happiness Helplessness Neutral Sadness Surprise",
    "ravdess": "neutral calm happy sad angry fearful disgust surprised",
    "crema-d": "HAP SAD NEU ANG DIS FEA",
}


@pytest.mark.parametrize("name", AS_PRINTED)
def test_an_order_is_known_by_its_names_as_its_source_prints_them(name: str) -> None:
    assert known_order(AS_PRINTED[name].split()) == name


def test_orders_are_orders_of_the_same_classes() -> None:
    assert set(ORDERS) == set(SOURCES)
    assert ORDERS["dfew"] == EMOTIONS
    assert ORDERS["alphabetical-7"] == tuple(sorted(EMOTIONS))
    for name, order in ORDERS.items():
        assert len(set(order)) == len(order)
        if name.startswith("mafw"):
            assert set(order) == set(MAFW_LABELS)
    assert [known_order(order) for order in ORDERS.values()] == list(ORDERS)


@pytest.mark.parametrize("names", [("sad", "happy"), (), ("Happy", "Sad", "Neutral", "Angry", "Surprise", "Fear", "Disgust")])
def test_other_orders_are_unknown(names: tuple[str, ...]) -> None:
    assert known_order(names) is None
