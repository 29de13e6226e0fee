# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "a2wsgi>=1.10",
#   "dirty-equals>=0.11",
#   "email-validator>=2.3",
#   "fastapi==0.165.0",
#   "flask>=3.1",
#   "httpx2>=2",
#   "httpx>=0.28,<1",
#   "inline-snapshot>=0.32",
#   "itsdangerous>=2.2",
#   "jinja2>=3.1.6",
#   "mangum==0.22.0",
#   "opentelemetry-exporter-otlp-proto-http>=1.44",
#   "opentelemetry-sdk>=1.44",
#   "orjson>=3.11",
#   "pwdlib[argon2]>=0.3",
#   "pydantic-extra-types>=2.11",
#   "pydantic-settings>=2.14",
#   "pyjwt>=2.10",
#   "pytest-timeout>=2.4",
#   "pytest-xdist>=3.8",
#   "pytest>=9.1",
#   "python-multipart>=0.0.22",
#   "pyyaml>=6",
#   "sqlmodel>=0.0.31",
#   "strawberry-graphql>=0.287,<1",
#   "trio>=0.34",
#   "ujson>=5.11",
#   "uvicorn>=0.40",
# ]
# ///
"""Run FastAPI's own suite through lambda_asgi: ``fastapi_suite.py FOLDER REPORT``.

The folder of telemetry takes part without the modules about Logfire and Sentry. Left out as well is
what sends no request: benchmarks, and the tools of FastAPI's maintainers.
"""

import sys

import pytest

_LEFT_OUT = (
    "benchmarks",
    "memory_benchmarks",
    "test_fastapi_cli.py",
    "test_prepare_release.py",
    "test_translate.py",
    "test_telemetry/test_background.py",
    "test_telemetry/test_environment_integrations.py",
    "test_telemetry/test_integrations.py",
    "test_telemetry/test_native_integrations.py",
    "test_telemetry/test_runtime.py",
)

if __name__ == "__main__":
    folder, report = sys.argv[1:]
    ignored = [f"--ignore={folder}/{path}" for path in _LEFT_OUT]
    sys.exit(pytest.main([folder, *ignored, "-p", "through", "-q", "--junitxml", report]))
