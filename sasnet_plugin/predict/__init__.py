"""From curves to suggestions: run the network, decode its numbers, say in words what they mean."""

from sasnet_plugin.predict.classifier import Classifier, open_classifier
from sasnet_plugin.predict.decode import Decoded, decode
from sasnet_plugin.predict.runtime import Outputs, Runtime
from sasnet_plugin.predict.suggestion import suggest

__all__ = ["Classifier", "Decoded", "Outputs", "Runtime", "decode", "open_classifier", "suggest"]
