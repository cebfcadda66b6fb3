# SPDX-License-Identifier: GPL-2.0-or-later
# Nobody waits for senders that use the old shared_info.
/^void evtchn_domain_set_shared_info/,/^}/ {
    /evtchn_quiesce(d);/d
}
