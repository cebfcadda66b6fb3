# SPDX-License-Identifier: GPL-2.0-or-later
# A port is closed in the middle of a delivery.
/^int evtchn_close/,/^}/ {
    s/evtchn_port_lock(d, chn, &locked);/locked = (struct evtchn_locked){ .chn = chn, .binding = evtchn_load(\&chn->binding) };/
}
