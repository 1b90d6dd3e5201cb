"""Foreign checkpoints: read without running anything, refused by name. tests/parity has the conversion itself."""

from pathlib import Path

import pytest
import torch

from ifdd.convert import convert
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("was-run"),))


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"model": Evil()}, "read safely"),
        ({"epoch": 1}, "holds no 'model', only epoch"),
        ({"model": 3}, "its 'model' is no state dict"),
        ({"model": {"a": torch.zeros(1)}}, "no key 'head.head.1.bias'"),
        ([1, 2], "holds no 'model', only list"),
    ],
)
def test_what_is_no_released_checkpoint(payload: object, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(payload, tmp_path / "x.pth")
    with pytest.raises(InputError, match=message):
        convert(tmp_path / "x.pth", tmp_path / "out", EMOTIONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pth"]


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(InputError, match=r"text\.pth: not a file of weights"):
        convert(tmp_path / "text.pth", tmp_path / "out", EMOTIONS)
    with pytest.raises(InputError, match="no such file"):
        convert(tmp_path / "none.pth", tmp_path / "out", EMOTIONS)
