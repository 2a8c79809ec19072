# syntax=docker/dockerfile:1
# Build: the whole tree. Run: one bundled file, the SQL migrations, and the native engine.
FROM node:20-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && node scripts/image-layout.mjs /out

FROM node:20-bookworm-slim
LABEL org.opencontainers.image.title="plumbline" \
      org.opencontainers.image.description="Drift and model-performance monitoring whose alarms can be trusted" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /out/ ./
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
VOLUME /data
EXPOSE 8080
# The root file system may be read-only: only /data is written to (and /tmp, for uploads in flight).
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/plumbline.mjs"]
CMD ["serve", "--config", "/etc/plumbline/plumbline.yaml", "--data-dir", "/data"]
