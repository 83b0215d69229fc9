# The image of every role: one static program, CA certificates, a folder for what is temporary, and
# nobody's rights. `docker build -t claviger .`
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
# The wrapper links the program statically, and not what runs while it is built.
RUN RUSTC_WORKSPACE_WRAPPER=/src/scripts/rustc-static cargo build --locked --release -p claviger \
    && mkdir -p /image/etc/ssl/certs /image/tmp \
    && chmod 1777 /image/tmp \
    && cp target/release/claviger /image/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/

FROM scratch
COPY --from=build /image /
USER 65532:65532
ENTRYPOINT ["/claviger"]
