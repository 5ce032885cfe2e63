# The runner's image: Python, Alembic, SQLAlchemy and psycopg, for migrations that come from a ConfigMap. No Kubernetes
# client, no pip. The runner itself reaches each Job as a file. Build it from the repository's root:
#   docker build -f operator/runner.Dockerfile -t alembic-operator-runner .
# For a release pin the base: --build-arg BASE_IMAGE=docker.io/library/python:3.13-slim@sha256:…
ARG BASE_IMAGE=docker.io/library/python:3.13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY operator/runner-requirements.txt ./
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --no-compile --require-hashes \
      --target /packages -r runner-requirements.txt \
 && rm -rf /packages/bin \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /packages

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title=alembic-operator-runner \
      org.opencontainers.image.description="Runs Alembic migrations that come from a ConfigMap" \
      org.opencontainers.image.licenses=Apache-2.0
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/*-packages/pip* /usr/share/python-wheels \
      /usr/lib/python3*/ensurepip /usr/local/lib/python3*/ensurepip \
 && echo 'nonroot:x:65532:65532::/tmp:/sbin/nologin' >> /etc/passwd \
 && echo 'nonroot:x:65532:' >> /etc/group
COPY --from=build /packages /usr/local/lib/alembic-operator-runner
ENV PYTHONPATH=/usr/local/lib/alembic-operator-runner PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /
USER 65532:65532
CMD ["python3"]
