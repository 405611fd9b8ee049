"""Few numbers that make scores mean what they say, and labels balanced. Knows nothing of models."""

import numpy as np
from numpy.typing import NDArray


def fit(
    labels: NDArray[np.integer],
    logits: NDArray[np.floating],
    weights: NDArray[np.floating] | None = None,
) -> float:
    """Return the temperature by which logits (rows, 3) are divided for the smallest weighted cross-entropy.

    Logarithms of probabilities serve as logits. weights: one per row, None for equal ones. The answer lies
    between 0.2 and 5. Guo et al. 2017, On Calibration of Modern Neural Networks.
    """
    low, high = np.log(0.2), np.log(5.0)
    # The loss has one minimum over 1/temperature, so a golden-section search finds it.
    ratio = (np.sqrt(5.0) - 1) / 2
    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _loss(labels, logits / np.exp(left), weights) < _loss(labels, logits / np.exp(right), weights):
            high = right
        else:
            low = left
    return round(float(np.exp((low + high) / 2)), 4)


def offsets(
    labels: NDArray[np.integer],
    logits: NDArray[np.floating],
    weights: NDArray[np.floating],
    steps: int = 2000,
) -> NDArray[np.float64]:
    """Return what to add to each class's logit for the smallest weighted cross-entropy; they sum to zero.

    labels, weights: one per row of logits (rows, 3). A training mix knows each label more or less often
    than what the model will read, and its last steps lean to one side.
    """
    shares = weights / weights.sum()
    wanted = np.bincount(labels, weights=shares, minlength=logits.shape[1])
    found = np.zeros(logits.shape[1])
    for _ in range(steps):
        moved = logits + found
        chances = np.exp(moved - moved.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        found += wanted - shares @ chances
    balanced: NDArray[np.float64] = found - found.mean()
    return balanced


def _loss(
    labels: NDArray[np.integer], logits: NDArray[np.floating], weights: NDArray[np.floating] | None
) -> float:
    shifted = logits - logits.max(1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    return float(np.average(np.log(np.exp(shifted).sum(1)) - chosen, weights=weights))
