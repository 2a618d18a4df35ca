"""What a follow graph is like, in numbers: to see whether one that was made is like a real one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]

PERCENTILES = (10, 50, 90, 99, 99.9, 100)
#: So many users, and so many pairs of neighbours of each, are looked at for the clustering.
SAMPLE, PAIRS = 10_000, 100
#: The clustering falls with the number of neighbours: it is stated for users with 2 to 9 of them, and so on.
NEIGHBOURS = (2, 10, 20, 50, 100, 200, 500)


def properties(followers: Keys, followed: Keys) -> dict[str, str]:
    """Return what can be said about the graph with these edges, as it is printed."""
    users = int(max(followers.max(), followed.max())) + 1
    following, fans = (np.bincount(side, minlength=users)[1:] for side in (followers, followed))
    found = {"users": f"{users - 1:,}", "edges": f"{len(followers):,}"}
    for what, degrees in (("following", following), ("followers", fans)):
        levels = np.percentile(degrees, PERCENTILES, method="lower")
        found |= {f"{what}, p{level:g}": f"{degree:,}" for level, degree in zip(PERCENTILES, levels, strict=True)}
        found[f"{what}, exponent of the tail"] = f"{tail_exponent(degrees):.1f}"
    both = np.corrcoef(np.log1p(following), np.log1p(fans))[0, 1]
    found["correlation of following and followers (logarithms)"] = f"{both:.2f}"
    found["reciprocity"] = f"{reciprocity(followers, followed, users):.2f}"
    found["reciprocity without the most followed"] = f"{reciprocity(*_others(followers, followed), users):.2f}"
    return found | clustering(followers, followed, users)


def tail_exponent(degrees: Keys, share: float = 0.01) -> float:
    """Return the exponent of the density of a power law, estimated by Hill's way from the highest hundredth."""
    ranked = np.sort(degrees)[::-1].astype(np.float64)
    many = max(2, int(len(ranked) * share))
    return 1 + many / float(np.log(ranked[:many] / max(ranked[many], 1)).sum())


def reciprocity(followers: Keys, followed: Keys, users: int) -> float:
    """Return the share of edges whose opposite is there too."""
    return float(_among(np.sort(followers * users + followed), followed * users + followers).mean())


def clustering(followers: Keys, followed: Keys, users: int) -> dict[str, str]:
    """Return how likely two neighbours of a user (who follow or are followed) are neighbours, over a sample of users."""
    random = np.random.default_rng(1)
    edges = np.unique(np.minimum(followers, followed) * users + np.maximum(followers, followed))
    one, other = np.concatenate([edges // users, edges % users]), np.concatenate([edges % users, edges // users])
    neighbours = other[np.argsort(one, kind="stable")]
    degrees = np.bincount(one, minlength=users)
    start = np.cumsum(degrees) - degrees
    sample = random.permutation(np.flatnonzero(degrees > 1))[:SAMPLE]
    of = np.repeat(sample, PAIRS)
    first = (random.random(len(of)) * degrees[of]).astype(np.int64)
    second = (first + 1 + (random.random(len(of)) * (degrees[of] - 1)).astype(np.int64)) % degrees[of]
    left, right = neighbours[start[of] + first], neighbours[start[of] + second]
    linked = _among(edges, np.minimum(left, right) * users + np.maximum(left, right)).reshape(-1, PAIRS).mean(axis=1)
    found = {"clustering, mean over users": f"{linked.mean():.2f}"}
    for low, high in zip(NEIGHBOURS, [*NEIGHBOURS[1:], users], strict=True):
        these = linked[(degrees[sample] >= low) & (degrees[sample] < high)]
        if len(these):
            name = f"clustering, {low} to {high - 1} neighbours" if high < users else f"clustering, {low} or more"
            found[name] = f"{these.mean():.2f}"
    return found


def _others(followers: Keys, followed: Keys) -> tuple[Keys, Keys]:
    others = followed != np.argmax(np.bincount(followed))
    return followers[others], followed[others]


def _among(ascending: Keys, wanted: Keys) -> NDArray[np.bool_]:
    """Return for each of *wanted* whether it is among the others."""
    found: NDArray[np.bool_] = ascending[np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)] == wanted
    return found
