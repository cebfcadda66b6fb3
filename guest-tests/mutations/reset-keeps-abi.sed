# SPDX-License-Identifier: GPL-2.0-or-later
# reset.c
# A reset closes the ports and leaves the ABI.
# hvm64 fifo
s/} else if (evtchn_abi_is_extended(d->abi)) {/} else if (false) {/
