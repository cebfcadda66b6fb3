# SPDX-License-Identifier: GPL-2.0-or-later
# An unbound port is closed while another thread raises it.
s/binding & BINDING_HELD ||/false ||/
/!evtchn_cmpxchg(lock, &binding,/{
    N
    s/.*/        (evtchn_store(lock, evtchn_new_binding(d, port, EVTCHN_CLOSED, 0)), false)) {/
}
