"""Checkpoints of the released code (CyberPegasus/IFDD, `.pth`) → checkpoints of ours."""

import _codecs
import pickle
import tarfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from ifdd.card import Card
from ifdd.checkpoints import library_versions, save_checkpoint
from ifdd.data.preprocessing import Preprocessing, as_written
from ifdd.errors import InputError
from ifdd.io import check_new
from ifdd.models.base import VideoModel
from ifdd.weights.clip import from_clip
from ifdd.weights.kinetics import from_kinetics
from ifdd.weights.pickle_listing import foreign, list_pickle
from ifdd.weights.reference import from_reference

NOTICE = "Weights trained elsewhere and converted: what they were trained and tested on is not known here."
KINETICS = "The backbone was trained on Kinetics-400, all behind it is random: a beginning for init_from, no classifier."
CLIP = "The encoders are CLIP's, all behind them is random: a beginning for init_from, no classifier."
RELEASED = "model"
"""Where the released code keeps the last weights; their moving average is under "ema"."""
_RESAVE = (
    "where it was made, if you trust it, save the weights alone: torch.save(torch.load(FILE, weights_only=False){weights}, NEW)"
)


def convert(file: str | Path, out: str | Path, labels: Sequence[str], which: str | None = None, **overrides: Any) -> Path:
    """Convert `file` (a dict with epoch, model, opt, ema, or a state dict) and write the checkpoint folder `out`; returns it.

    Args:
        file: what the released code saved, or safetensors; it is read without running any code of it.
        out: folder to make; its name is the checkpoint's.
        labels: class names in the order of the logits, which the file does not tell (the corpora's orders differ).
        which: key of the weights, with dots where they lie deeper; by default "model", or the only ones that are there.
        overrides: fields of ModelConfig that leave no trace in names and shapes.

    Raises:
        InputError: not such a file, no such weights, weights that are not finite, keys that do not fit, labels that are not as
            many as the classes.
    """
    check_new(Path(out))
    weights, key = _checked_weights(Path(file), which)
    try:
        model = from_reference(weights, **overrides)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    config = model.config
    if len(labels) != config.num_classes or len(set(labels)) != len(labels):
        raise InputError(f"{file} has {config.num_classes} classes; give as many different names, not {', '.join(labels)}")
    return _save(Path(out), model, labels, NOTICE, Path(file), key)


def convert_kinetics(
    file: str | Path, out: str | Path, model: str, labels: Sequence[str], which: str | None = None, **overrides: Any
) -> Path:
    """Weights of torchvision's `mvit_v2_s`, `r3d_18` or `r2plus1d_18` → the checkpoint folder `out`, to begin a training from.

    `model` is a short name (see `from_kinetics`); all behind its backbone is random. Other arguments as `convert`.

    Raises:
        InputError: as `convert`, and for a model whose backbone has no Kinetics weights.
    """
    check_new(Path(out))
    weights, key = _checked_weights(Path(file), which)
    torch.manual_seed(0)
    try:
        built = from_kinetics(weights, model, num_classes=len(labels), **overrides)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    return _save(Path(out), built, labels, KINETICS, Path(file), key)


def convert_clip(
    file: str | Path, out: str | Path, model: str, labels: Sequence[str], which: str | None = None, **overrides: Any
) -> Path:
    """Weights of CLIP → the checkpoint folder `out`, to begin a training of the ous family from.

    `model` is a short name (see `from_clip`); all behind its encoders is random. Other arguments as `convert`.

    Raises:
        InputError: as `convert`, and for a model whose encoder is not CLIP's.
    """
    check_new(Path(out))
    weights, key = _checked_weights(Path(file), which)
    torch.manual_seed(0)
    try:
        built = from_clip(weights, model, classes=tuple(labels), **overrides)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
    return _save(Path(out), built, labels, CLIP, Path(file), key)


def _save(out: Path, model: VideoModel, labels: Sequence[str], notice: str, file: Path, key: str) -> Path:
    config = model.config
    reading = {
        name: Preprocessing(config.frames, config.size, "none", stream="scene")
        if name in config.scenes
        else Preprocessing(config.frames, config.size, "face")
        for name in config.inputs
    }
    card = Card.parse_as(
        type(config),
        {
            "name": out.name,
            "notice": notice,
            "model": config,
            "labels": tuple(labels),
            "preprocessing": as_written(reading),
            "data": {},
            "training": {"converted_from": file.name, "weights": key},
            "metrics": {},
            "versions": library_versions(),
        },
        str(out),
    )
    return save_checkpoint(out, model, card)


def _checked_weights(file: Path, which: str | None) -> tuple[Mapping[str, Tensor], str]:
    """`read_weights`, whose numbers are there and finite."""
    weights, key = read_weights(file, which)
    for name, tensor in weights.items():
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
            kind = "has no numbers (device meta)" if tensor.is_meta else "is sparse" if tensor.is_sparse else "is no plain tensor"
            raise InputError(f"{file}: {name} {kind}; save the model's own state dict, of plain tensors")
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise InputError(f"{file}: {name} holds NaN or infinity; give an epoch before the training broke")
    return weights, key


def read_weights(file: Path, which: str | None = None) -> tuple[Mapping[str, Tensor], str]:
    """The state dict of a checkpoint, and its key there ("" for a file that is itself one).

    Raises: InputError that says what is in the file, and what to do.
    """
    payload = _load(file)
    found = dict(_state_dicts(payload))
    listed = ", ".join(f"{key or '(the file itself)'} ({len(weights)} tensors)" for key, weights in found.items())
    if which is not None:
        if which in found:
            return found[which], which
        keys = ", ".join(map(str, payload)) if isinstance(payload, Mapping) else type(payload).__name__
        inside = payload.get(which) if isinstance(payload, Mapping) else None
        what = f"its {which!r} is no state dict" if inside is not None else f"holds no {which!r}, only {keys[:300]}"
        raise InputError(f"{file}: {what}; weights are at {listed or 'no place'}: choose with --key")
    if "" in found or len(found) == 1:
        key = "" if "" in found else next(iter(found))
        return found[key], key
    if RELEASED in found:
        return found[RELEASED], RELEASED
    if found:
        raise InputError(f"{file}: holds several sets of weights: {listed}; choose one with --key {next(iter(found))}")
    if isinstance(payload, Mapping) and (beside := _beside_tensors(payload)):
        raise InputError(f"{file}: {beside}; save a dict of tensors alone")
    if isinstance(payload, Mapping) and RELEASED in payload:
        raise InputError(f"{file}: its {RELEASED!r} is no state dict, and nothing else there is; give the released .pth")
    keys = ", ".join(map(str, payload))[:300] if isinstance(payload, Mapping) else type(payload).__name__
    raise InputError(f"{file}: holds no {RELEASED!r}, only {keys or 'nothing'}; give the released .pth")


def _state_dicts(value: Any, key: str = "", depth: int = 4) -> list[tuple[str, Mapping[str, Tensor]]]:
    """Mappings of names to tensors and their dotted keys."""
    if not isinstance(value, Mapping) or not depth:
        return []
    if value and all(isinstance(item, Tensor) and isinstance(name, str) for name, item in value.items()):
        return [(key, value)]
    inner = [(f"{key}.{name}".lstrip("."), item) for name, item in value.items() if isinstance(name, str)]
    return [found for name, item in inner for found in _state_dicts(item, name, depth - 1)]


def _beside_tensors(payload: Mapping[Any, Any]) -> str:
    """What keeps a dict that holds tensors, the file's own or one in it, from being a state dict; "" where none does."""
    for key, value in {"": payload, **payload}.items():
        tensors = sum(isinstance(item, Tensor) for item in value.values()) if isinstance(value, Mapping) else 0
        others = (
            [f"{name} ({type(item).__name__})" for name, item in value.items() if not isinstance(item, Tensor)] if tensors else []
        )
        what = f"its {key!r}" if key != "" else "it"
        if others:
            return f"{what} holds {tensors} tensors, but also {', '.join(others[:5])}"
        if tensors:
            return f"{what} holds {tensors} tensors, but their names are no text"
    return ""


def _load(file: Path) -> Any:
    """What is in the file; code in it is never run."""
    if not file.is_file():
        raise InputError(f"{file}: {'is a folder; give the file in it' if file.is_dir() else 'no such file; check the spelling'}")
    if told := _other_kind(file):
        raise InputError(f"{file}: {told}")
    with file.open("rb") as stream:
        head = stream.read(16)
    try:
        if file.suffix == ".safetensors" or head[8:9] == b"{":
            return safetensors.torch.load_file(file)
        with torch.serialization.safe_globals(_NUMPY_SCALARS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice to its own developers
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a stranger's bytes can make the readers raise anything
        raise InputError(f"{file}: {_not_readable(file, error)}") from error


def _other_kind(file: Path) -> str:
    """What a file is that is no checkpoint, and the way out; "" where it may be one."""
    with file.open("rb") as stream:
        head = stream.read(512)
    if not head:
        return "is empty; fetch it again"
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the file; fetch it with `git lfs pull`"
    if head.lstrip()[:1] == b"<":
        return "is a web page, not weights; download the file itself"
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            return f"is compressed ({name}); unpack it first"
    if head.startswith(b"\x89HDF"):
        return "is HDF5 (Keras), which has no weights of such a network; give the released .pth"
    if head.startswith(b"\x80") and not head.startswith(_LEGACY):
        trusted = "where it was made, and if you trust it, save its weights: torch.save(WEIGHTS, NEW)"
        return f"is a pickle that torch.save did not write; {trusted}"
    if head.startswith(b"\x93NUMPY"):
        return "is a NumPy array, not a dict of weights; give the released .pth"
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
                damaged = archive.testzip()  # torch reads over it
            if any(name.endswith("constants.pkl") or "/code/" in name for name in names):
                return "is TorchScript, a program; save its weights alone: torch.save(torch.jit.load(FILE).state_dict(), NEW)"
            if not any(name.endswith("data.pkl") for name in names):
                return f"is a ZIP archive of {', '.join(names[:5]) or 'nothing'}; unpack it first"
            if damaged is not None:
                return (
                    f"is damaged: {damaged} in it does not match its check sum; fetch it again, or, if it was saved without "
                    "(torch.serialization.set_crc32_options), save it with"
                )
        elif tarfile.is_tarfile(file):
            with tarfile.open(file) as bundle:
                names = bundle.getnames()[:50]
            if {"storages", "tensors"} <= set(names):
                return "is a tar of a torch before 0.1.10; " + _RESAVE.format(weights=f"[{RELEASED!r}]")
            return f"is a tar archive of {', '.join(names[:5]) or 'nothing'}; unpack it first"
    except (OSError, ValueError, tarfile.TarError, zipfile.BadZipFile, NotImplementedError, EOFError):
        return "is a damaged archive; fetch it again"
    return ""


def _not_readable(file: Path, error: Exception) -> str:
    """Why a file was refused, what is in it, and the way out."""
    try:
        content, names = list_pickle(file)
    except Exception:  # no pickle, or a damaged one: then the reader's own words are all there is
        words = " ".join(str(error).split("\n", 1)[0].split())[:150]
        said = type(error).__name__ if isinstance(error, pickle.UnpicklingError) or not words else words  # how to run code in it
        what = f"not a file of weights that can be read safely ({said})"
        return f"{what}; fetch it again, or give the released .pth"
    told = ", ".join(f"{key} ({thing.told()})" for key, thing in list(content.items.items())[:12]) or content.told()
    objects = foreign(names)
    if not objects:
        return f"cannot be read safely, it is damaged; it should hold {told}; fetch it again"
    named = [key for key in (RELEASED, "state_dict", *content.items) if key in content.items]
    key = next((key for key in named if content.items[key].tensors), named[0] if named else RELEASED)
    is_object = content.kind != "dict" or (key in content.items and content.items[key].kind not in ("dict", "tensor"))
    weights = (f"[{key!r}]" if content.kind == "dict" else "") + (".state_dict()" if is_object else "")
    return (
        f"cannot be read safely: beside weights it holds objects of {', '.join(objects[:5])}, which would run code; "
        f"it has {told}; {_RESAVE.format(weights=weights)}"
    )


_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""What torch's files before 1.6 begin with."""
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_SCALAR = np.float64(0).__reduce__()[0]
_NUMPY_SCALARS: list[Any] = [
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    _codecs.encode,
    *{type(np.dtype(kind)) for kind in "?bBhHiIlLqQefd"},
]
"""What a number of NumPy is pickled as (a best score beside the weights); it holds bytes, and runs nothing."""
