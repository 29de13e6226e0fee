# /// script
# requires-python = ">=3.11"
# dependencies = ["uvicorn==0.54.0"]
# ///
"""The script behind uvicorn, for AWS's Web Adapter."""

import os
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.differential.programs.asgi import app

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["AWS_LWA_PORT"]), log_level="warning")
