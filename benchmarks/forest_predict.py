"""Predictions of a forest that exceeds the processor's cache: `Forest.predict` against scikit-learn's, the same trees."""

from pathlib import Path

import numpy as np

from .contest import Contestant, Setting, contest, once
from .forest_data import FOREST, as_sklearn, fastest, sample
from .rows import Agreement, Row, compare

NAME = "forest_predict"
SIZES = {
    "tiny": {"trees": 5, "train": 400, "stars": 300, "own": 300, "rounds": 2},
    "bench": {"trees": 300, "train": 150_000, "stars": 150_000, "own": 20_000, "rounds": 5},
    "large": {"trees": 300, "train": 579_000, "stars": 500_000, "own": 60_000, "rounds": 5},
}
FEATURES = 18


def prepare(folder: str, trees: int, train: int, stars: int, threads: int, engine: str) -> object:
    """Train the forest and write it with the stars; a contestant only so that its memory is given back."""

    def make() -> int:
        from starlabels import forest

        x, y = sample(train, FEATURES, 1)
        found, _ = forest.train(x, y, {**FOREST, "n_estimators": trees, "engine": engine}, 1, threads)
        found.save(Path(folder) / "forest.npz")
        np.save(Path(folder) / "stars.npy", sample(stars, FEATURES, 2)[0])
        return len(found.nodes)

    return make


def ours(folder: str, threads: int):
    """`Forest.predict`, mean and spread in one pass."""
    from starlabels.forest_compact import Forest

    forest, x = Forest.load(Path(folder) / "forest.npz"), np.load(Path(folder) / "stars.npy")
    return lambda: forest.predict(x, threads)


def theirs(folder: str, threads: int):
    """scikit-learn's `predict`; single-precision rows, as it turns them into."""
    from starlabels.forest_compact import Forest

    x = np.load(Path(folder) / "stars.npy")
    regressor = as_sklearn(Forest.load(Path(folder) / "forest.npz"), x, threads)
    return lambda: regressor.predict(x)


def own_trees(rows: int, trees: int, threads: int):
    """Largest difference for a forest that scikit-learn itself has grown, its thresholds in double precision."""

    def differ() -> float:
        from sklearn.ensemble import RandomForestRegressor

        from starlabels.forest_compact import compact

        x, y = sample(rows, FEATURES, 3)
        regressor = RandomForestRegressor(trees, max_depth=FOREST["max_depth"], random_state=3, n_jobs=threads).fit(x, y)
        new = sample(rows, FEATURES, 4)[0]
        found = compact(regressor, [f"f{k}" for k in range(FEATURES)]).predict(new, threads)
        return float(np.abs(found - regressor.set_params(n_jobs=1).predict(new)).max())

    return differ


def run(setting: Setting) -> list[Row]:
    """One row: scikit-learn with all cores; its sums in the order of one core are those that must be equal."""
    size, engine = SIZES[setting.size], fastest()
    place = {"folder": str(setting.scratch)}
    setting.say(f"  training {size['trees']} trees on {size['train']} stars with the engine {engine}")
    made = {"trees": size["trees"], "train": size["train"], "stars": size["stars"], "threads": setting.threads, "engine": engine}
    nodes = once("training", Contestant("benchmarks.forest_predict:prepare", {**place, **made}), setting)
    name = f"scikit-learn, n_jobs={setting.threads}"
    runners = {
        "starlabels": Contestant("benchmarks.forest_predict:ours", {**place, "threads": setting.threads}),
        name: Contestant("benchmarks.forest_predict:theirs", {**place, "threads": setting.threads}),
    }
    found = contest(runners, setting, size["rounds"])
    single = once("scikit-learn, n_jobs=1", Contestant("benchmarks.forest_predict:theirs", {**place, "threads": 1}), setting)
    grown = Contestant("benchmarks.forest_predict:own_trees", {"rows": size["own"], "trees": 20, "threads": setting.threads})
    extra = once("20 trees grown by scikit-learn", grown, setting)

    mine = found["starlabels"][-1].result
    difference = float(np.abs(mine - single).max())
    parallel = float(np.abs(mine - found[name][-1].result).max())
    agreement = Agreement(difference == 0 and extra == 0 and bool(mine.std() > 0), f"largest difference from n_jobs=1: {difference:g}")
    case = f"{size['trees']} trees, depth {FOREST['max_depth']}, {nodes / 1e6:.1f} M nodes; {size['stars']} x {FEATURES}"
    note = (f"trees trained on {size['train']} stars (engine {engine}); ours gives the spread as well; difference for 20 trees grown by "
            f"scikit-learn on {size['own']} stars: {extra:g}; from n_jobs={setting.threads}, which sums in any order: {parallel:.0e}; "
            f"peak memory {found['starlabels'][-1].peak_mb:.0f} MB against {found[name][-1].peak_mb:.0f} MB")
    return [compare(NAME, case, ("starlabels", name), found["starlabels"], found[name], agreement, unit="us a star, wall clock",
                    work=(size["stars"] / 1e6,) * 2, floor=4.0, aim=7.0, note=note,
                    sizes={**size, "nodes": nodes, "features": FEATURES, "engine": engine})]
