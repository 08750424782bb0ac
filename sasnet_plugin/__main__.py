"""``python -m sasnet_plugin`` is the command ``sasnet``."""

from sasnet_plugin.cli.main import main

if __name__ == "__main__":
    main()
