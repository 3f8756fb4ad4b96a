# The API process. It holds no tensor library: uploaded models are opened by the workers alone.
#
#   docker build -f docker/service.Dockerfile -t brinell-service .

FROM python:3.11.14-slim-bookworm

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin brinell \
    && install --directory --owner=brinell --group=brinell /var/lib/brinell

WORKDIR /app
COPY pyproject.toml README.md LICENSE docker/service.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement service.lock
# The editable install leaves a .pth that puts /app on the path of every interpreter, `python -I` included.
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable ".[service]" && pip check

COPY algorithms algorithms
COPY models models
COPY jobs jobs
COPY audits audits
COPY service service
RUN python -I -c "import service.app"

USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-I", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "service.main", "--host", "0.0.0.0"]
