# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# BUSY is not cleared when a link is written.
# hvm64 fifo
s/const uint32_t keep = ~(BUSY | (uint32_t)EVTCHN_FIFO_LINK_MASK);/const uint32_t keep = ~(uint32_t)EVTCHN_FIFO_LINK_MASK;/
