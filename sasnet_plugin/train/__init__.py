"""Networks, from simulated measurements to a calibrated model of the zoo; nothing else imports Keras."""

from __future__ import annotations

from ..types import SasnetError, describe_install


def backend() -> str:
    """Return Keras' version and backend. Raises SasnetError without Keras."""
    try:
        import keras
    except ImportError as error:
        raise SasnetError(
            f"training needs Keras and a backend ({error}); install them {describe_install('train')}"
        ) from None
    return f"Keras {keras.__version__} on {keras.backend.backend()}"
