# SPDX-License-Identifier: GPL-2.0-or-later
# A port changes its ABI in the middle of a delivery.
/^static void hand_over_port/,/^}/ {
    s/evtchn_port_lock(d, chn, &locked);/locked = (struct evtchn_locked){ .chn = chn, .binding = evtchn_load(\&chn->binding) };/
}
