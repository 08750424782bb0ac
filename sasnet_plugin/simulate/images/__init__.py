"""What simulated images of all kinds share: windows, detectors, masks, how they are measured."""
