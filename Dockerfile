# docker build -t tavern --build-arg VERSION=1.2.0 .
# docker run -p 8081:8081 -v tavern:/data --ulimit nofile=524288 tavern
#
# Settings are environment variables, as in `docker run -e TAVERN_MAX_PLAYERS=5000`.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=1 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/tavern ./server \
 && mkdir /out/data

# The same Debian as above: the program uses its C library.
FROM debian:bookworm-slim
# For -domain: the certificate authority is itself asked over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/tavern /usr/bin/tavern
COPY --from=build --chown=65532:65532 /out/data /data
# No name is needed, and a number lets Kubernetes see that it is not root.
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8081
ENV TAVERN_DB=/data/tavern.db
STOPSIGNAL SIGTERM
# It reads the same variables as the server, so it finds the port, also with TLS;
# flags behind `docker run tavern` it does not see.
# Alive, not ready: a server that cannot save for a while must not lose its players.
# Orchestrators may ask by themselves: GET /healthz and GET /readyz at port 8081.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["/usr/bin/tavern", "health"]
ENTRYPOINT ["/usr/bin/tavern"]
