"""Forward pass, gradient and Adam steps of many networks in one computation, in JAX; float32 throughout, TF32 never.

A convolution is a product with a block-Toeplitz matrix: pixels are cut into blocks of 16, an output block is the input block and
its right neighbours times one matrix that repeats the kernel, shifted by a pixel a column. It costs 3 times the multiplications of
the convolution itself, but 100 networks make 100 matrix products of a good shape out of it, where libraries of convolutions would be
handed 100 groups of a few channels. There is no scatter in its gradient, so that sums are added in one order.

Weights are vectors in the order of `network.py`, one row a network. Importing this module imports JAX.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .errors import InputError
from .network import Architecture, unknown_layers, unpack

_BLOCK = 16          # pixels of a block
#: Layers that `_forward` computes, as `network.unknown_layers` takes them.
LAYERS = {"convolution": 3, "dense": 2, "photometric": 2, "joined": 2, "labels": 2}


def _product(a, b):
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def _toeplitz(kernel, neighbours: int):
    """Kernel (k, c, o) as the matrix that leads from (1 + neighbours) blocks (pixels x c) to a block (pixels x o)."""
    size, channels, filters = kernel.shape
    rows = _BLOCK * (1 + neighbours)
    # the kernel and zeros, rows + 1 in all: read on in rows of `rows`, each row begins one further back
    pattern = jnp.pad(kernel, ((0, rows + 1 - size), (0, 0), (0, 0)))
    shifted = jnp.tile(pattern, (_BLOCK, 1, 1))[: _BLOCK * rows].reshape(_BLOCK, rows, channels, filters)
    return shifted.transpose(1, 2, 0, 3).reshape(rows * channels, _BLOCK * filters)


def _features(layers, flux, a: Architecture):
    """Spectra (n, pixels) -> features (n, features); what stands beyond the last valid pixel is cut off at the end."""
    x = jnp.pad(flux, ((0, 0), (0, -a.pixels % _BLOCK))).reshape(len(flux), -1, _BLOCK)
    blocks, neighbours = x.shape[1], -(-(a.kernel - 1) // _BLOCK)
    for k in range(1, len(a.filters) + 1):
        kernel, bias = layers[f"convolution_{k}"]
        x = jnp.pad(x, ((0, 0), (0, neighbours), (0, 0)))
        windows = jnp.concatenate([x[:, j : j + blocks] for j in range(neighbours + 1)], axis=-1)
        x = _leaky(_product(windows, _toeplitz(kernel, neighbours)) + jnp.tile(bias, _BLOCK), a.slope)
    return x.reshape(len(flux), -1)[:, : a.features]


def _leaky(u, slope):
    return jnp.where(u > 0, u, slope * u)


def _forward(layers, flux, inputs, factors, a: Architecture):
    """Outputs (n, outputs) of one network; factors (n, features) of the dropout, or None.

    Raises
    ------
    InputError
        For a layer that is not computed here.
    """
    unknown = unknown_layers(a, LAYERS)
    if unknown:
        raise InputError("rave.fit.engine", f"is jax, which does not know the layer {', '.join(unknown)}", "Take the engine keras, or auto")

    def dense(x, name):
        kernel, bias = layers[name]
        return _product(x, kernel) + bias

    branches = []
    if a.pixels:
        features = _features(layers, flux, a)
        branches.append(_leaky(dense(features if factors is None else features * factors, "dense"), a.slope))
    if a.inputs:
        branches.append(_leaky(dense(inputs, "photometric"), a.slope))
    return dense(_leaky(dense(jnp.concatenate(branches, axis=1), "joined"), a.slope), "labels")


def dropout_factors(key, rows: int, a: Architecture):
    """The factors 0 or 1 / (1 - rate) of one batch, (rows, features) in Keras' order; `network_numba.dropout_factors` to the bit."""
    rate = float(np.float32(a.dropout))
    z = jnp.arange(rows * a.features, dtype=jnp.uint32) ^ key
    z ^= z >> 16
    z *= jnp.uint32(0x7FEB352D)
    z ^= z >> 15
    z *= jnp.uint32(0x846CA68B)
    z ^= z >> 16
    return jnp.where(z >= np.uint32(rate * 2**32), np.float32(1 / (1 - rate)), np.float32(0)).reshape(rows, a.features)


def _loss(layers, flux, inputs, labels, shares, factors, a: Architecture):
    """Mean loss of a batch; shares (n,) of its rows, 0 for those that only fill it up."""
    out = _forward(layers, flux, inputs, factors, a)
    squares = jnp.square(out[:, : a.labels] - labels)
    if a.loss == "nll":
        spread = out[:, a.labels :]
        squares = 0.5 * (jnp.exp(-spread) * squares + spread)
    return jnp.sum(shares * jnp.mean(squares, axis=1))


def gradient(weights, flux, inputs, labels, shares, key, a: Architecture):
    """Loss and gradient of one batch of one network.

    Parameters
    ----------
    weights : array (p,)
    flux, inputs, labels : array (b, pixels), (b, inputs), (b, labels)
    shares : array (b,)
        1 / (spectra of the batch), or 0 for a row that does not count.
    key : uint32
        Of the dropout factors.

    Returns
    -------
    loss : array ()
    gradient : array (p,)
    """
    factors = dropout_factors(key, len(flux), a) if a.features and a.dropout > 0 else None
    loss, found = jax.value_and_grad(_loss)(unpack(weights, a), flux, inputs, labels, shares, factors, a)
    return loss, jnp.concatenate([part.ravel() for layer in a.layers for part in found[layer.name]])


@partial(jax.jit, static_argnames="a", donate_argnums=0)
def train_epoch(state, sample, orders, keys, shares, rates, epsilon, a: Architecture):
    """Train m networks for one epoch.

    Parameters
    ----------
    state : tuple of three arrays (m, p)
        Weights and the moments of their gradients; given up to the result.
    sample : tuple of arrays (n, pixels), (n, inputs), (n, labels)
    orders : array (batches, m, b) of int32
        Rows of the sample.
    keys : array (batches, m) of uint32
    shares : array (batches, b)
        As of `gradient`.
    rates : array (batches,)
        Learning rate of each step with Adam's corrections for the short past.
    epsilon : float

    Returns
    -------
    state : as given
    losses : array (batches, m)
        Mean loss of each batch.
    """
    many = jax.vmap(partial(gradient, a=a), in_axes=(0, 0, 0, 0, None, 0))

    def step(state, given):
        (weights, mean, square), (rows, key, share, rate) = state, given
        loss, g = many(weights, *(x.at[rows].get(mode="promise_in_bounds") for x in sample), share, key)
        mean += (g - mean) * np.float32(0.1)
        square += (g * g - square) * np.float32(0.001)
        return (weights - rate * mean / (jnp.sqrt(square) + epsilon), mean, square), loss

    return lax.scan(step, state, (orders, keys, shares, rates))


@partial(jax.jit, static_argnames="a")
def outputs(weights, flux, inputs, a: Architecture):
    """Outputs (blocks, m, rows, outputs) of m networks for stars in blocks, (blocks, rows, pixels) and (blocks, rows, inputs)."""
    one = lambda w, x, y: _forward(unpack(w, a), x, y, None, a)          # noqa: E731
    return lax.map(lambda block: jax.vmap(one, in_axes=(0, None, None))(weights, *block), (flux, inputs))


@partial(jax.jit, static_argnames="a")
def moments(weights, flux, inputs, a: Architecture):
    """Mean over networks (m, p) of the labels' outputs for stars, and the sum of squares around it (Welford's update).

    Float64 where JAX is allowed to (`jax.enable_x64`); the networks themselves stay float32.
    """

    def step(sums, network):
        (mean, squares), (number, w) = sums, network
        out = _forward(unpack(w, a), flux, inputs, None, a)[:, : a.labels].astype(mean.dtype)
        shift = out - mean
        mean += shift / number
        return (mean, squares + shift * (out - mean)), None

    zero = jnp.zeros((len(flux), a.labels), float)
    return lax.scan(step, (zero, zero), (jnp.arange(1, len(weights) + 1, dtype=zero.dtype), weights))[0]
