# SPDX-License-Identifier: GPL-2.0-or-later
# Events from before their vCPU's selector are not raised when it comes.
/^int evtchn_register_l2_selector/,/^}/ {
    /evtchn_retry(d, 1, d->valid_ports);/d
}
