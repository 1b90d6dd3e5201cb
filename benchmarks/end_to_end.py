"""Rendered clips in the trees of DFEW, FERV39k and MAFW: from the index to the app's workspace by commands alone.

Index, doctor, a training for every fold (or the official split), the pooled predictions imported, compared, reported; then the
tables are computed again from predictions.parquet with scikit-learn alone. Prints seconds a step and the largest difference.
With --scenes clips have scenes, those of FERV39k and MAFW lie where these corpora hand them out, and a model that reads both is
trained beside the others; what it does with them is told by streams, swapped scenes and explain.
Usage: python benchmarks/end_to_end.py --out DIR [--clips 140] [--epochs 2] [--corpora dfew,ferv39k,mafw] [--scenes]
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
from rendered_corpora import HAVE_SCENES, KINDS, write_corpus_tree
from sklearn.metrics import confusion_matrix, recall_score

ROOT = Path(__file__).resolve().parents[1]
MODELS = {
    "baseline": ["model.split=none", "model.lift=none"],
    "ifdd": ["model.split=index", "model.lift=update-first"],
}
NETWORK = "{{backbone: mvit-tiny, split: none, lift: none, frames: 16, size: [64, 64], num_classes: {classes}}}"
OF_SCENES = "{{family: ous, encoder: vit-tiny, frames: 16, size: [64, 64], num_classes: {classes}}}"
RECIPE = """
name: {name}
labels: [{labels}]
model: {model}
data: {{source: corpus, manifest: {manifest}, fold: {fold}, val: 0.2, cache: {cache}}}
optim: {{lr: 0.001, epochs: {epochs}, batch: 8, warmup_epochs: 0.3}}
"""


def run(*words: object, ok: tuple[int, ...] = (0,)) -> str:
    """One command as a user types it; prints it with its seconds. Returns what it printed."""
    began = time.perf_counter()
    command = [str(Path(sys.executable).parent / str(words[0])), *map(str, words[1:])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"{time.perf_counter() - began:7.1f} s  {shlex.join(map(str, words))}")
    if done.returncode not in ok:
        sys.exit(f"{done.stdout}\n{done.stderr}\nexit {done.returncode}")
    return done.stdout


def main() -> None:
    """All corpora, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=140)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--corpora", default=",".join(KINDS))
    parser.add_argument("--scenes", action="store_true")
    given = parser.parse_args()
    out: Path = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    rendered = out / "rendered"
    if not rendered.exists():
        suite = ["--suite-name", "noisy-50", "--split", "test", "--identities", 40, "--size", 64, "--frames", 24]
        run(
            "ifdd", "data", "render", *suite, "--clips", given.clips, "--out", rendered, *(["--rho", 0.9] if given.scenes else [])
        )
    for kind in given.corpora.split(","):
        check(kind, rendered, out / kind, given.epochs, given.scenes and kind in HAVE_SCENES)


def check(kind: str, rendered: Path, out: Path, epochs: int, scenes: bool) -> None:
    """One corpus from its tree to the report; with `scenes` a third model reads these, too."""
    models = MODELS | ({"ous": ["augment.cutmix=0"]} if scenes else {})
    tree, manifest = write_corpus_tree(kind, rendered, out / "tree"), out / "clips.parquet"
    run("ifdd", "data", "index", "--corpus", kind, tree, "--out", manifest)
    run("ifdd", "data", "doctor", manifest, "--out", out / "doctor.json", ok=(0, 3))
    clips = pd.read_parquet(manifest)
    order = clips.drop_duplicates("label").sort_values("label")["label_name"].tolist()
    folds = sorted(set(clips["fold"]) - {0}) if "fold" in clips else []
    for name, settings in models.items():
        recipe = out / f"{name}.yaml"
        about = {"name": f"{kind}-{name}", "manifest": manifest, "cache": out / "cache", "epochs": epochs}
        model = (OF_SCENES if name == "ous" else NETWORK).format(classes=len(order))
        text = RECIPE.format(**about, model=model, labels=", ".join(order), fold=folds[0] if folds else "null")
        recipe.write_text(text, encoding="utf-8")
        extra = [word for setting in settings for word in ("--set", setting)]
        command = "cross-validate" if folds else "train"
        run("ifdd", command, recipe, "--out", out / name, *extra)
        compare_with_sklearn(out / name, order, bool(folds))
    workspace = out / "workspace"
    first = [out / name / ("fold-1" if folds else "") for name in models]
    checkpoints = [word for folder in first for word in ("--checkpoint", folder)]
    run("workbench", "init", workspace, "--dataset", f"{kind}={manifest}", *checkpoints)
    if folds:
        test = out / "baseline" / "clips" / "fold-1.parquet"
    else:
        test = out / "test.parquet"
        part = clips[clips["split"] == "test"]
        part.assign(path=[str((out / path).resolve()) for path in part["path"]]).to_parquet(test, index=False)
    (workspace / "datasets" / "test").symlink_to(test)
    here = ["--workspace", workspace]
    if folds:
        for name in models:
            run("workbench", "import", out / name / "predictions.parquet", *here, "--dataset", kind, "--name", f"{name}-5-folds")
        run("workbench", "compare", *(f"{name}-5-folds" for name in models), *here, "--dataset", kind)
    shown = (
        [f"{kind}-{name}" for name in models]
        if not folds
        else [json.loads((f / "checkpoint/card.json").read_text())["name"] for f in first]
    )
    for name in shown:
        run("workbench", "collect", name, *here, "--dataset", "test")
    run("workbench", "compare", *shown, *here, "--dataset", "test")
    run("workbench", "figures", *shown, *here, "--dataset", "test")
    run("workbench", "report", *shown, *here, "--dataset", "test")
    if scenes:
        reader = shown[list(models).index("ous")]
        run("workbench", "streams", reader, *here, "--dataset", "test")
        run("workbench", "counterfactual", reader, "--edits", "swap-scene,swap-face", *here, "--dataset", "test")
        row = pd.read_parquet(test).iloc[0]
        beside = {name: (test.parent / row[name]).resolve() for name in ("path", "scene_path")}
        run("workbench", "explain", beside["path"], "--scene", beside["scene_path"], "--checkpoint", reader, *here)


def compare_with_sklearn(folder: Path, labels: list[str], pooled: bool) -> None:
    """The folder's numbers against those of scikit-learn, from the predictions alone."""
    table = pd.read_parquet(folder / "predictions.parquet")
    if "split" in table:
        table = table[table["split"] == "test"]
    told = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    told = told["pooled"] if pooled else told["test"]
    said = table[[f"p_{label}" for label in labels]].to_numpy().argmax(1)
    truth = table["label"].to_numpy()
    recalls = recall_score(truth, said, labels=range(len(labels)), average=None, zero_division=float("nan"))
    known = [i for i in range(len(labels)) if (truth == i).any()]
    worst = max(
        abs(float((said == truth).mean()) - told["WAR"]),
        abs(float(recalls[known].mean()) - told["UAR"]),
        *(abs(float(recalls[i]) - told["recall"][labels[i]]) for i in known),
    )
    same = confusion_matrix(truth, said, labels=range(len(labels))).tolist() == told["confusion"]
    scores = f"WAR {told['WAR']:.3f}, UAR {told['UAR']:.3f}"
    print(f"           {len(table)} clips: {scores}; off by at most {worst:.0e}, confusion equal: {same}")
    if worst > 1e-12 or not same:
        sys.exit("the tables are not those of scikit-learn")


if __name__ == "__main__":
    main()
