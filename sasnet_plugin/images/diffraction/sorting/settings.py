"""The numbers that decide how images are sorted, each with its unit and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sorting:
    """Of `sasnet sort`."""

    #: Frames that are embedded at once and kept in one file: a kill loses one part under way, some seconds of
    #: work, and a million frames make some 500 files.
    part: int = 2048
    #: Points that the mixture is fitted to, at most. More change its clusters less than another draw does.
    fitted_to: int = 20_000
    components: int = 10  #: Principal components that are kept, at most; further ones hold noise of counting.
    #: Share of the points' variance that they need not exceed: the covariances of clusters grow with the
    #: square of their number, and with a few hundred images BIC takes too few clusters to pay for them.
    variance: float = 0.995
    most_clusters: int = 12  #: That BIC chooses among.
    starts: int = 4  #: Of the mixture's fit, the best of which is kept.
    #: Added to each variance, on the scale of the first component; few points have no volume else.
    regular: float = 1e-3
    #: Share of the points fitted to that are called noise, those of the least density: outliers.
    noise: float = 0.01
    bootstraps: int = 5  #: Fits to resampled points, which tell how stable the clusters are.
    #: Adjusted Rand index between fits to resampled points from which on clusters are called stable.
    stable: float = 0.8
    shown: int = 12  #: Images of each cluster on the page, representative ones, and as many borderline ones.
    similar: int = 24  #: Images that are listed as like a given one.
    traversed: int = 4  #: Components along which images are shown.


SORTING = Sorting()
