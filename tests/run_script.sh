#!/bin/sh
# Runs the script $2 in the folder $1, made anew.
set -eu
rm -rf -- "$1"
mkdir -p -- "$1"
cd -- "$1"
exec "$2" </dev/null
