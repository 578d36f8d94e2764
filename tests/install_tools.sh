#!/bin/sh
# Installs the programs that some tests drive, where this user may; says what is missing otherwise.
missing=""
for pair in redis-server:redis-server espeak-ng:espeak-ng chromium:chromium; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    log=$(mktemp)
    # shellcheck disable=SC2086
    # The package starts a server of its own, which nobody asked for.
    stop_redis() { case "$missing" in *redis*) command -v systemctl >/dev/null 2>&1 && systemctl disable --now redis-server ;; esac; true; }
    if (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing && stop_redis) >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 3 "$log"
    rm -f "$log"
fi
echo "Not installed:$missing. The tests that need them are skipped; as root: apt-get install$missing"
exit 0
