#!/bin/sh
# Make the files of secrets/ that are not there yet, with random passwords; never replaces one.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
random() { head -c 32 /dev/urandom | base64 | tr -d '/+=\n'; }
keep() { [ -e "secrets/$1" ] || { cat > "secrets/$1"; echo "made secrets/$1"; }; }
random | keep postgres_password
random | keep portal_owner_password
random | keep portal_app_password
{ random; random; } | tr -d '\n' | keep secret_key
printf 'postgresql://portal_owner:%s@postgres/portal' "$(cat secrets/portal_owner_password)" | keep owner_database_url
printf 'postgresql://portal_app:%s@postgres/portal' "$(cat secrets/portal_app_password)" | keep database_url
keep pg_service.conf <<'TEXT'
# One entry per target; the name in brackets is the target's name in the portal. Direct addresses, never a pooler.
# [shop]
# host=db.example.com
# port=5432
# dbname=shop
# user=shop_migrator
# password=...
# sslmode=verify-full
# sslrootcert=system
TEXT
keep email_url <<'TEXT'
consolemail://
TEXT
keep notify_urls <<'TEXT'
# One address for notices a line: audience, label, address (docs/deployment.md, "Notices").
# on-call  Pager of the platform team  pagerduty://INTEGRATION-KEY@API-KEY
TEXT
# The containers' user is not yours: the files are readable, the folder around them is not.
chmod 0444 secrets/*
chmod 0700 secrets
