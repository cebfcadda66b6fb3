# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# Unmasking does not link an event that is pending.
# hvm64 fifo
s/^        evtchn_clear_bit(word, EVTCHN_FIFO_MASKED);$/&\n        return false;/
