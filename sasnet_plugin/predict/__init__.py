"""From measurements to answers: run the network, decode its numbers, say in words what they mean."""

from .findings import Answer
from .predictor import Classifier, Predictor, open_classifier, open_predictor, suggest

__all__ = ["Answer", "Classifier", "Predictor", "open_classifier", "open_predictor", "suggest"]
