# The portal: one image for web, worker and beat. BASE and the postgres images can be replaced by mirrors of them.
ARG BASE=python:3.13-slim-bookworm
ARG POSTGRES=docker.io/library/postgres

# pg_dump and pg_restore must be exactly of the target server's major, so every supported one is in the image.
FROM ${POSTGRES}:14-bookworm AS clients14
FROM ${POSTGRES}:15-bookworm AS clients15
FROM ${POSTGRES}:16-bookworm AS clients16
FROM ${POSTGRES}:17-bookworm AS clients17
FROM ${POSTGRES}:18-bookworm AS clients18

FROM ${BASE} AS portal
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        git openssh-client libldap-2.5-0 libgssapi-krb5-2 liblz4-1 libzstd1 zlib1g libreadline8 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=clients14 /usr/lib/postgresql/14/bin/pg_dump /usr/lib/postgresql/14/bin/pg_restore /usr/lib/postgresql/14/bin/
COPY --from=clients15 /usr/lib/postgresql/15/bin/pg_dump /usr/lib/postgresql/15/bin/pg_restore /usr/lib/postgresql/15/bin/
COPY --from=clients16 /usr/lib/postgresql/16/bin/pg_dump /usr/lib/postgresql/16/bin/pg_restore /usr/lib/postgresql/16/bin/
COPY --from=clients17 /usr/lib/postgresql/17/bin/pg_dump /usr/lib/postgresql/17/bin/pg_restore /usr/lib/postgresql/17/bin/
COPY --from=clients18 /usr/lib/postgresql/18/bin/pg_dump /usr/lib/postgresql/18/bin/pg_restore /usr/lib/postgresql/18/bin/
# The newest libpq serves the tools of every older major.
COPY --from=clients18 /usr/lib/*-linux-gnu/libpq.so.5* /usr/local/lib/
RUN ldconfig && for major in 14 15 16 17 18; do "/usr/lib/postgresql/$major/bin/pg_dump" --version; done

WORKDIR /srv/portal
# requirements-azure.lock has what recoveries on Azure need on top.
ARG LOCK=requirements.lock
COPY requirements.lock requirements-azure.lock ./
RUN python -m pip install --no-cache-dir --require-hashes --only-binary :all: -r "$LOCK"
COPY manage.py ./
COPY portal portal
COPY records records
COPY approvals approvals
COPY rollbacks rollbacks
COPY recoveries recoveries
COPY notices notices
COPY demo demo
COPY templates templates
COPY static static
# collectstatic needs settings to exist, not to be true; nothing of them stays in the image.
RUN SECRET_KEY=build DATABASE_URL=postgresql://build@build.invalid/build REDIS_URL=redis://build.invalid:6379/0 \
    python manage.py collectstatic --no-input --verbosity 0 \
    && useradd --system --uid 10001 --home-dir /srv/portal portal \
    && install -d -o portal -g portal -m 0700 /var/lib/portal/backups /var/lib/portal/beat /var/lib/portal/repositories
USER portal
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "portal.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--no-server-header", "--log-level", "warning"]
