"""Tests of tokenwire and lambda_asgi."""

import os
import sys

# Many container images set it. Without bytecode each of the hundreds of processes that tests start
# compiles what it imports: a server then takes 1.9 s of CPU time to start, with bytecode 0.7.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
