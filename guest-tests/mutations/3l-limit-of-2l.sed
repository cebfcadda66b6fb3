# SPDX-License-Identifier: GPL-2.0-or-later
# port.c
# A 3-level guest has the ports of a 2-level one.
# hvm64 3l
s/evtchn_abis\[d->abi\]->port_limit(d)/evtchn_abis[d->abi == EVTCHN_ABI_3L ? EVTCHN_ABI_2L : d->abi]->port_limit(d)/
