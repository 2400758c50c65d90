#!/bin/sh
# Run once by the postgres image on an empty data folder: the owner migrates, the application owns nothing.
set -eu
owner=$(cat /run/secrets/portal_owner_password)
app=$(cat /run/secrets/portal_app_password)
# Passwords reach psql as variables on its standard input, never as arguments.
psql -X -q -v ON_ERROR_STOP=1 -U postgres -d postgres <<SQL
\set owner_password '$(printf %s "$owner" | sed "s/'/''/g")'
\set app_password '$(printf %s "$app" | sed "s/'/''/g")'
CREATE ROLE portal_owner LOGIN CREATEDB PASSWORD :'owner_password';
CREATE ROLE portal_app LOGIN PASSWORD :'app_password';
CREATE DATABASE portal OWNER portal_owner;
SQL
