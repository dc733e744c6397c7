# hello_server.cc in an image that is made as the host's own is: kps:build is that one's first stage.
ARG BASE=debian:bookworm-slim

FROM kps:build AS build
RUN install -D -s -t /image/root/usr/local/bin build/release/tests/hello-server && \
    scripts/needed-packages build/release/tests/hello-server >/image/packages

FROM ${BASE}
COPY --from=build /image/packages /usr/share/doc/hello-server/
RUN apt-get update && apt-get install -y --no-install-recommends $(cat /usr/share/doc/hello-server/packages) && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*
COPY --from=build /image/root /
