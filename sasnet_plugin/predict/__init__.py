"""From measurements to answers: run the network, decode its numbers, say in words what they mean."""

from .curves import Classifier, open_classifier, suggest
from .findings import Answer
from .predictor import Predictor, open_predictor

__all__ = ["Answer", "Classifier", "Predictor", "open_classifier", "open_predictor", "suggest"]
