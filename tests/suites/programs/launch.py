# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "django==6.1.*; python_version >= '3.12'",
#   "django==5.2.*; python_version < '3.12'",
#   "httptools>=0.9",
#   "litestar>=2.20",
#   "h11>=0.16",
#   "mangum==0.22.0",
#   "mcp==2.3.0",
#   "quart>=0.22",
#   "sse-starlette>=3",
# ]
# ///
"""Start lambda_asgi, its local function URL, or a client, beside packages of others.

Usage: launch.py lambda_asgi | lambda_asgi.local HANDLER… | MODULE ARGUMENT…
"""

import runpy
import sys

if __name__ == "__main__":
    module, *sys.argv[1:] = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
