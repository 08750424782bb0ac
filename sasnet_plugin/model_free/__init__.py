"""What a curve says without any model: Guinier, slopes, Porod, plateau, maxima, dimensionless Kratky."""

from .numbers_of import model_free
from .results import Guinier, Kratky, ModelFree, Peak, Plateau, Porod, Refused, Slope

__all__ = [
    "Guinier", "Kratky", "ModelFree", "Peak", "Plateau", "Porod", "Refused", "Slope", "model_free",
]  # fmt: skip
