"""A recipe: one experiment in one YAML file, checked before anything is computed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import yaml
from pydantic import Field, field_validator, model_validator

from ifdd.control import Control, with_control
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.rules import Balance, Sampling
from ifdd.documents import MAX_YAML, parse_yaml, plain, read_text, shown
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.models.config import FilePath, Labels, ModelConfig, Seed, StrictModel, check_labels
from ifdd.models.families import OfAnyFamily

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class ScriptedSet(StrictModel):
    """One set of rendered clips; its identities come from a range of their own for each split.

    `difficulty` is easy, standard, hard, or a suite of the benchmark (noisy-50, scene-shift, …). `rho` puts a scene around every
    clip, in a stream of its own, whose polarity goes with the emotion's by that correlation.
    """

    clips: Count
    identities: Count
    seed: Seed = 0
    difficulty: str = "standard"
    rho: Annotated[float, Field(ge=-1, le=1)] | None = None

    @field_validator("difficulty")
    @classmethod
    def _known(cls, name: str) -> str:
        from ifdd.scripted import DIFFICULTIES, SUITES  # brings scipy with it

        known = [*DIFFICULTIES, *(suite for suite in SUITES if suite not in DIFFICULTIES)]
        if name not in known:
            raise ValueError(f"{name!r} is not one of {', '.join(known)}")
        return name


class ScriptedData(StrictModel):
    """ScriptedFaces, rendered once into `cache`. `name` goes into the clip ids."""

    source: Literal["scripted"]
    name: str = "scripted"
    train: ScriptedSet
    val: ScriptedSet
    test: ScriptedSet
    cache: FilePath = Path("cache")


class ListedData(StrictModel):
    """What recipes on lists of clips share.

    `on_error` tells whether clips that cannot be read stop the training, or are skipped where they are a fifth at most. `balance`
    shows classes in an epoch as often as they are, alike ("classes"), or between ("square-root").
    Of clips that are streamed: `sampling` tells which frames a training shows (`data.sampling.Rule`), with `stride` between those
    of a window; `test_clips` how many clips of each video the probabilities of the test are averaged over; `cache_crops` keeps
    cropped frames of videos in `cache`, without loss; `workers` (null: by the cores) is the number of processes that read.
    """

    cache: FilePath = Path("cache")
    on_error: Literal["stop", "skip"] = "stop"
    balance: Balance = "none"
    sampling: Sampling = "segments"
    stride: Annotated[int, Field(ge=1, le=64)] = 1
    test_clips: Annotated[int, Field(ge=1, le=100)] = 1
    cache_crops: bool = False
    workers: Annotated[int, Field(ge=0, le=256)] | None = None


class ManifestData(ListedData):
    """Manifests (`clips.parquet`, CSV or TSV); decoded once into `cache`, or with `stream` read anew each time."""

    source: Literal["manifest"]
    train: FilePath
    val: FilePath
    test: FilePath
    stream: bool = False
    sampling: Sampling = "centres"

    @model_validator(mode="after")
    def _streams(self) -> Self:
        if not self.stream and (self.sampling != "centres" or self.test_clips > 1 or self.cache_crops):
            raise ValueError(
                "clips that are decoded once have one choice of frames; set data.stream=true for another, or a cache"
            )
        return self


class CorpusData(ListedData):
    """One list of clips with folds or named parts (`ifdd data index --corpus`, `ifdd data split`).

    The test part is that of `fold`; null: the column `split` names the parts. `val` is the share of the training part that is
    held out for validation (by person or source where they are known, stratified by class, drawn by the recipe's seed), unless
    the list has a part val; "test" chooses the epoch on the test part, which is noted beside every number. Clips are streamed.
    """

    source: Literal["corpus"]
    manifest: FilePath
    fold: Annotated[int, Field(ge=1)] | None = None
    val: Annotated[float, Field(gt=0, lt=1)] | Literal["test"] = 0.1


class AugmentConfig(StrictModel):
    """Random changes of training clips, the same for all frames of one.

    `flip` is a probability; `crop` the smallest share of the area that is kept; `jitter` the largest relative change of
    brightness, contrast and saturation; `erase` the probability of a random rectangle. `mixup` and `cutmix` are the α of their
    Beta distributions (0: off), `mix` is the probability that a batch is mixed, `switch` that it is then cutmix.
    """

    flip: Share = 0.5
    crop: Annotated[float, Field(gt=0, le=1)] = 0.8
    jitter: Share = 0.2
    erase: Share = 0.0
    mixup: NotNegative = 0.8
    cutmix: NotNegative = 1.0
    mix: Share = 1.0
    switch: Share = 0.5


class OptimConfig(StrictModel):
    """AdamW with linear warm-up and cosine decay to `final` times the peak rate, step by step.

    A step takes `accumulate` batches of `batch` clips, which are those of all processes together. `patience` ends the training
    after so many epochs without a better UAR on validation.
    """

    also_called: ClassVar[dict[str, str]] = {
        "learning_rate": "lr",
        "max_lr": "lr",
        "batch_size": "batch",
        "accumulate_grad_batches": "accumulate",
        "gradient_accumulation": "accumulate",
        "early_stopping": "patience",
        "max_epochs": "epochs",
        "num_epochs": "epochs",
        "wd": "weight_decay",
    }

    lr: Positive
    weight_decay: NotNegative = 0.05
    betas: tuple[Share, Share] = (0.9, 0.999)
    epochs: Count
    batch: Annotated[int, Field(ge=2, le=100_000)] = 16
    warmup_epochs: NotNegative = 1.0
    final: Share = 0.01
    clip_norm: NotNegative = 1.0
    accumulate: Annotated[int, Field(ge=1, le=10_000)] = 1
    patience: Count | None = None

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs={self.warmup_epochs:g} must be below epochs={self.epochs}")
        return self


class LossConfig(StrictModel):
    """`lifting_weight` null takes the preset's λ.

    `class_weights` weigh the cross-entropy by the training clips n of a class: "balanced" 1/n, "effective" (1 − β)/(1 − βⁿ)
    (Cui et al. 2019, arXiv 1901.05555, eq. 2) with `beta`; over the training clips their mean is 1.
    """

    lifting_weight: NotNegative | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    class_weights: Literal["none", "balanced", "effective"] = "none"
    beta: Annotated[float, Field(ge=0, lt=1)] = 0.999


class CropConfig(StrictModel):
    """How a video of one's own is cropped for this model: goes into the card, together with the model's frames and size.

    `stream` is what an input reads, null as the model says: the clip, or the scene around the person, in which faces are kept,
    blurred or masked (`face`). Of a scene, "face" as `crop` means the whole picture. With stream=clip an input of scenes reads
    the clip itself: a training on faces alone, of which the card tells.
    """

    crop: Literal["face", "center", "none"] = "face"
    margin: Annotated[float, Field(ge=0, le=2)] = 0.15
    stream: Literal["clip", "scene"] | None = None
    face: Literal["kept", "blurred", "masked"] = "kept"


class Recipe(OfAnyFamily):
    """An experiment.

    `model` is of any family; `inputs` tells by input's name how those of a model with several are cropped, where not as
    `preprocessing` says. `ema` is the decay of the averaged weights (null: none); `init_from` a checkpoint whose backbone and
    pyramid, or encoder, are the starting point; `freeze` keeps that backbone or encoder as it is and trains what follows;
    `precision`: 32 bits, or the halves of a GPU, bfloat16 where it has them (Ampere and later), else fp16 with a scaled loss;
    `labels` in the order of the logits. `control` makes a control or an upper bound of the experiment. `keep` is the epoch that
    is kept: best on validation, or last. `tensorboard` logs for it, too.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    seed: Seed = 0
    labels: Labels = EMOTIONS
    model: ModelConfig
    data: Annotated[ScriptedData | ManifestData | CorpusData, Field(discriminator="source")]
    preprocessing: CropConfig = CropConfig()
    inputs: Annotated[dict[str, CropConfig], Field(default_factory=dict)]
    augment: AugmentConfig = AugmentConfig()
    optim: OptimConfig
    loss: LossConfig = LossConfig()
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    precision: Literal["32-true", "bf16-mixed", "fp16-mixed"] = "32-true"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    init_from: str | None = None
    freeze: Literal["none", "backbone"] = "none"
    control: Control = Control()
    keep: Literal["best", "last"] = "best"
    tensorboard: bool = False

    @model_validator(mode="before")
    @classmethod
    def _older_keys(cls, values: Any) -> Any:
        return with_control(values) if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        if len(self.labels) != self.model.num_classes:
            raise ValueError(f"labels {self.labels} must be {self.model.num_classes} different names (model.num_classes)")
        check_labels(self.labels, self.model)
        return self

    @model_validator(mode="after")
    def _inputs_fit(self) -> Self:
        if unknown := [name for name in self.inputs if name not in self.model.inputs]:
            raise ValueError(f"inputs names {unknown[0]!r}; this model reads {', '.join(self.model.inputs)}")
        streams = {name: self.stream_of(name) for name in self.model.inputs}
        if self.preprocessing.stream is not None or self.preprocessing.face != "kept":
            raise ValueError(
                "preprocessing is of all inputs; say stream and face of one of them: inputs.NAME.stream, inputs.NAME.face"
            )
        for name, asked in self.inputs.items():
            if asked.face != "kept" and streams[name] == "clip":
                raise ValueError(
                    f"inputs.{name}.face={asked.face}: this input reads the clip, which shows the face; leave it out"
                )
        if len(self.model.inputs) > 1 and self.augment.cutmix and self.augment.mix:
            raise ValueError("cutmix cuts one box out of one picture, this model reads several; set augment.cutmix=0")
        return self

    def reading(self) -> dict[str, Preprocessing]:
        """How a source becomes a clip, by input."""
        found = {}
        for name, (_, frames, height, width) in self.model.inputs.items():
            asked, stream = self.inputs.get(name, self.preprocessing), self.stream_of(name)
            crop = "none" if stream == "scene" and asked.crop == "face" else asked.crop
            found[name] = Preprocessing(frames, (height, width), crop, asked.margin, stream, asked.face)
        return found

    def stream_of(self, name: str) -> str:
        """What an input reads, clip or scene: as it is asked for, else as the model says."""
        asked = self.inputs[name].stream if name in self.inputs else None
        return asked or ("scene" if name in self.model.scenes else "clip")

    @model_validator(mode="after")
    def _starts_fit(self) -> Self:
        if self.freeze != "none" and self.init_from is None:
            raise ValueError("freeze='backbone' keeps random weights as they are; name a checkpoint in init_from")
        augment = self.augment
        if self.freeze != "none" and (augment.crop < 1 or augment.jitter or augment.erase or augment.mix):
            raise ValueError("a frozen backbone reads every clip once; set augment.crop=1, jitter=0, erase=0 and mix=0")
        if self.freeze != "none" and "stages" not in self.model.capabilities:
            raise ValueError(f"a model of the family {self.model.family} has no backbone that could be kept; leave freeze out")
        if self.freeze != "none" and not isinstance(self.data, ScriptedData) and self.data.sampling != "centres":
            raise ValueError("a frozen backbone reads every clip once; set data.sampling=centres")
        if self.loss.class_weights != "none" and getattr(self.data, "balance", "none") != "none":
            raise ValueError("data.balance and loss.class_weights both make up for rare classes; set one of them to none")
        control = self.control
        if control.places == "truth" and ("oracle" not in self.model.capabilities or self.data.source != "scripted"):
            raise ValueError("control.places='truth' replaces those of split='even-odd' on scripted data, whose truth is known")
        if control.labels == "random" and self.keep == "best":
            raise ValueError("control.labels='random' leaves nothing to validate; set keep=last")
        if control.places == "truth" and control.frames != "all":
            raise ValueError(f"control.places='truth' needs all frames in turn; control.frames is {control.frames!r}")
        return self


def load_recipe(path: str | Path, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe; `settings` such as `optim.lr=1e-3` replace single values.

    `extends: other.yaml`, beside the recipe, gives what the recipe itself does not say. `{seed}` in `name` and `init_from`
    becomes the seed.
    Raises: InputError for a missing file, bad YAML, an unknown key, a value that is out of range, or files that extend in a ring.
    """
    values = _read(Path(path), ())
    for setting in settings:
        _set(values, setting)
    for key in ("name", "init_from"):
        if isinstance(values.get(key), str):
            values[key] = values[key].replace("{seed}", str(values.get("seed", 0)))
    return Recipe.parse(plain(values, str(path)), str(path))


def _read(file: Path, extended_by: tuple[Path, ...]) -> dict[str, Any]:
    """Keys of a recipe file, over those of the file that it extends."""
    if file.resolve() in extended_by:
        raise InputError(f"{file}: extends itself, by way of {extended_by[-1].name}; leave one `extends` out")
    try:
        text = read_text(file, MAX_YAML)
    except FileNotFoundError:
        raise InputError(f"{file}: no such recipe; recipes are YAML files, see the folder recipes/") from None
    values = parse_yaml(text, str(file))
    if not isinstance(values, dict):
        raise InputError(f"{file}: holds no keys; a recipe is a YAML mapping")
    if (parent := values.pop("extends", None)) is None:
        return values
    if not isinstance(parent, str):
        raise InputError(f"{file}: extends: {shown(parent)} is no file name; name one recipe")
    return _over(_read(file.parent / parent, (*extended_by, file.resolve())), values)


def _over(below: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """`values` laid over `below`, section by section."""
    merged = dict(below)
    for key, value in values.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        merged[key] = _over(below[key], value) if both else value
    return merged


def recipe_yaml(recipe: Recipe) -> str:
    """The recipe with all its defaults, as YAML that `load_recipe` reads back."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _set(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise InputError(f"--set {shown(setting)}: write it as section.key=value, e.g. optim.lr=0.001")
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise InputError(f"--set {shown(setting)}: {parent!r} is a value, not a section")
    values[last] = _number(parse_yaml(text, f"--set {key}"))


def _number(value: Any) -> Any:
    """YAML 1.1 reads `1e-3`, without a point, as text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
