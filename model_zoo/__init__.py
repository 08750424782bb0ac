"""The trained models that ship with sasnet: data only, listed in registry.json."""
