"""Training of forests: the engines of `forest.train` against scikit-learn, out-of-bag predictions included."""

from pathlib import Path

import numpy as np

from .contest import Contestant, Setting, Task, contest
from .forest_data import FOREST, engines, sample
from .rows import Agreement, Measured, Row, compare, missing

NAME = "forest_train"
# (stars, features, trees, rounds); the last one, with the papers' 300 trees, is where accuracies are compared
SIZES = {
    "tiny": [(300, 3, 2, 1), (400, 3, 300, 1)],
    "bench": [(20_000, 18, 16, 3), (60_000, 18, 16, 3), (60_000, 69, 8, 2), (20_000, 18, 300, 1)],
    "large": [(60_000, 18, 32, 3), (60_000, 69, 16, 3), (579_000, 18, 8, 3), (60_000, 18, 300, 1)],
}
FLOOR, AIM, FROM = 4.0, 10.0, 60_000  # asked for at so many stars and more
RMSE, OOB = 0.005, 0.002              # equal accuracy: relative difference of the test RMSE, difference of the out-of-bag R^2


def prepare(folder: Path, stars: int, features: int) -> None:
    """Write a training and a test sample."""
    for name, rows, seed in (("train", stars, 5), ("test", max(stars // 2, 100), 6)):
        x, y = sample(rows, features, seed)
        np.savez(folder / f"{name}.npz", x=x, y=y)


def trainer(folder: str, trees: int, threads: int, engine: str, test: bool):
    """Training with an engine; what is compared is a digest of the trees' bytes, and the accuracies when asked for."""
    import hashlib

    from starlabels import forest

    data = {name: np.load(Path(folder) / f"{name}.npz") for name in ("train", "test")}
    x, y = data["train"]["x"], data["train"]["y"]
    settings = {**FOREST, "n_estimators": trees, "engine": engine}
    forest.train(x[:200], y[:200], {**settings, "n_estimators": 2}, 1, threads)  # compiles what is compiled
    grown = []

    def train() -> None:
        grown[:] = forest.train(x, y, settings, 1, threads)

    def summary(_) -> dict:
        arrays = grown[0].arrays()
        found = {"digest": hashlib.sha256(b"".join(arrays[k].tobytes() for k in ("feature", "threshold", "leaf_value"))).hexdigest()}
        if test:
            error = grown[0].predict(data["test"]["x"], threads) - data["test"]["y"]
            found |= {"rmse": float(np.sqrt(np.mean(error**2))), "oob": grown[1].score}
        return found

    return Task(train, summary)


def judge(engine: str, ours: Measured, peer: Measured, test: bool) -> Agreement:
    """Exact engines must grow the same trees; for the others accuracies are compared, with all 300 trees only."""
    a, b = ours.result, peer.result
    same = a["digest"] == b["digest"]
    if not test:
        if engine == "presorted":
            return Agreement(same, "same trees, node by node" if same else "other trees")
        return Agreement(None, "accuracy compared at 300 trees")
    text = f"test RMSE {a['rmse'] / b['rmse'] - 1:+.2%}, out-of-bag R^2 {a['oob'] - b['oob']:+.4f}" + (", same trees" if same else "")
    close = abs(a["rmse"] / b["rmse"] - 1) <= RMSE and abs(a["oob"] - b["oob"]) <= OOB
    return Agreement(close and (same or engine != "presorted"), text)


def run(setting: Setting) -> list[Row]:
    """A row an engine and size; the floor is asked of the fastest engine."""
    rows = []
    for stars, features, trees, rounds in SIZES[setting.size]:
        case, test = f"{trees} trees, {stars} x {features}", trees >= 300
        prepare(setting.scratch, stars, features)
        there = [name for name, reason in engines().items() if not reason]
        arguments = {"folder": str(setting.scratch), "trees": trees, "threads": setting.threads, "test": test}
        runners = {name: Contestant("benchmarks.forest_train:trainer", {**arguments, "engine": name}) for name in [*there, "sklearn"]}
        found = contest(runners, setting, rounds, warm=0) if there else {}
        sizes = {"stars": stars, "features": features, "trees": trees}
        mine = []
        for name in there:
            agreement = judge(name, found[name][-1], found["sklearn"][-1], test)
            mine.append(compare(NAME, case, (name, "scikit-learn"), found[name], found["sklearn"], agreement, sizes=sizes,
                                unit="core-s a tree (wall clock x cores)", work=(trees / setting.threads,) * 2))
        if mine and stars >= FROM:
            best = max(mine, key=lambda row: row.ratio)
            best.floor, best.aim = FLOOR, AIM
        rows += mine
        rows += [missing(NAME, case, name, "scikit-learn", reason) for name, reason in engines().items() if reason]
    return rows
