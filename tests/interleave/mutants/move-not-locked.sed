# SPDX-License-Identifier: GPL-2.0-or-later
# EVTCHNOP_bind_vcpu does not wait for a delivery to the old vCPU.
/^int evtchn_bind_vcpu/,/^}/ {
    s/evtchn_port_lock(d, chn, &locked);/locked = (struct evtchn_locked){ .chn = chn, .binding = evtchn_load(\&chn->binding) };/
}
