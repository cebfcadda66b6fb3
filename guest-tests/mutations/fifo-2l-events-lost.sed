# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# Events that are pending at the switch from 2-level are dropped.
# hvm64 fifo
/^static void adopt_fifo(/,/^}/s/evtchn_store(&chn->retry, EVTCHN_RETRY_RAISE);/(void)chn;/
