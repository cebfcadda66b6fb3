# SPDX-License-Identifier: GPL-2.0-or-later
# send.c
# EVTCHNOP_send to a closed port succeeds.
# hvm64 2l
0,/rc = -XEN_EINVAL;/ s/^        rc = -XEN_EINVAL;$/        break;/
