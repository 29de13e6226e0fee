# The server, without a compiler, a shell's user or anything to write to:
#   docker build -t tokenwire .
#   docker run -p 8000:8000 -e TOKENWIRE_API_KEYS=… -e OPENAI_API_KEY=… --read-only tokenwire
# BASE needs CPython 3.11 or later with its venv module, as Debian and the official images have it.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_LINK_MODE=copy UV_NO_CACHE=1
WORKDIR /src
COPY scripts/requirements/tools.txt ./
RUN python3 -m venv /tools && /tools/bin/python -m pip install --quiet --no-cache-dir \
      --disable-pip-version-check --require-hashes --only-binary :all: -r tools.txt
# The packages of the lock file, each verified with its hash: a layer that changes with it alone.
COPY pyproject.toml uv.lock ./
COPY layers/lambda_asgi/pyproject.toml layers/lambda_asgi/
RUN /tools/bin/uv export --quiet --frozen --no-default-groups --extra server --extra otel \
      --no-emit-workspace -o locked.txt \
    && /tools/bin/uv venv --quiet --python "$(command -v python3)" /app \
    && /tools/bin/uv pip install --quiet --require-hashes --only-binary :all: --compile-bytecode \
      --python /app/bin/python -r locked.txt
COPY functions/proxy/tokenwire functions/proxy/tokenwire
COPY layers/lambda_asgi/lambda_asgi layers/lambda_asgi/lambda_asgi
RUN packages=$(/app/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
    && mv functions/proxy/tokenwire layers/lambda_asgi/lambda_asgi "$packages" \
    && /app/bin/python -m compileall -q "$packages/tokenwire" "$packages/lambda_asgi" \
    && find /app \( -name '*.pyi' -o -name '*.pyx' -o -name '*.c' -o -name '*.h' \) -delete

FROM ${BASE}
COPY --from=build /app /app
# Bytecode is there; nothing is written, so the root file system may be read-only.
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    TOKENWIRE_HOST=0.0.0.0 TOKENWIRE_PORT=8000
# tokenwire.toml is looked for here: -v ./tokenwire.toml:/config/tokenwire.toml:ro
WORKDIR /config
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['TOKENWIRE_PORT'] + '/healthz', timeout=2)"]
ENTRYPOINT ["python", "-m", "tokenwire"]
CMD ["serve"]
