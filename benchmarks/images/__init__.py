"""Images that other code made: oriented samples, gratings, single particles, tags."""
