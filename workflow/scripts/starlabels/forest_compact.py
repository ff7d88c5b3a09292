"""A trained forest as plain arrays: its form in memory and on disk, without pickle, and its predictions.

Nodes are numbered breadth first within each tree, so the children of the k-th inner node are nodes 2k + 1 and 2k + 2 and
need not be stored. Thresholds are rounded down to float32, which leaves `x <= threshold` as it was for every float32 x.
Predictions equal those of scikit-learn with `n_jobs=1` to the last bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import InputError
from .forest_kernel import FEATURE_BITS, LEAF, MAX_FEATURES, MAX_NODES, NODE, unpack, walk
from .npz import load_arrays, save_arrays


def check_matrix(x: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Features as a contiguous float32 matrix.

    Raises
    ------
    InputError
        When the shape does not fit the names, or a value is NaN or infinite (a forest would send it the wrong way silently).
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] != len(names):
        raise InputError("feature matrix", f"has the shape {x.shape}", f"{len(names)} columns are needed: {', '.join(names)}")
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(x, dtype=np.float32)
    good = np.isfinite(x)
    if not good.all():
        bad = (~good).sum(axis=0)
        worst = int(np.argmax(bad))
        raise InputError(
            f"feature {names[worst]}", f"is missing or infinite in {bad[worst]} of {len(x)} rows", "Select complete rows first"
        )
    return x


@dataclass(frozen=True)
class Forest:
    """A trained forest as plain arrays.

    Attributes
    ----------
    names : tuple of str (p,)
        Features, in the order of the matrix.
    nodes, values, offsets, depths : ndarray
        As `forest_kernel.walk` takes them.
    """

    names: tuple[str, ...]
    nodes: np.ndarray
    values: np.ndarray
    offsets: np.ndarray
    depths: np.ndarray

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.depths)

    def check_names(self, names: Sequence[str]) -> None:
        """Refuse features other than those of the training, or in another order.

        Raises
        ------
        InputError
            Naming what is missing, unknown, or first out of place.
        """
        names = tuple(names)
        if names == self.names:
            return
        missing, extra = [n for n in self.names if n not in names], [n for n in names if n not in self.names]
        if missing or extra or len(names) != len(self.names):
            found = f"{len(names)} features; missing: {', '.join(missing) or 'none'}; unknown: {', '.join(extra) or 'none'}"
        else:
            k = next(i for i, (a, b) in enumerate(zip(names, self.names, strict=True)) if a != b)
            found = f"feature {k + 1} is {names[k]}, the model was trained with {self.names[k]} there"
        raise InputError("features", found, "Train again, or use the configuration that the model was trained with")

    def predict_spread(self, x: np.ndarray, threads: int = 1, names: Sequence[str] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (denominator trees - 1) over the trees.

        Parameters
        ----------
        x : ndarray (n, p)
            Features; used as float32, as scikit-learn does.
        threads : int
            No result depends on it.
        names : sequence of str, optional
            Names of the columns of `x`, checked against the training.

        Raises
        ------
        InputError
            For other features than those of the training, NaN or infinity.
        """
        if names is not None:
            self.check_names(names)
        return walk(self.nodes, self.values, self.offsets, self.depths, check_matrix(x, self.names), threads)

    def predict(self, x: np.ndarray, threads: int = 1, names: Sequence[str] | None = None) -> np.ndarray:
        """Mean over the trees (n,), equal to scikit-learn's with `n_jobs=1` to the last bit."""
        return self.predict_spread(x, threads, names)[0]

    def spread(self, x: np.ndarray, threads: int = 1, names: Sequence[str] | None = None) -> np.ndarray:
        """Standard deviation over the trees (n,)."""
        return self.predict_spread(x, threads, names)[1]

    def arrays(self) -> dict[str, np.ndarray]:
        """The forest as arrays for an .npz file (7 bytes a node)."""
        leaf = np.isposinf(self.nodes["threshold"])
        feature = (self.nodes["link"] & np.uint32(MAX_FEATURES - 1)).astype(np.uint8)
        feature[leaf] = LEAF
        return {
            "names": np.array(self.names, dtype=np.str_),
            "feature": feature,
            "threshold": self.nodes["threshold"][~leaf],
            "leaf_value": self.values[leaf],
            "offsets": self.offsets,
            "depths": self.depths,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Forest":
        """Inverse of `arrays`.

        Raises
        ------
        InputError
            When the arrays do not make whole trees of known features.
        """
        packed = arrays["feature"], arrays["threshold"], arrays["leaf_value"]
        names, offsets, depths = tuple(str(n) for n in arrays["names"]), arrays["offsets"], arrays["depths"]
        nodes, values = np.empty(len(packed[0]), NODE), np.zeros(len(packed[0]))
        if len(depths) != len(offsets) or not unpack(*packed, offsets, len(names), nodes, values):
            raise InputError("forest", "has arrays that do not make whole trees", "Delete the model and train again")
        return cls(names, nodes, values, offsets, depths)

    def save(self, path: str | Path, **more: np.ndarray) -> None:
        """Write the forest, and other arrays beside it, as .npz without pickle; the same arrays give the same bytes."""
        save_arrays(path, {**self.arrays(), **more})

    @classmethod
    def load(cls, path: str | Path) -> "Forest":
        """Read a forest.

        Raises
        ------
        InputError
            When the file is missing, damaged or not a forest.
        """
        return cls.from_arrays(load_arrays(path))


def _floor32(threshold: np.ndarray) -> np.ndarray:
    """Largest float32 that is not above each float64."""
    low = threshold.astype(np.float32)
    above = low.astype(np.float64) > threshold
    low[above] = np.nextafter(low[above], np.float32(-np.inf))
    return low


def compact(regressor, names: Sequence[str]) -> Forest:
    """Turn a fitted forest, scikit-learn's or one that shows its trees as scikit-learn does, into arrays.

    Raises
    ------
    InputError
        For more than 255 features or trees of more than 2^24 nodes, which the 8-byte nodes cannot hold.
    """
    if len(names) >= MAX_FEATURES:
        raise InputError("features", f"are {len(names)}", f"At most {MAX_FEATURES - 1} are supported")
    pieces, values, sizes, depths = [], [], [], []
    for estimator in regressor.estimators_:
        tree = estimator.tree_
        if tree.node_count > MAX_NODES:
            raise InputError("sages.forest.max_depth", f"gives trees of {tree.node_count} nodes", f"At most {MAX_NODES} are supported")
        order, depth = _breadth_first(tree.children_left, tree.children_right)
        inner = tree.children_left[order] >= 0
        nodes = np.zeros(len(order), NODE)
        child = np.where(inner, 2 * np.cumsum(inner) - 1, np.arange(len(order))).astype(np.uint32)
        nodes["link"] = np.where(inner, tree.feature[order], 0).astype(np.uint32) | (child << np.uint32(FEATURE_BITS))
        nodes["threshold"] = np.where(inner, _floor32(tree.threshold[order]), np.float32(np.inf))
        pieces.append(nodes)
        values.append(np.where(inner, 0.0, tree.value[order, 0, 0]))
        sizes.append(len(order))
        depths.append(depth)
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    return Forest(tuple(names), np.concatenate(pieces), np.concatenate(values), offsets, np.array(depths, np.int64))


def _breadth_first(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, int]:
    """Order of a tree's nodes level by level with siblings side by side, and its depth."""
    levels = [np.array([0])]
    while True:
        inner = levels[-1][left[levels[-1]] >= 0]
        if not len(inner):
            return np.concatenate(levels), len(levels) - 1
        levels.append(np.column_stack([left[inner], right[inner]]).ravel())
