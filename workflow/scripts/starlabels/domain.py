"""Whether a forest knows stars of this kind.

The paper says nothing of it; this is ours.

Forests cannot extrapolate, and do not tell. The density of the training stars in feature space is described by a
mixture of Gaussians (scikit-learn) in the principal components of the features; a star where the density is lower than at all
but a share 1 - q of the training stars is out of domain. This costs a few kilobytes a model and looks at one star at a time.
E(B-V) takes no part: training stops at 0.05 and prediction at 0.5 by design, and the catalogue carries E(B-V) itself; the
parallax takes part through the absolute magnitude where that is a feature.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from .errors import InputError

MAX_FIT = 20_000  # training stars that the mixture is fitted to
COMPONENTS = 8  # of the mixture, at most
STARS_A_COMPONENT = 100
RANK = 1e-8  # principal components below this share of the largest variance are rounding errors
_ROWS_A_THREAD = 4096  # fewer are not worth a thread


@numba.njit(nogil=True, cache=True)
def _distances(x, columns, centre, projection, shift, cholesky, constant, out):
    """-log of the density of a mixture at each row of x; `shift` is means @ cholesky, `constant` the log of each peak."""
    rank, components = projection.shape[1], len(constant)
    z, y, each = np.empty(rank), np.empty(rank), np.empty(components)
    for i in range(len(x)):
        z[:] = 0.0
        for c in range(len(columns)):
            off = np.float64(x[i, columns[c]]) - centre[c]
            for r in range(rank):
                z[r] += off * projection[c, r]
        for k in range(components):
            for r in range(rank):
                y[r] = -shift[k, r]
            for s in range(rank):
                for r in range(s, rank):  # the factors are upper triangles
                    y[r] += z[s] * cholesky[k, s, r]
            square = 0.0
            for r in range(rank):
                square += y[r] * y[r]
            each[k] = constant[k] - 0.5 * square
        top, total = each.max(), 0.0
        for k in range(components):
            total += np.exp(each[k] - top)
        out[i] = -(top + np.log(total))


@dataclass(frozen=True)
class Domain:
    """Where in feature space the training stars are.

    Attributes
    ----------
    columns : ndarray (c,) of int64
        Features that take part.
    centre : ndarray (c,)
    projection : ndarray (c, r)
        (x - centre) @ projection has unit variance and no correlation.
    weights, means, cholesky : ndarray (k,), (k, r), (k, r, r)
        The mixture; `cholesky` are the Cholesky factors of the precisions, as in scikit-learn.
    limit : float
        A star is out of domain above this `distance`.
    """

    columns: np.ndarray
    centre: np.ndarray
    projection: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray
    limit: float

    def distance(self, x: np.ndarray, threads: int = 1) -> np.ndarray:
        """-log of the density of training stars (n,) at features (n, p); a star's does not depend on threads or other stars."""
        x, out = np.asarray(x), np.empty(len(x))
        diagonal = np.diagonal(self.cholesky, axis1=1, axis2=2)
        constant = np.log(self.weights) + np.log(diagonal).sum(axis=1) - 0.5 * len(self.means[0]) * np.log(2 * np.pi)
        shift = np.array([m @ c for m, c in zip(self.means, self.cholesky, strict=True)])
        cuts = np.linspace(0, len(x), max(1, min(threads, len(x) // _ROWS_A_THREAD)) + 1).astype(int)

        def piece(own: slice) -> None:
            _distances(x[own], self.columns, self.centre, self.projection, shift, self.cholesky, constant, out[own])

        with ThreadPoolExecutor(max(threads, 1)) as pool:
            list(pool.map(piece, [slice(a, b) for a, b in pairwise(cuts)]))
        return out

    def outside(self, x: np.ndarray, threads: int = 1) -> np.ndarray:
        """Which rows (n,) of a feature matrix (n, p) are out of domain."""
        return self.distance(x, threads) > self.limit

    def arrays(self, prefix: str = "domain_") -> dict[str, np.ndarray]:
        """The fields as arrays for an .npz file."""
        return {prefix + name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "domain_") -> "Domain":
        """Inverse of `arrays`."""
        read = {name: arrays[prefix + name] for name in cls.__dataclass_fields__}
        return cls(**{**read, "limit": float(read["limit"])})


def domain_columns(names: Sequence[str], without: Sequence[str]) -> np.ndarray:
    """Features that decide the domain: all but `without`, and without the parallax where an absolute magnitude is there."""
    left_out = set(without)
    if any(name.startswith("abs_") for name in names):
        left_out.add("parallax")
    return np.array([k for k, name in enumerate(names) if name not in left_out], dtype=np.int64)


def fit_domain(x: np.ndarray, columns: np.ndarray, quantile: float, seed: int) -> Domain:
    """Describe where the training stars are.

    Parameters
    ----------
    x : ndarray (n, p)
        Features of the training stars, finite.
    columns : ndarray of int
        Features that take part (`domain_columns`).
    quantile : float
        Share of the training stars that are inside (`sages.uncertainty.domain_quantile`).
    seed : int
        Of the start of the mixture and of the draw of at most 20 000 stars that it is fitted to.

    Raises
    ------
    InputError
        When no feature varies.
    """
    from sklearn.mixture import GaussianMixture  # here: the predictions need only the distance

    rng = np.random.default_rng([seed, 0x0D0])
    part = x if len(x) <= MAX_FIT else x[np.sort(rng.choice(len(x), MAX_FIT, replace=False))]
    part = part[:, columns].astype(np.float64)
    # one thread: the order of BLAS's sums would otherwise depend on their number
    with threadpool_limits(1, user_api="blas"):
        centre, projection = _whitening(part)
        components = int(np.clip(len(part) // STARS_A_COMPONENT, 1, COMPONENTS))
        mixture = GaussianMixture(components, reg_covar=1e-4, max_iter=200, random_state=int(rng.integers(2**31)))
        mixture.fit((part - centre) @ projection)
        pieces = (x[k : k + MAX_FIT, columns].astype(np.float64) for k in range(0, len(x), MAX_FIT))
        distance = np.concatenate([-mixture.score_samples((piece - centre) @ projection) for piece in pieces])
    limit = float(np.quantile(distance, quantile))
    return Domain(columns, centre, projection, mixture.weights_, mixture.means_, mixture.precisions_cholesky_, limit)


def _whitening(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and matrix that turn features into uncorrelated numbers of unit variance; linear dependences fall away."""
    centre, scale = x.mean(axis=0), x.std(axis=0)
    varies = scale > 1e-6 * np.maximum(np.abs(centre), 1.0)
    if not varies.any():
        raise InputError("training features", "do not vary", "Check the training sample")
    inverse = np.where(varies, 1.0 / np.where(varies, scale, 1.0), 0.0)
    z = (x - centre) * inverse
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    keep = values > RANK * values[-1]
    return centre, inverse[:, None] * vectors[:, keep] / np.sqrt(values[keep])
