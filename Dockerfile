# One image for every process; which one a container is, its command says.

FROM python:3.11-slim AS wheel
WORKDIR /project
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY . .
RUN pip wheel --no-cache-dir --no-deps --no-index --no-build-isolation --wheel-dir /wheel .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home muster
COPY requirements/services.txt /tmp/
RUN pip install --no-cache-dir --require-hashes -r /tmp/services.txt
COPY --from=wheel /wheel /tmp/
RUN pip install --no-cache-dir --no-deps --no-index /tmp/*.whl

USER muster
# In a container, whoever may reach the port is settled by what is published.
ENV MUSTER_HTTP_HOST=0.0.0.0 \
    MUSTER_HTTP_PORT=8080 \
    MUSTER_METRICS_PORT=9090
EXPOSE 8080 9090
CMD ["muster", "--help"]
