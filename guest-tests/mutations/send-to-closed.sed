# SPDX-License-Identifier: GPL-2.0-or-later
# send.c
# EVTCHNOP_send to a closed port succeeds.
# hvm64 2l
/^int evtchn_send(/,/^}/{
    /default:/,/return/s/-XEN_EINVAL/0/
}
