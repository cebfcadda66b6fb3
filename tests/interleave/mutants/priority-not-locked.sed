# SPDX-License-Identifier: GPL-2.0-or-later
# EVTCHNOP_set_priority does not wait for a delivery, nor for another change.
s/evtchn_port_lock(d, chn, &locked);/locked = (struct evtchn_locked){ .chn = chn, .binding = evtchn_load(\&chn->binding) };/
