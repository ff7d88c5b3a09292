"""Random numbers that belong to a star, not to a run of the program.

Each number is a pure function of (seed, purpose, star index, column): a counter-based generator. Whatever the chunk
size, order or subset of stars, a star gets the same numbers, and a new purpose changes none of the old ones.

The mixing is the 64-bit finaliser of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA; constants of Stafford's "Mix13").
It is applied to the index and again to index and column together. The key of (seed, purpose) is a BLAKE2b digest.

Distributions are drawn through inverse cumulative functions, so that a variate costs exactly one uniform number.
"""

import hashlib

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def _mix(x: np.ndarray) -> np.ndarray:
    """Finaliser of SplitMix64: a bijection of 64-bit integers whose output bits each hang on all input bits. Overwrites x."""
    x ^= x >> np.uint64(30)
    x *= _MIX_1
    x ^= x >> np.uint64(27)
    x *= _MIX_2
    x ^= x >> np.uint64(31)
    return x


def _key(seed: int, purpose: str) -> np.uint64:
    digest = hashlib.blake2b(f"{int(seed)}:{purpose}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


def integers(seed: int, purpose: str, index: ArrayLike, k: int = 1) -> np.ndarray:
    """64 random bits for each star and column.

    Parameters
    ----------
    seed : int
        Seed of the run.
    purpose : str
        What the numbers are for, such as "true/age" or "lamost/noise". Two purposes share nothing.
    index : array of int64, shape (n,)
        Star indices (any 64-bit integers, negative ones too).
    k : int
        Columns per star. Column j does not depend on k.

    Returns
    -------
    ndarray of uint64, shape (n, k)
    """
    state = np.atleast_1d(np.asarray(index)).astype(np.int64).view(np.uint64)
    if state.ndim != 1:
        raise ValueError(f"index must have one dimension, not {state.ndim}")
    with np.errstate(over="ignore"):
        state = _mix((state + np.uint64(1)) * _GOLDEN ^ _key(seed, purpose))
        columns = np.arange(1, k + 1, dtype=np.uint64) * _GOLDEN
        return _mix(state[:, None] + columns)


def uniforms(seed: int, purpose: str, index: ArrayLike, k: int = 1) -> np.ndarray:
    """Uniform numbers in the open interval (0, 1), float64 (n, k); arguments as in `integers`."""
    # 52 bits and a half step: neither 0 nor 1 can occur
    return ((integers(seed, purpose, index, k) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normals(seed: int, purpose: str, index: ArrayLike, k: int = 1) -> np.ndarray:
    """Standard normal numbers, float64 (n, k); arguments as in `integers`."""
    return special.ndtri(uniforms(seed, purpose, index, k))


# --- inverse cumulative functions: uniform numbers in, variates out -------------------------------------------------


def exponential_of(u: ArrayLike, scale: ArrayLike = 1.0) -> np.ndarray:
    """Exponential variates of mean `scale`."""
    return -np.asarray(scale) * np.log1p(-np.asarray(u))


def gamma_of(u: ArrayLike, shape: float, scale: ArrayLike = 1.0) -> np.ndarray:
    """Gamma variates of mean `shape * scale`."""
    return np.asarray(scale) * special.gammaincinv(shape, np.asarray(u))


def gamma_cdf(x: ArrayLike, shape: float, scale: float = 1.0) -> np.ndarray:
    """Cumulative function of the gamma law, to truncate `gamma_of`."""
    return special.gammainc(shape, np.asarray(x) / scale)


def poisson_of(u: ArrayLike, mean: float) -> np.ndarray:
    """Poisson variates (int64) of one mean."""
    top = int(mean + 12 * np.sqrt(mean) + 20)
    cumulative = special.pdtr(np.arange(top), mean)
    return np.searchsorted(cumulative, np.asarray(u), side="left").astype(np.int64)


def student_of(u: ArrayLike, degrees: float) -> np.ndarray:
    """Student-t variates of unit scale."""
    return special.stdtrit(degrees, np.asarray(u))


def normal_of(u: ArrayLike, mean: ArrayLike = 0.0, sigma: ArrayLike = 1.0, low: ArrayLike = -np.inf, high: ArrayLike = np.inf):
    """Normal variates, truncated to low..high (no rejection: the cumulative interval is mapped)."""
    mean, sigma = np.asarray(mean, float), np.asarray(sigma, float)
    a, b = special.ndtr((low - mean) / sigma), special.ndtr((high - mean) / sigma)
    return np.clip(mean + sigma * special.ndtri(a + (b - a) * np.asarray(u)), low, high)


def choice_of(u: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Numbers 0..m-1 (int64) with the given weights, which need not sum to 1."""
    edges = np.cumsum(np.asarray(weights, float))
    return np.minimum(np.searchsorted(edges / edges[-1], np.asarray(u), side="right"), len(edges) - 1).astype(np.int64)
