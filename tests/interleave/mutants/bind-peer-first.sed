# SPDX-License-Identifier: GPL-2.0-or-later
# The end that is there already is bound first, and the new one after its event.
/^int evtchn_bind_interdomain/,/^}/ {
    /port_init(d, new_port, EVTCHN_INTERDOMAIN, 0, rd, remote_port);/d
    s/^    \*port = new_port;/    port_init(d, new_port, EVTCHN_INTERDOMAIN, 0, rd, remote_port);\n&/
}
