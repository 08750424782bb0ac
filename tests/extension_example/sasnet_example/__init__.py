"""What this package adds to sasnet; the functions are imported when they are called."""

COMMANDS = {"invariant": "sasnet_example.added:invariant"}
EXPORTERS = {"residuals.csv": "sasnet_example.added:encode_residuals"}
KINDS = {"dots": "dots_domain:DOTS"}
