"""A video is cut into parts that are alike inside: kernel temporal segmentation (Potapov et al.
2014, "Category-specific video summarization", section 3.2) over shots instead of frames, so that a
part begins where a shot does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST, MOST = 5, 15
USUAL_S = 600.0  # of hours, more than the fewest parts: one for every ten minutes
SHORTEST_S = 4.0  # a part that nobody would list
LONGEST_ATOM_S = 20.0  # a longer shot is cut into equal pieces, or a video of one shot had no parts
MOST_ATOMS = 600
# What a part more must explain of how much the frames vary: a share of the mean part's, since
# shorter parts explain less, and a multiple of what is left for each piece, which parts of mere
# noise do not reach (docs/experiments/chapters.md).
GAIN, ABOVE_NOISE = 0.35, 2.0


@dataclass(frozen=True, slots=True)
class Atoms:
    """Pieces of a video that are not cut: `starts_s` (N,), rising, the first 0; `means` (N, D) of
    their frames; `weights` (N,) seconds.
    """

    starts_s: np.ndarray
    means: np.ndarray
    weights: np.ndarray


def part_starts(
    times_s: np.ndarray,
    features: np.ndarray,
    cuts_s: np.ndarray,
    duration_s: float,
    count: int | None = None,
) -> list[float]:
    """Where the parts of a video begin, the first at 0.

    `features` (N, D) of frames at `times_s` (N,), rising; `cuts_s` (K,) starts of shots. `count`:
    of parts; None: as many as the video has, from `FEWEST` to `MOST`, fewer of a short one.
    """
    if not len(times_s) or duration_s <= 0:
        return [0.0]
    atoms = merge_atoms(make_atoms(times_s, features, cuts_s, duration_s), MOST_ATOMS)
    longest = max(1, min(len(atoms.starts_s), int(duration_s / SHORTEST_S)))
    fewest, most = (count, count) if count else (_fewest(duration_s), MOST)
    losses, ends = _split(_costs(atoms), atoms, duration_s, min(most, longest))
    number = _choose(losses, len(atoms.starts_s), min(fewest, longest))
    return [round(float(start_s), 3) for start_s in atoms.starts_s[_firsts(ends, number)]]


def _fewest(duration_s: float) -> int:
    return min(MOST, max(FEWEST, round(duration_s / USUAL_S)))


def make_atoms(
    times_s: np.ndarray, features: np.ndarray, cuts_s: np.ndarray, duration_s: float
) -> Atoms:
    """Shots, long ones in equal pieces. Those without a frame belong to the one before."""
    edges = np.unique(np.concatenate([[0.0], cuts_s[(cuts_s > 0) & (cuts_s < duration_s)]]))
    starts: list[float] = []
    for start_s, end_s in zip(edges, [*edges[1:], duration_s], strict=True):
        pieces = max(1, int(np.ceil((end_s - start_s) / LONGEST_ATOM_S)))
        starts += np.linspace(start_s, end_s, pieces, endpoint=False).tolist()
    owner = np.maximum(np.searchsorted(starts, times_s + 1e-6, side="right") - 1, 0)
    kept, first, counts = np.unique(owner, return_index=True, return_counts=True)
    starts_s = np.asarray(starts)[kept]
    starts_s[0] = 0.0
    means = np.add.reduceat(features.astype(np.float64), first, axis=0) / counts[:, None]
    weights = np.diff(np.append(starts_s, duration_s))
    return Atoms(starts_s, means, np.maximum(weights, 1e-3))


def merge_atoms(atoms: Atoms, most: int) -> Atoms:
    """At most so many, of neighbours that are most alike."""
    starts_s, means, weights = (one.copy() for one in (atoms.starts_s, atoms.means, atoms.weights))
    while len(starts_s) > most:
        lost = weights[:-1] * weights[1:] / (weights[:-1] + weights[1:])
        lost = lost * ((means[1:] - means[:-1]) ** 2).sum(axis=1)
        chosen = _apart(np.argsort(lost), len(starts_s) - most, len(lost))
        pairs = weights[chosen] + weights[chosen + 1]
        means[chosen] = (
            weights[chosen, None] * means[chosen] + weights[chosen + 1, None] * means[chosen + 1]
        ) / pairs[:, None]
        weights[chosen] = pairs
        starts_s, means, weights = (
            np.delete(one, chosen + 1, axis=0) for one in (starts_s, means, weights)
        )
    return Atoms(starts_s, means, weights)


def _apart(order: np.ndarray, count: int, size: int) -> np.ndarray:
    """The first `count` places of an order of which no two are neighbours."""
    free, chosen = np.ones(size + 2, bool), []
    for place in order:
        if free[place] and free[place + 1] and free[place + 2] and len(chosen) < count:
            chosen.append(place)
            free[place + 1] = False
    return np.sort(np.array(chosen))


def _costs(atoms: Atoms) -> np.ndarray:
    """(N, N + 1): how much atoms i to j - 1 vary around their mean, as a share of the whole."""
    count = len(atoms.starts_s)
    weighted = atoms.weights[:, None] * atoms.means
    sums = np.vstack([np.zeros(weighted.shape[1]), np.cumsum(weighted, axis=0)])
    squares = np.append(0.0, np.cumsum(atoms.weights * (atoms.means**2).sum(axis=1)))
    lengths = np.append(0.0, np.cumsum(atoms.weights))
    costs = np.full((count, count + 1), np.inf)
    for first in range(count):
        inside = (sums[first + 1 :] - sums[first]) ** 2
        costs[first, first + 1 :] = (
            squares[first + 1 :]
            - squares[first]
            - inside.sum(axis=1) / (lengths[first + 1 :] - lengths[first])
        )
    return np.maximum(costs, 0.0) / max(costs[0, count], 1e-12)


def _split(
    costs: np.ndarray, atoms: Atoms, duration_s: float, most: int
) -> tuple[list[float], list[np.ndarray]]:
    """The least variation that is left with 1 to `most` parts, and for each number where the last
    part begins, by where it ends: dynamic programming.
    """
    count = len(atoms.starts_s)
    edges_s = np.append(atoms.starts_s, duration_s)
    allowed = np.where(edges_s[None, :] - atoms.starts_s[:, None] >= SHORTEST_S, costs, np.inf)
    allowed[0, count] = costs[0, count]
    best = [np.append(np.inf, allowed[0, 1:])]
    begins = [np.zeros(count + 1, np.intp)]
    for _ in range(1, most):
        through = best[-1][:count, None] + allowed
        begins.append(np.argmin(through, axis=0))
        best.append(np.min(through, axis=0))
    return [float(one[count]) for one in best], begins


def _choose(losses: Sequence[float], atoms: int, fewest: int) -> int:
    """The number of parts, at least `fewest` where so many are possible: more as long as each of
    them explains enough.
    """
    best, most = 1, 1
    for number in range(2, len(losses) + 1):
        if not np.isfinite(losses[number - 1]):
            continue
        most = number
        gain = (losses[best - 1] - losses[number - 1]) / (number - best)
        noise = losses[number - 1] / max(1, atoms - number)
        if number <= fewest or gain > max(GAIN / number, ABOVE_NOISE * noise):
            best = number
    return min(best, most)


def _firsts(begins: Sequence[np.ndarray], number: int) -> list[int]:
    """The first atom of each of `number` parts."""
    firsts: list[int] = []
    end = len(begins[0]) - 1
    for part in range(number - 1, -1, -1):
        end = int(begins[part][end])
        firsts.append(end)
    return firsts[::-1]
