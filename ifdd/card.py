"""What a checkpoint says about itself: every value of `card.json` has its type here, whoever wrote the file."""

from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from ifdd.control import Control, with_control
from ifdd.data.preprocessing import Preprocessing
from ifdd.documents import OPEN, Shaped
from ifdd.models.config import Labels, ModelConfig, Seed, check_labels
from ifdd.models.families import OfAnyFamily

SCHEMA = 1
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


def file_name(name: str) -> str:
    """A name that becomes folders and files, and so may not lead elsewhere. Raises: ValueError for one that could."""
    if not name.strip() or name != name.strip() or not name.isprintable() or name.startswith(".") or set(name) & set("/\\"):
        raise ValueError(f"the name {name!r} must be a plain file name: visible, no slash, no dot at its start")
    return name


def _renewed(recipe: Any) -> Any:
    """Older cards say at their recipe's top level what is a control."""
    return with_control(recipe) if isinstance(recipe, dict) else recipe


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(file_name)]


class CardScores(TypedDict):
    """The two scores of one model."""

    WAR: Share
    UAR: Share


class CardMetrics(TypedDict):
    """Scores on one split, as `ifdd.metrics.Metrics.to_dict` gives them."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    n: Count
    WAR: Share
    UAR: Share
    recall: dict[str, Share]
    counts: dict[str, Count]
    intervals: NotRequired[dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]]]
    constant_guess: NotRequired[CardScores]
    detectable: NotRequired[dict[Literal["WAR", "UAR"], Share | None]]
    confusion: NotRequired[list[list[Count]]]


class CardControl(TypedDict, total=False):
    """The section of a recipe, see `Control`."""

    frames: Literal["all", "one", "shuffled"]
    places: Literal["own", "truth"]
    labels: Literal["own", "random"]


class CardRecipeData(TypedDict, total=False):
    """What of the recipe's data decides how the model was tested."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    test_clips: Annotated[int, Field(ge=1, le=100)]


class CardRecipe(TypedDict, total=False):
    """What of the recipe decides how clips are shown, and what a variant is called."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    seed: Seed
    init_from: str | None
    freeze: Literal["none", "backbone"]
    control: CardControl
    data: CardRecipeData


class CardTraining(TypedDict, total=False):
    """The resolved recipe, and how the training went."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    recipe: Annotated[CardRecipe, BeforeValidator(_renewed)]
    minutes: Annotated[float, Field(ge=0)]
    epoch: Count
    init_from_sha256: str


class CardTraces(TypedDict, total=False):
    """What is kept of the clips and persons of a part, see `ifdd.data.traces`."""

    clips: str
    persons: list[str]


class CardData(TypedDict, total=False):
    """Clips of one split: a scripted suite, or a manifest."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    source: str
    name: str
    manifest: str
    difficulty: str
    seed: Seed
    clips: Annotated[int, Field(ge=1, le=10_000_000)]
    identities: Annotated[int, Field(ge=1, le=10_000_000)]
    duration: Annotated[float, Field(gt=0, le=3600)]
    traces: CardTraces


class CardSplits(TypedDict, total=False):
    """Data by split."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    train: CardData
    val: CardData
    test: CardData


class Card(OfAnyFamily):
    """What a checkpoint says about itself.

    `model` is of any family; `labels` in the order of the logits; `preprocessing` of the only input, or by input; `metrics` by
    split, each with n, WAR, UAR, their intervals and the recalls by label; `training` the resolved recipe; `data` name, seed
    and sizes; `sha256` of the weights file. Labels and preprocessing fit the model.
    """

    schema_version: int = SCHEMA
    name: Name
    notice: str
    model: ModelConfig
    labels: Labels
    preprocessing: dict[str, Any]
    data: Annotated[dict[str, Any], Shaped(CardSplits)]
    training: Annotated[dict[str, Any], Shaped(CardTraining)]
    metrics: Annotated[dict[str, Any], Shaped(dict[str, CardMetrics])]
    versions: dict[str, str]
    sha256: str = ""

    @property
    def control(self) -> Control:
        """How the recipe of this checkpoint departs from plain training; cards without a recipe: not at all."""
        return Control(**self.training.get("recipe", {}).get("control", {}))

    @property
    def inputs(self) -> dict[str, Preprocessing]:
        """How each input of the model is read."""
        return Preprocessing.by_input(self.preprocessing, self.model.inputs)

    @property
    def test_clips(self) -> int:
        """Over how many clips of each video this checkpoint's own test averages."""
        return self.training.get("recipe", {}).get("data", {}).get("test_clips", 1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.labels) != self.model.num_classes:
            raise ValueError(f"the card lists {len(self.labels)} labels for {self.model.num_classes} classes")
        check_labels(self.labels, self.model)
        for split, result in self.metrics.items():
            if unknown := [label for label in result["recall"] if label not in result["counts"]]:
                raise ValueError(f"metrics.{split} has a recall of {unknown[0]!r} and no count")
        for name, read in self.inputs.items():
            _, frames, *size = self.model.inputs[name]
            if (read.frames, read.size) != (frames, tuple(size)):
                raise ValueError(
                    f"preprocessing makes clips of {read.frames} frames of {read.size}, the model reads {frames} of {tuple(size)}"
                )
        return self
