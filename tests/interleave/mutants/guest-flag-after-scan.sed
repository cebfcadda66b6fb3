# SPDX-License-Identifier: GPL-2.0-or-later
# The guest clears evtchn_upcall_pending after its scan.
/^        evtchn_store(guest_upcall_pending(v), 0);$/ {
    N
    s/^\( *evtchn_store[^\n]*\)\n\(.*\)$/\2\n\1/
}
