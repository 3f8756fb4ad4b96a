# The workers: one image for uploaded models (queue `compute` or `inspect`) and for remote endpoints (queue `probe`).
#
#   docker build -f docker/worker.Dockerfile --target cpu -t brinell-worker .
#   docker build -f docker/worker.Dockerfile --target cuda -t brinell-worker-cuda .
#
# PyPI's torch for Linux carries CUDA (several GB). For a small `cpu` image, name an index that offers the CPU build
# (pytorch.org, "Get started", tells it): --build-arg PIP_EXTRA_INDEX_URL=URL

FROM python:3.11.14-slim-bookworm AS base

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin brinell \
    && install --directory --owner=brinell --group=brinell /var/lib/brinell

WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE docker/*.lock ./
ENV ORT_DISABLE_TELEMETRY=1
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=3 \
    CMD ["python", "-m", "workers.health"]
CMD ["python", "-m", "celery", "-A", "workers.app", "worker", "-Q", "compute", \
    "--without-gossip", "--without-mingle", "--pool", "prefork", "--concurrency", "1"]

# All but torch and what its CUDA build brings is locked by hash: which build of torch there is depends on the index.
#
# The editable install leaves a .pth that puts /app on the path of every interpreter. The runner child needs that: it
# starts with `python -I` in an empty directory.

FROM base AS cuda
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement worker-gpu.lock \
    && pip install --no-cache-dir --no-build-isolation --constraint constraints.txt --editable ".[workers,gpu]" && pip check
COPY algorithms algorithms
COPY models models
COPY jobs jobs
COPY audits audits
COPY workers workers
RUN python -I -c "import algorithms.driver.running" && python -m compileall -q algorithms jobs models workers
USER 10001

FROM base AS cpu
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement worker-cpu.lock \
    && pip install --no-cache-dir --no-build-isolation --constraint constraints.txt --editable ".[workers,cpu]" && pip check
COPY algorithms algorithms
COPY models models
COPY jobs jobs
COPY audits audits
COPY workers workers
RUN python -I -c "import algorithms.driver.running" && python -m compileall -q algorithms jobs models workers
USER 10001
