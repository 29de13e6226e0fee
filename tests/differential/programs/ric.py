# /// script
# requires-python = ">=3.11"
# dependencies = ["awslambdaric==4.2.2", "mangum==0.22.0"]
# ///
"""AWS's Python runtime, awslambdaric, with the script behind Mangum."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

if __name__ == "__main__":
    from awslambdaric.__main__ import main

    sys.argv = ["awslambdaric", "ric.handler"]
    main(sys.argv)
else:
    from mangum import Mangum

    from tests.differential.programs.asgi import app

    handler = Mangum(app)
