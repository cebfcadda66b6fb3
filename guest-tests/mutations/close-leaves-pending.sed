# SPDX-License-Identifier: GPL-2.0-or-later
# close.c
# The next user of a port finds the event of the last one.
# hvm64 2l
s/^    evtchn_abis\[d->abi\]->clear_pending(d, port);$//
