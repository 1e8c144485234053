# The appliance on an NVIDIA GPU (training extra included). It also runs without one: set
# IDP_READ__DEVICE=cpu. onnxruntime-gpu 1.31 is built for CUDA 13 and cuDNN 9.
FROM nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04

SHELL ["/bin/bash", "-o", "pipefail", "-c"]

ENV DEBIAN_FRONTEND=noninteractive \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1

# poppler is the second opinion on PDFs that PDFium refuses. Versions follow the base image's
# release, which is pinned above.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends poppler-utils python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/idp

# The locks first: a change of code does not install everything again.
COPY locks locks
COPY scripts scripts
COPY pyproject.toml README.md LICENSE ./
COPY idp idp
COPY training training
COPY review_ui review_ui
COPY rules rules
COPY models models

RUN PYTHON=python3 VENV=/opt/venv IDP_ACCELERATOR=gpu scripts/install train \
    && groupadd --gid 10001 idp && useradd --create-home --uid 10001 --gid 10001 idp \
    && install -d -o idp -g idp /data

ENV PATH="/opt/venv/bin:$PATH" \
    IDP_DATA=/data \
    IDP_READ__DEVICE=gpu:0 \
    IDP_SERVE__HOST=0.0.0.0

USER 10001:10001
VOLUME /data
EXPOSE 8600
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8600/healthz', timeout=4)"]

ENTRYPOINT ["idp"]
CMD ["run"]
