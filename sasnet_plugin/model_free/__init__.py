"""What a curve says without any model: Guinier, slopes, Porod, plateau, maxima, dimensionless Kratky."""

from .numbers_of import guinier_of, kratky_of, model_free, peaks_of, porod_of
from .results import Guinier, Kratky, ModelFree, Peak, Plateau, Porod, Refused, Slope

__all__ = [
    "Guinier", "Kratky", "ModelFree", "Peak", "Plateau", "Porod", "Refused", "Slope",
    "guinier_of", "kratky_of", "model_free", "peaks_of", "porod_of",
]  # fmt: skip
