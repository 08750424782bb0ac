"""Pages in the browser, served on this machine alone: `sasnet tag`; routes for each purpose in `routes/`."""
