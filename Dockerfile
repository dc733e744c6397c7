# The host and its plugins. scripts/image builds it with docker, podman or buildah.
#   PLUGINS="mqtt file"   only these, and the libraries of these; by default, every plugin there is
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
# Of the compiler's messages; ccache tells them apart.
ARG LANG=C.UTF-8
WORKDIR /src
COPY scripts/install-dependencies scripts/
RUN scripts/install-dependencies --unit --package && rm -rf /var/lib/apt/lists/*
COPY . .
RUN scripts/build && ctest --preset release

FROM build AS files
ARG PLUGINS=""
RUN scripts/image-root /image ${PLUGINS}

FROM ${BASE}
# First the libraries, which stay from one version to the next.
COPY --from=files /image/packages /usr/share/doc/kps-connector-host/
RUN apt-get update && \
    apt-get install -y --no-install-recommends $(cat /usr/share/doc/kps-connector-host/packages) && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* && \
    install -d -o 9999 -g 9999 /connectors/state
COPY --from=files /image/root /
USER 9999:9999
EXPOSE 8000 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["kps-connector-host", "--probe"]
ENTRYPOINT ["kps-connector-host"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kps-connector-host" \
      org.opencontainers.image.description="Runs a connector of the KPS data platform, whose work a plugin does" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
