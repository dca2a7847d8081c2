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
# There is no HEALTHCHECK: it would need a program that asks /healthz, and neither
# this image nor the server has one. Orchestrators ask by themselves: GET /healthz
# (alive) and GET /readyz (send people here) at port 8081.
ENTRYPOINT ["/usr/bin/tavern"]
