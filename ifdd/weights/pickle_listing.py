"""What is in a pickle, read from its opcodes alone: nothing is built, imported or run."""

import pickletools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

MOST_BYTES = 2**30
"""Of a pickle that is listed: it holds names, and the numbers of NumPy's arrays; those of tensors lie beside it."""
MOST_STEPS = 3_000_000
_TENSOR = ("torch._utils _rebuild_tensor", "torch._utils _rebuild_parameter")
_PLAIN = ("torch", "collections", "builtins")


@dataclass
class Pickled:
    """Something in a pickle: a `kind` ("dict", "tensor", "text", the class of an object …) and, of a dict, its `items`."""

    kind: str
    value: str = ""
    items: dict[str, "Pickled"] = field(default_factory=dict)

    @property
    def tensors(self) -> int:
        """How many tensors a dict holds by name."""
        return sum(thing.kind == "tensor" for thing in self.items.values())

    def told(self) -> str:
        """What it is, in a word or two."""
        if self.kind != "dict":
            return self.kind
        return f"{self.tensors} tensors" if self.tensors else f"dict of {', '.join(list(self.items)[:6]) or 'nothing'}"


def list_pickle(file: Path) -> tuple[Pickled, tuple[str, ...]]:
    """The outermost object of what `torch.save` wrote, and the classes and functions that are named in it.

    Raises: ValueError and others for a file that is no such pickle.
    """
    content = _pickle(file)
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    names: dict[str, None] = {}
    for steps, (operation, argument, _) in enumerate(pickletools.genops(content)):
        if steps > MOST_STEPS:
            raise ValueError("too long")
        _step(operation, argument, stack, memo, names)
    return stack[-1] if stack and isinstance(stack[-1], Pickled) else Pickled("nothing"), tuple(names)


_MARK = object()


def _step(operation: Any, argument: Any, stack: list[Any], memo: dict[int, Any], names: dict[str, None]) -> None:
    """One opcode, as the machine of `pickle` would do it, on names alone."""
    name = operation.name
    if name == "MARK":
        stack.append(_MARK)
    elif name in ("STOP", "PROTO", "FRAME"):
        return
    elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
        memo[len(memo) if name == "MEMOIZE" else int(argument)] = stack[-1]
    elif name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(memo[int(argument)])
    elif name == "GLOBAL":
        names[argument] = None
        stack.append(Pickled("class", argument))
    elif name == "STACK_GLOBAL":
        attribute, module = stack.pop(), stack.pop()
        names[f"{module.value} {attribute.value}"] = None
        stack.append(Pickled("class", f"{module.value} {attribute.value}"))
    elif name == "SETITEM":
        value, key = stack.pop(), stack.pop()
        _put(stack[-1], [key, value])
    elif name in ("SETITEMS", "DICT"):
        pairs = _to_mark(stack)
        if name == "DICT":
            stack.append(Pickled("dict"))
        _put(stack[-1], pairs)
    elif name in ("APPENDS", "ADDITEMS"):
        _to_mark(stack)
    elif name in ("APPEND", "BUILD", "POP"):
        stack.pop()
    elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX"):
        for _ in range(2 if name == "NEWOBJ_EX" else 1):
            stack.pop()
        stack.append(_made(stack.pop()))
    elif name in ("OBJ", "INST"):
        parts = _to_mark(stack)
        if name == "INST":
            names[argument] = None
        stack.append(_made(Pickled("class", argument) if name == "INST" else parts[0]))
    else:
        before = operation.stack_before
        if any(item.name == "mark" for item in before):
            _to_mark(stack)
        else:
            del stack[len(stack) - len(before) :]
        stack.extend(_plain(operation, argument) for _ in operation.stack_after)


def _made(callable_: Any) -> Pickled:
    name = callable_.value if isinstance(callable_, Pickled) else ""
    if name.startswith(_TENSOR):
        return Pickled("tensor")
    if name in ("collections OrderedDict", "collections defaultdict"):
        return Pickled("dict")
    return Pickled(name.replace(" ", ".") or "object")


def _plain(operation: Any, argument: Any) -> Pickled:
    kind = operation.stack_after[0].name
    if kind in ("str", "unicode") or operation.name.endswith("UNICODE"):
        return Pickled("text", str(argument))
    return Pickled(kind, "" if argument is None else str(argument)[:80])


def _put(into: Any, pairs: list[Any]) -> None:
    if isinstance(into, Pickled):
        for key, value in zip(pairs[::2], pairs[1::2], strict=False):
            into.items[str(key.value)] = value


def _to_mark(stack: list[Any]) -> list[Any]:
    parts: list[Any] = []
    while (top := stack.pop()) is not _MARK:
        parts.append(top)
    return parts[::-1]


def _pickle(file: Path) -> bytes:
    """The bytes of the pickle that describes the object; of torch's older files the fourth in a row."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            entry = next(info for info in archive.infolist() if info.filename.endswith("data.pkl"))
            if entry.file_size > MOST_BYTES:
                raise ValueError("too long")
            return archive.read(entry)
    with file.open("rb") as stream:
        content = stream.read(MOST_BYTES)
    ends = list(_ends(content))
    return content[ends[2] : ends[3]] if len(ends) > 3 else content[: ends[0]]


def _ends(content: bytes) -> Iterator[int]:
    stream = BytesIO(content)
    for _ in range(4):
        try:
            for _operation in pickletools.genops(stream):
                pass
        except ValueError:
            return
        yield stream.tell()


def foreign(names: tuple[str, ...]) -> list[str]:
    """Those of the names in a pickle that are neither torch's nor Python's plain containers, as `module.name`."""
    return [name.replace(" ", ".") for name in names if name.split()[0].split(".")[0] not in _PLAIN]
