# DFN Lab's app in one image. `docker build .` takes PyTorch from the default index, on Linux with the CUDA libraries;
# `docker build --build-arg TORCH_INDEX=<address of PyTorch's index of CPU wheels> .` makes a small image for CPUs.
FROM python:3.13-slim

ARG TORCH_INDEX=""

WORKDIR /srv/dfn

# Versions first: this layer is kept as long as they are. What the app does not need is not installed.
COPY requirements.txt pyproject.toml README.md LICENSE ./
COPY dfn dfn
RUN grep -v '^-e' requirements.txt > constraints.txt \
    && pip install --no-cache-dir --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} ".[app]"

COPY .streamlit .streamlit
COPY assets assets
COPY app app

# Nobody in the container is root; what it writes lies in three folders, which are volumes.
RUN useradd --create-home --uid 1000 dfn && mkdir runs data lessons && chown dfn:dfn runs data lessons
USER dfn
VOLUME ["/srv/dfn/runs", "/srv/dfn/data", "/srv/dfn/lessons"]

ENV DFN_RUNS=/srv/dfn/runs \
    DFN_DATA=/srv/dfn/data \
    DFN_LESSONS=/srv/dfn/lessons \
    PYTHONUNBUFFERED=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app/main.py", "--server.port=8501"]
