# syntax=docker/dockerfile:1
# Phys4D as an image. It holds one commit, which a Job compares with the one it was made for.
#
#   docker build --target cuda --build-arg COMMIT=$(git rev-parse HEAD) --tag registry.example/phys4d:0.1.0 .
#
# Target cuda: nodes with NVIDIA GPUs, and all else. Target cpu: smaller, where torch comes without CUDA: give an index
# that has such wheels by pip's own configuration, as a secret that stays out of the image:
#
#   docker build --target cpu --secret id=pip,src=pip.conf --build-arg COMMIT=$(git rev-parse HEAD) ...
#
# BASE is here alone. To move to a newer one, write what this prints after the @:
#
#   docker buildx imagetools inspect docker.io/library/python:3.11-slim-bookworm --format '{{.Manifest.Digest}}'
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:528257d48c1da0dcecc2e725d1ae34498d60c965f1241e39cd6a85a8859bdf84

# The packages alone, of pinned versions: a change of code does not install them again.
# checkov:skip=CKV_DOCKER_2:the same image is servers and Jobs, and Kubernetes probes each by its own means
# checkov:skip=CKV_DOCKER_7:BASE is of one version, by digest
FROM ${BASE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /opt/phys4d
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir components flows && touch components/__init__.py flows/__init__.py
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/venv/bin/pip install -c constraints.txt setuptools \
    && /opt/venv/bin/pip install -c constraints.txt --no-build-isolation -e '.[server]'

FROM ${BASE} AS cpu
RUN groupadd --gid 10001 phys4d \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin phys4d
COPY --from=packages /opt/venv /opt/venv
COPY . /opt/phys4d
# There is no repository in the image: DVC is told so.
RUN printf '[core]\n    no_scm = true\n' > /opt/phys4d/.dvc/config.local
ARG COMMIT
RUN printf '%s' "${COMMIT}" | grep -Eqx '[0-9a-f]{40}' \
    || { echo 'COMMIT: expected --build-arg COMMIT=$(git rev-parse HEAD)' >&2; exit 1; }
LABEL org.opencontainers.image.title="Phys4D" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${COMMIT}"
ENV PATH=/opt/venv/bin:${PATH} \
    PHYS4D_IMAGE_COMMIT=${COMMIT} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DO_NOT_TRACK=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DVC_NO_ANALYTICS=1 \
    MLFLOW_DISABLE_TELEMETRY=true \
    GX_ANALYTICS_ENABLED=false \
    HF_HUB_DISABLE_TELEMETRY=1
WORKDIR /opt/phys4d
USER 10001:10001
CMD ["phys4d", "--help"]

# torch's own wheels bring CUDA's libraries and the node's runtime brings the driver, so the base is the same; a C
# compiler is what torch.compile lacks.
FROM cpu AS cuda
USER 0:0
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
