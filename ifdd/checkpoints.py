"""A checkpoint on disk: weights, and a card that says how to read them.

    checkpoints/<name>/   weights.safetensors   card.json   README.md

Only safetensors are read; nothing is ever unpickled. A model is loaded together with its labels and its preprocessing.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ifdd.card import Card as Card
from ifdd.checkpoint_files import CARD as CARD
from ifdd.checkpoint_files import README, find_checkpoint, sha256_of, verified_card
from ifdd.checkpoint_files import WEIGHTS as WEIGHTS
from ifdd.checkpoint_files import list_checkpoints as list_checkpoints
from ifdd.checkpoint_files import read_card as read_card
from ifdd.data.clips import as_clips, load_inputs
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.scenes import scenes_of
from ifdd.documents import one_line
from ifdd.errors import DiskError, InputError
from ifdd.inputs import Clips, batch_of
from ifdd.io import new_folder, replaced_folder, write_json
from ifdd.models.adapted import AdaptedModel
from ifdd.models.base import VideoModel
from ifdd.models.families import create_model
from ifdd.models.loading import load_exactly
from ifdd.plain import markdown_line


@dataclass(frozen=True)
class Bundle:
    """A model with everything that is needed to use it; `given` is what --model named, of a network that no folder holds."""

    model: VideoModel
    card: Card
    preprocessing: Preprocessing
    path: Path
    given: str = ""

    @property
    def name(self) -> str:
        """Name of the checkpoint."""
        return self.card.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the logits."""
        return self.card.labels

    @property
    def words(self) -> tuple[str, ...]:
        """How a command is told of it: its folder, or what --model named."""
        return ("--model", self.given or "MODULE:FACTORY") if isinstance(self.model, AdaptedModel) else (str(self.path),)

    @property
    def inputs(self) -> dict[str, Preprocessing]:
        """How each input of the model is read; `preprocessing` is that of the first."""
        if len(self.model.inputs) == 1:
            return {next(iter(self.model.inputs)): self.preprocessing}
        return self.card.inputs

    @property
    def scenes(self) -> tuple[str, ...]:
        """Names of the inputs that are the scene around the face."""
        return scenes_of(self.inputs)

    @torch.no_grad()
    def predict(self, clips: Clips | str | Path) -> Tensor:
        """Probabilities (B, classes) of clips (B, 3, T, H, W) in [0, 1], or (1, classes) of a video or folder of frames.

        Of a model with several inputs clips are a dictionary of tensors by name. The softmax of the logits, in evaluation mode;
        a file is read by the checkpoint's own preprocessing.

        Raises:
            InputError: another shape or type, values outside [0, 1] or NaN, weights that overflow, and as `load_clip` for a file.
        """
        if isinstance(clips, str | Path):
            found = load_inputs(clips, self.inputs)
            clips = batch_of(as_clips(found), next(self.model.parameters()).device)
        if not isinstance(clips, Tensor | Mapping):
            raise InputError(f"clips are a {type(clips).__name__}; give a tensor (B, 3, T, H, W), or the path of a video")
        checked = self.model.check_clips(clips) if isinstance(clips, Mapping) else {"": clips}
        for part in checked.values():
            check_range(part)
        with self.model.evaluating():
            return finite_logits(self.model(clips).logits, self.name).float().softmax(-1)


def finite_logits(logits: Tensor, name: str) -> Tensor:
    """The logits of the checkpoint `name`, if they are finite: else its weights overflow, and no class is the most probable one.

    Raises: InputError.
    """
    if not bool(logits.isfinite().all()):
        raise InputError(f"checkpoint {name} gives NaN or infinity for a clip: its weights overflow; train or fetch it again")
    return logits


def check_range(clips: Tensor) -> None:
    """Refuse clips with NaN or values outside [0, 1]; called once, where clips enter.

    Raises: InputError.
    """
    if clips.is_floating_point() and not bool(((clips >= 0) & (clips <= 1)).all()):
        bad = "NaN" if bool(clips.isnan().any()) else f"values from {clips.min():.3g} to {clips.max():.3g}"
        raise InputError(f"clips hold {bad}; a model reads floats in [0, 1] (divide 8-bit pixels by 255)")


def load_checkpoint(name_or_path: str | Path) -> Bundle:
    """Load a checkpoint by name or by the path of its folder, ready for evaluation, on the CPU.

    Raises:
        InputError: an unknown name, a damaged card, weights that do not match the card's sha256 or its model, or that are not
            finite.

    >>> bundle = load_checkpoint("scripted-tiny-ifdd")
    >>> bundle.model.inputs, bundle.labels[:3]
    ({'clip': (3, 16, 112, 112)}, ('happy', 'sad', 'neutral'))
    """
    folder = find_checkpoint(name_or_path)
    card, file = verified_card(folder), folder / WEIGHTS
    try:
        state_dict = safetensors.torch.load_file(file)
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, OverflowError, RuntimeError, MemoryError) as error:
        raise InputError(f"{file} is not a whole safetensors file: {one_line(error)}; fetch the checkpoint again") from None
    model = create_model(card.model)
    load_exactly(model, state_dict)
    check_weights(model, str(file))
    model.labels = card.labels
    first = next(iter(Preprocessing.by_input(card.preprocessing, model.inputs).values()))
    return Bundle(model.eval(), card, first, folder.absolute())


def check_weights(model: VideoModel, source: str) -> None:
    """Refuse weights that are not finite: a NaN spreads into every prediction, which then names the first class.

    Costs a tenth of the time of the file's checksum (8 ms of 96 for `ifdd-mvit-xs`). Raises: InputError.
    """
    for key, value in model.state_dict().items():
        # a finite sum has finite terms alone, and takes a tenth of the time; it may overflow, so the terms have the last word
        if value.is_floating_point() and not bool(value.sum().isfinite()) and not bool(value.isfinite().all()):
            raise InputError(f"{source}: {key} holds NaN or infinity; train or fetch the checkpoint again")
        if key.endswith("running_var") and bool((value < 0).any()):
            raise InputError(f"{source}: {key} holds a negative variance; train or fetch the checkpoint again")


def verify_checkpoint(name_or_path: str | Path) -> None:
    """Load a checkpoint and use it once on a grey clip, made as its preprocessing would.

    Raises: InputError as `load_checkpoint`, and for outputs that are not finite.
    """
    bundle = load_checkpoint(name_or_path)
    bundle.predict({name: torch.full((1, *shape), 0.5) for name, shape in bundle.model.inputs.items()})


def save_checkpoint(folder: str | Path, model: VideoModel, card: Card, *, replace: bool = False) -> Path:
    """Write weights, card (with the sha256 filled in) and README to a new folder, all of it or nothing.

    Raises: InputError if `folder` exists (unless it may be replaced), or if the disk refuses.
    """
    folder = Path(folder)
    with replaced_folder(folder) if replace else new_folder(folder) as work:
        state_dict = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
        try:
            safetensors.torch.save_file(state_dict, work / WEIGHTS)
        except safetensors.SafetensorError as error:  # its own name for an error of the disk
            raise DiskError(f"{folder}: cannot be written: {error}", None) from error
        (work / WEIGHTS).chmod(0o644)  # safetensors writes it for the owner alone
        card = card.model_copy(update={"sha256": sha256_of(work / WEIGHTS)})
        write_json(work / CARD, card.model_dump(mode="json"))
        (work / README).write_text(card_markdown(card), encoding="utf-8")
    return folder


def library_versions() -> dict[str, str]:
    """Versions that a number may depend on."""
    return {"python": platform.python_version(), "torch": torch.__version__}


def card_markdown(card: Card) -> str:
    """The card as a page for people."""
    lines = [f"# {markdown_line(card.name)}", "", f"> {markdown_line(card.notice)}", ""]
    for split, result in card.metrics.items():
        interval = {key: f" (95 % interval {low:.1%} – {high:.1%})" for key, (low, high) in result.get("intervals", {}).items()}
        lines += [f"## {split}: {result['n']} clips", ""]
        lines += [f"- {key}: {result[key]:.1%}{interval.get(key, '')}" for key in ("WAR", "UAR")]
        if guess := result.get("constant_guess"):
            lines.append(f"- always guessing one class: WAR {guess['WAR']:.1%}, UAR {guess['UAR']:.1%}")
        lines += ["", "| class | recall | n |", "| --- | --- | --- |"]
        lines += [
            f"| {markdown_line(label)} | {recall:.1%} | {result['counts'][label]} |" for label, recall in result["recall"].items()
        ]
        lines.append("")
        if over := result.get("intervals_over"):
            if smallest := result.get("detectable"):
                from ifdd.metrics import detectable_words  # brings scipy with it

                over += f"; {detectable_words({str(name): value for name, value in smallest.items()}, result['n'])}"
            lines += [f"Intervals {over}.", *(f"Note: {markdown_line(note)}." for note in result["notes"]), ""]
    notes = card.training.get("notes")
    if isinstance(notes, list) and notes:
        lines += ["## Notes", "", *(f"- {markdown_line(str(note))}" for note in notes), ""]
    lines += ["Model, preprocessing, training recipe and data are in `card.json`.", ""]
    return "\n".join(lines)
