# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# Events that are pending at the switch from 2-level are dropped.
# hvm64 fifo
s/if (evtchn_2l_take_pending(d, port)) {/if (evtchn_2l_take_pending(d, port) \&\& !chn) {/
