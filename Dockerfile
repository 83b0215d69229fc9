# The image of every role: one static program, CA certificates, a folder for what is temporary, and
# nobody's rights. `docker build -t claviger .`
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
# --target keeps the static linking away from what runs while it is built. Relocations are packed, for
# every process reads all of them when it starts, and what it has read is resident: a megabyte else.
RUN target=$(rustc -vV | sed -n 's/^host: //p') \
    && RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" cargo build --locked --release -p claviger --target "$target" \
    && mkdir -p /image/etc/ssl/certs /image/tmp \
    && chmod 1777 /image/tmp \
    && cp "target/$target/release/claviger" /image/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/

FROM scratch
COPY --from=build /image /
USER 65532:65532
ENTRYPOINT ["/claviger"]
