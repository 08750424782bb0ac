"""Which measurement to make next: what would decide between the models that are still possible."""
