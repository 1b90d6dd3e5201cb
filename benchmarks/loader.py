"""Clips a second of the loader, from folders of JPEG frames and from videos, against clips a second of models in training.

python benchmarks/loader.py [--clips 48] [--frames 16] [--size 224] [--workers 0,1,2] [--models mvit-tiny,mvit-xs] [--device cpu]

The clips are soft noise over a moving gradient. Each is read once before the clock starts, so that files come from memory; with a
slow disk measure on the corpus itself (`log/speed.csv` of a run).
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from ifdd.data.clipset import ClipSet
from ifdd.data.manifest import read_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.sampling import Rule, Take
from ifdd.data.streamed import streamed
from ifdd.inputs import each, to_clips
from ifdd.labels import EMOTIONS
from ifdd.models.families import create_model, family_of
from ifdd.training.loading import Batches, ClipDataset, Request
from ifdd.training.order import ordered_batches
from ifdd.training.recipe import LossConfig

LENGTH = 28
"""Frames of a clip: the mean of FERV39k."""


def pictures(seed: int, size: int) -> list[np.ndarray]:
    """(size, size, 3) uint8 frames of one clip."""
    rng, (y, x) = np.random.default_rng(seed), np.mgrid[:size, :size] / size
    texture = cv2.GaussianBlur(rng.normal(0, 40, (size, size, 3)), (0, 0), 2.0) * 2
    found = []
    for t in range(LENGTH):
        wave = 110 + 60 * np.sin(6 * x + 0.2 * t)[..., None] + 40 * np.cos(5 * y)[..., None]
        found.append((wave + np.roll(texture, t, 1)).clip(0, 255).astype(np.uint8))
    return found


def write_clips(root: Path, count: int, size: int) -> None:
    """`frames.csv`, of folders of JPEG files, and `videos.csv`, of the same clips as H.264; all but 12 are links to those."""
    rows: dict[str, list[str]] = {"frames": ["path,label"], "videos": ["path,label,crop"]}
    for i in range(count):
        folder, video = root / f"{i}", root / f"{i}.mp4"
        own = i % 12
        if i < 12:
            folder.mkdir()
            images = pictures(i, size)
            for t, image in enumerate(images):
                cv2.imwrite(str(folder / f"{t + 1:05d}.jpg"), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
            with av.open(str(video), "w") as container:
                stream = container.add_stream("libx264", rate=25)
                stream.height, stream.width, stream.pix_fmt = size, size, "yuv420p"
                for image in images:
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
                container.mux(stream.encode())
        else:
            folder.symlink_to(root / f"{own}")
            video.symlink_to(root / f"{own}.mp4")
        rows["frames"].append(f"{i},{EMOTIONS[i % 7]}")
        rows["videos"].append(f"{i}.mp4,{EMOTIONS[i % 7]},center")
    for name, lines in rows.items():
        (root / f"{name}.csv").write_text("\n".join(lines))


def loader_speed(clips: ClipSet, workers: int, batch: int, epochs: int) -> float:
    """Clips a second, of all epochs but the first."""
    begun = 0.0
    for epoch in range(epochs + 1):
        requests = [Request(index, [Take(epoch)] * len(index)) for index in ordered_batches(len(clips), batch)]
        if epoch == 1:
            begun = time.monotonic()
        for loaded in Batches(ClipDataset(clips), lambda asked=requests: asked, len(requests), workers):
            assert not loaded.bad
    return epochs * len(clips) / (time.monotonic() - begun)


def model_speed(name: str, frames: int, size: int, batch: int, device: str, steps: int) -> float:
    """Clips a second of forward, backward and step."""
    model = create_model(name, frames=frames, size=(size, size)).to(device).train()
    loss = family_of(model.config).loss(model.config, LossConfig())
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    pixels = torch.randint(0, 256, (batch, frames, size, size, 3), dtype=torch.uint8, device=device)
    target = torch.arange(batch, device=device) % 7
    begun = 0.0
    for step in range(steps + 1):
        if step == 1:
            if device == "cuda":
                torch.cuda.synchronize()
            begun = time.monotonic()
        optimiser.zero_grad()
        loss(model(each(pixels, to_clips)), target)["loss"].backward()
        optimiser.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return steps * batch / (time.monotonic() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--workers", default="0,1,2")
    parser.add_argument("--models", default="ifdd-mvit-tiny,ifdd-mvit-xs")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: dict[str, float] = {}

    def tell(name: str, speed: float) -> None:
        found[name] = speed
        if not given.json:
            print(f"  {name:<44} {speed:8.2f}", flush=True)

    if not given.json:
        print(f"clips of {given.frames} × {given.size}², {os.cpu_count()} cores: clips a second")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_clips(root, given.clips, given.size)
        read = Preprocessing(given.frames, (given.size, given.size), "center")
        for name, cache in (("frames", None), ("videos", None), ("videos, cached crops", root / "cache")):
            file = root / f"{name.split(',')[0]}.csv"
            clips = streamed(file, read_manifest(file), {"clip": read}, EMOTIONS, rule=Rule("segments"), cache=cache)
            for workers in map(int, given.workers.split(",")):
                tell(f"loader, {name}, {workers} workers", loader_speed(clips, workers, given.batch, given.epochs))
    for name in given.models.split(","):
        speed = model_speed(name, given.frames, given.size, given.batch, given.device, given.steps)
        tell(f"{name} on {given.device}, {torch.get_num_threads()} threads", speed)
    if given.json:
        print(json.dumps(found | {"cores": os.cpu_count()}))


if __name__ == "__main__":
    main()
