# SPDX-License-Identifier: GPL-2.0-or-later
# An unbound port is raised, and not locked meanwhile.
/^static bool raise_unbound/,/^}/ {
    s/evtchn_port_lock(d, chn, &locked);/locked = (struct evtchn_locked){ .chn = chn };/
    s/held = locked.held;/held = evtchn_state(chn) == EVTCHN_UNBOUND;/
}
