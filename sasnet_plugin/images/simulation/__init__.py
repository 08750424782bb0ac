"""What simulated images of all kinds share: windows, detectors, masks, counting, what they are told from."""
