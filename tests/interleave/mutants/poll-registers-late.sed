# SPDX-License-Identifier: GPL-2.0-or-later
# A poller looks at the ports before it is registered.
/^int evtchn_poll/,/^}/ {
    /evtchn_fetch_or(&d->polling/d
    s/^    return 0;/    evtchn_fetch_or(\&d->polling[vcpu \/ 64], UINT64_C(1) << vcpu % 64);\n&/
}
