# hookline in a container; docs/install.md says how it is run.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY dist/packages.sh dist/
RUN dist/packages.sh build package
COPY . .
ARG SOURCE_DATE_EPOCH
RUN make deb

FROM debian:bookworm-slim
# Numbers that do not change: volumes keep them.
RUN groupadd --system --gid 990 hookline && \
    useradd --system --uid 990 --gid 990 --home-dir /var/lib/hookline --no-create-home --shell /usr/sbin/nologin hookline
COPY --from=build /src/build/hookline_*.deb /tmp/hookline.deb
RUN apt-get update && \
    apt-get install -y --no-install-recommends /tmp/hookline.deb && \
    rm -rf /var/lib/apt/lists/* /tmp/hookline.deb
ENV HOOKLINE_CONFIG=/etc/hookline/hookline.conf.lua HOOKLINE_LISTEN=0.0.0.0:8080
USER 990:990
WORKDIR /etc/hookline
VOLUME /var/lib/hookline
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["hookline", "status"]
ENTRYPOINT ["hookline"]
CMD ["serve"]
