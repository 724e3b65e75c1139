# pomprobe alone, for jobs in a cluster: no shell is needed, no root, nothing is written.
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY probes probes
RUN python -m venv /opt/pomprobe && /opt/pomprobe/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.13-slim
COPY --from=build /opt/pomprobe /opt/pomprobe
ENV PATH=/opt/pomprobe/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["pomprobe"]
