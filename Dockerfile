# Inception Lab in a container: slim, not root, CPU by default.
#
#   docker build -t inception-lab .
#   docker build -t inception-lab:cuda --build-arg TORCH_BACKEND=cu130 .     (empty: the registry's own torch)
#   docker run --rm -p 127.0.0.1:8501:8501 -v lab-runs:/data/runs -v lab-weights:/data/weights inception-lab
#
# Then http://localhost:8501. To open it under another name: -e STREAMLIT_SERVER_ALLOWED_HOSTS="localhost lab.example".

FROM python:3.12-slim-bookworm

# tini is process 1: it hands signals on, and reaps the runs whose parent has gone.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 lab \
    && mkdir -p /data/runs /data/weights \
    && chown -R lab:lab /data

ENV UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv \
    && python -m pip install --no-cache-dir --disable-pip-version-check "uv>=0.9,<1"

# The libraries change seldom and weigh gigabytes: their layer depends on requirements.txt and nothing else.
ARG TORCH_BACKEND=cpu
WORKDIR /app
COPY requirements.txt ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --python /opt/venv/bin/python ${TORCH_BACKEND:+--torch-backend="$TORCH_BACKEND"} -r requirements.txt

COPY --chown=lab:lab LICENSE app.py ./
COPY --chown=lab:lab .streamlit .streamlit
COPY --chown=lab:lab assets assets
COPY --chown=lab:lab pages pages
COPY --chown=lab:lab inception_lab inception_lab
# static/ is filled by the app at its start, so it belongs to the user who runs it.
RUN mkdir -p static && chown lab:lab . static

ENV PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    INCEPTION_LAB_HOME=/data/runs \
    HF_HOME=/data/weights \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501
USER 1000:1000
VOLUME ["/data/runs", "/data/weights"]
EXPOSE 8501
STOPSIGNAL SIGTERM

# A path that does not exist answers 200 with the page itself, so the body is what counts.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import sys, urllib.request as r; sys.exit(r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4).read() != b'ok')"]

ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "streamlit", "run", "app.py"]
