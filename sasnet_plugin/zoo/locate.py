"""Find the folder of trained models: named by the user, installed with the package, or in a checkout."""

from __future__ import annotations

import os
from pathlib import Path

from sasnet_plugin.types import ModelZooError

ENVIRONMENT = "SASNET_MODEL_ZOO"
REGISTRY = "registry.json"


def zoo_folder() -> Path:
    """Return the model zoo's folder.

    Looked for in this order: the environment variable ``SASNET_MODEL_ZOO``; ``model_zoo`` inside the
    package; ``model_zoo`` beside the package (a checkout, or a wheel that installs it as its own
    top-level folder).

    Returns
    -------
    Path
        A folder that holds ``registry.json``.

    Raises
    ------
    ModelZooError
        No such folder, or the one that the environment names holds no registry.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        folder = Path(named).expanduser()
        if not (folder / REGISTRY).is_file():
            raise ModelZooError(
                f"{folder}: {ENVIRONMENT} points here, but there is no {REGISTRY};"
                " point it to a model_zoo folder, or unset it to use the installed one."
            )
        return folder
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "model_zoo", package.parent / "model_zoo"):
        if (folder / REGISTRY).is_file():
            return folder
    raise ModelZooError(
        f"{package.parent / 'model_zoo'}: no trained models are installed here; reinstall sasnet-plugin,"
        f" or set {ENVIRONMENT} to a model_zoo folder."
    )
