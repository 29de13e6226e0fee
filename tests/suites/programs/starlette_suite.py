# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "httpx2[zstd]>=2",
#   "mangum==0.22.0",
#   "opentelemetry-sdk>=1.44",
#   "pytest>=9.1",
#   "starlette[full]==1.10.0",
#   "trio>=0.34",
# ]
# ///
"""Run Starlette's own suite through lambda_asgi: ``starlette_suite.py FOLDER REPORT``."""

import sys

import pytest

if __name__ == "__main__":
    folder, report = sys.argv[1:]
    # The runtime is one of asyncio, and the module is about the test client itself.
    chosen = ["-p", "through", "-k", "not trio", "--ignore", f"{folder}/test_testclient.py"]
    sys.exit(pytest.main([folder, *chosen, "-q", "--junitxml", report]))
