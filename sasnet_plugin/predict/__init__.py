"""From measurements to answers: run the network, decode its numbers, say in words what they mean."""

from sasnet_plugin.predict.curves import Classifier, open_classifier, suggest
from sasnet_plugin.predict.findings import Answer
from sasnet_plugin.predict.predictor import Predictor, open_predictor

__all__ = ["Answer", "Classifier", "Predictor", "open_classifier", "open_predictor", "suggest"]
