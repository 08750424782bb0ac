"""``python -m sasnet_plugin`` is the command ``sasnet``."""

import os
import sys

if __name__ == "__main__":
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() != home:
        del sys.path[0]  # the current folder holds data, not modules

    from sasnet_plugin.cli.main import main

    main()
