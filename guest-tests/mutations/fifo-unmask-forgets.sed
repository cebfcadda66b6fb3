# SPDX-License-Identifier: GPL-2.0-or-later
# event_fifo.c
# Unmasking does not link an event that is pending.
# hvm64 fifo
/^static void unmask_fifo/,/^}/ s/link_fifo(d, port, chn);/;/
