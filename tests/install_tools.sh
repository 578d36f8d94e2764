#!/bin/sh
# Installs the programs that some tests drive, where this user may; says what is missing otherwise.
missing=""
for program in redis-server espeak-ng nginx; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
# The shell without windows takes half of the computing; a distribution that lacks it has the browser.
browser=chromium-headless-shell
if command -v "$browser" >/dev/null 2>&1 || command -v chromium >/dev/null 2>&1; then browser=""; fi
missing="$missing${browser:+ $browser}"
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
    install() {
        apt-get update || return 1
        if [ -n "$browser" ] && ! apt-cache show "$browser" >/dev/null 2>&1; then
            missing=$(echo "$missing" | sed "s/ $browser/ chromium/")
        fi
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing && stop_servers
    }
    if install >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 3 "$log"
    rm -f "$log"
fi
echo "Not installed:$missing. The tests that need them are skipped; as root: apt-get install$missing"
exit 0
