# SPDX-License-Identifier: GPL-2.0-or-later
# Who binds to a port gets its event before the other end is bound.
/^    evtchn_raise_bound(d, new_port, evtchn_of_port(d, new_port),$/,/EVTCHN_NEW_EVENT);/d
s/^    evtchn_port_lock(rd, peer, &locked);/    evtchn_raise_bound(d, new_port, evtchn_of_port(d, new_port), EVTCHN_NEW_EVENT);\n&/
