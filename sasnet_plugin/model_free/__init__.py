"""What a curve says without any model: Guinier, slopes, Porod, plateau, maxima, Kratky, regions."""

from .numbers_of import model_free, pair_distances, regions
from .results import Guinier, Kratky, ModelFree, PairDistances, Peak, Plateau, Porod, Refused, Slope

__all__ = [
    "Guinier", "Kratky", "ModelFree", "PairDistances", "Peak", "Plateau", "Porod", "Refused", "Slope",
    "model_free", "pair_distances", "regions",
]  # fmt: skip
