"""Logistic regression with weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

RIDGE = 1e-4  # keeps the steps finite where a feature separates all
STEPS = 50


def fit_logistic(features: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients (F + 1,), the constant last, of features (N, F) to outcomes (N,) in {0, 1} with
    weights (N,): iteratively reweighted least squares.
    """
    design = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    weights = weights / weights.mean()
    solution = np.zeros(design.shape[1])
    for _ in range(STEPS):
        promised = probabilities(solution, features)
        slope = weights * promised * (1 - promised)
        gradient = design.T @ (weights * (right - promised)) - RIDGE * solution
        curvature = (design * slope[:, None]).T @ design + RIDGE * np.eye(len(solution))
        step = np.linalg.solve(curvature, gradient)
        solution = solution + step
        if np.abs(step).max() < 1e-9:
            break
    return solution


def probabilities(solution: np.ndarray, features: np.ndarray) -> np.ndarray:
    """(N,) of features (N, F)."""
    odds = features @ solution[:-1] + solution[-1]
    return 1 / (1 + np.exp(-np.clip(odds, -30, 30)))


def left_out(
    features: np.ndarray, right: np.ndarray, weights: np.ndarray, clusters: Sequence[str]
) -> np.ndarray:
    """Probabilities (N,), each from a fit without any row of its own cluster."""
    promised = np.zeros(len(right))
    for test in folds(clusters):
        solution = fit_logistic(features[~test], right[~test], weights[~test])
        promised[test] = probabilities(solution, features[test])
    return promised


def folds(clusters: Sequence[str], count: int = 10) -> Iterator[np.ndarray]:
    """Masks (N,) of `count` parts that split no cluster."""
    names = sorted(set(clusters))
    fold = {name: place % count for place, name in enumerate(names)}
    places = np.array([fold[name] for name in clusters])
    for number in range(min(count, len(names))):
        yield places == number
