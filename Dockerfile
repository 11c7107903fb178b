# The collectors in a container; docs/operating.md says how to run it.
#
# Package managers take their sources from the base image. Where a build has to use others, pass
# configuration as secrets (scripts/tasks/test_docker.ts does): it stays out of the image.

# Debian 12 or newer.
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${BASE_IMAGE} AS build
ENV DEBIAN_FRONTEND=noninteractive
WORKDIR /opt/tapio-bpf
RUN --mount=type=secret,id=apt_sources,target=/etc/apt/sources.list.d/build.sources \
    --mount=type=secret,id=apt_list,target=/etc/apt/sources.list.d/build.list \
    --mount=type=secret,id=apt_conf,target=/etc/apt/apt.conf.d/99build \
    --mount=type=secret,id=ca \
    apt-get update -q \
 && echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/build \
 && apt-get install -q -y --no-install-recommends \
    binutils clang emscripten g++ libbpf-dev libc6-dev libelf-dev llvm make npm pkg-config zlib1g-dev

COPY package.json package-lock.json .npmrc ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc \
    --mount=type=secret,id=ca \
    if [ -f /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi \
 && npm ci --no-audit --no-fund

# uBPF comes with the build context where the clone was set up, else from the crate registry.
COPY scripts scripts
COPY third_party third_party
RUN --mount=type=secret,id=apt_sources,target=/etc/apt/sources.list.d/build.sources \
    --mount=type=secret,id=apt_list,target=/etc/apt/sources.list.d/build.list \
    --mount=type=secret,id=apt_conf,target=/etc/apt/apt.conf.d/99build \
    --mount=type=secret,id=cargo_config,target=/root/.cargo/config.toml \
    --mount=type=secret,id=ca \
    if [ ! -f third_party/ubpf/vm/ubpf_vm.c ]; then \
        apt-get install -q -y --no-install-recommends ca-certificates cargo; \
    fi \
 && if [ -f /run/secrets/ca ]; then export CARGO_HTTP_CAINFO=/run/secrets/ca; fi \
 && node_modules/.bin/node scripts/fetch_third_party.ts

COPY backends backends
COPY bpf bpf
COPY lab lab
RUN export PATH="$PWD/node_modules/.bin:$PATH" \
 && node --input-type=module -e 'import { buildBpf } from "./scripts/build_bpf.ts"; await buildBpf()' \
 && node scripts/build_runtime.ts \
 && node scripts/build_addon.ts

# /image holds what the image gets beyond Debian's packages.
COPY bench bench
COPY cli cli
COPY core core
# `bench` writes programs with the assembler, and compiles some where there is a compiler.
COPY property-tests/isa/*.ts property-tests/isa/
COPY samples samples
COPY LICENSE ./
COPY deploy/container/launcher.c /tmp/launcher.c
RUN set -e; app=/image/opt/tapio-bpf; mkdir -p "$app/build/kernel" "$app/build/wasm" "$app/scripts" /image/usr/local/bin; \
    gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o /image/usr/local/bin/tapio-bpf /tmp/launcher.c; \
    cp node_modules/node/bin/node /image/usr/local/bin/node; \
    strip /image/usr/local/bin/* build/kernel/tapio_bpf.node; \
    cp build/kernel/tapio_bpf.node "$app/build/kernel/"; \
    cp build/wasm/*.wasm build/wasm/*.o "$app/build/wasm/"; \
    cp -R build/bpf build/lab "$app/build/"; \
    npm prune --omit=dev --offline --no-audit --no-fund; \
    cp -R backends bench cli core lab node_modules property-tests samples LICENSE package.json "$app/"; \
    cp scripts/build_bpf.ts scripts/up_to_date.ts "$app/scripts/"; \
    find "$app/backends" "$app/bench" -type f ! -name '*.ts' -delete; \
    find "$app" -type d -empty -delete

FROM ${BASE_IMAGE}
COPY --from=build /image /
RUN --mount=type=secret,id=apt_sources,target=/etc/apt/sources.list.d/build.sources \
    --mount=type=secret,id=apt_list,target=/etc/apt/sources.list.d/build.list \
    --mount=type=secret,id=apt_conf,target=/etc/apt/apt.conf.d/99build \
    --mount=type=secret,id=ca \
    export DEBIAN_FRONTEND=noninteractive \
 && apt-get update -q \
 && apt-get install -q -y --no-install-recommends libbpf1 libcap2-bin libelf1 libstdc++6 zlib1g \
 && setcap cap_bpf,cap_perfmon,cap_sys_admin,cap_dac_read_search=p /usr/local/bin/tapio-bpf \
 && apt-get purge -q -y libcap2-bin \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* \
 && groupadd --system --gid 10001 tapio \
 && useradd --system --uid 10001 --gid tapio --home-dir /var/lib/tapio-bpf --create-home \
    --shell /usr/sbin/nologin tapio
USER 10001:10001
WORKDIR /var/lib/tapio-bpf
ENV NODE_ENV=production
# Fails where not even the simulated kernel can run; what the real one lacks stands in the output.
HEALTHCHECK --interval=60s --timeout=20s --start-period=10s CMD ["tapio-bpf", "doctor", "-o", "json"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tapio-bpf"]
CMD ["run", "--backend", "kernel"]
