#!/bin/sh
# Installs the programs that some tests drive, where this user may; says what is missing otherwise.
missing=""
for pair in redis-server:redis-server espeak-ng:espeak-ng chromium:chromium nginx:nginx; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
# Without it a browser draws Chinese as boxes.
[ -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc ] || missing="$missing fonts-wqy-microhei"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    log=$(mktemp)
    # These packages start servers of their own, which nobody asked for.
    stop_servers() {
        command -v systemctl >/dev/null 2>&1 || return 0
        for name in redis-server nginx; do
            case "$missing" in *"${name%-server}"*) systemctl disable --now "$name" ;; esac
        done
        true
    }
    # shellcheck disable=SC2086
    if (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing && stop_servers) >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 3 "$log"
    rm -f "$log"
fi
echo "Not installed:$missing. The tests that need them are skipped; as root: apt-get install$missing"
exit 0
