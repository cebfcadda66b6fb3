# SPDX-License-Identifier: GPL-2.0-or-later
# bind.c
# A port that moves to another vCPU loses its event.
# hvm64 fifo
s/^            evtchn_retry(d, port, port + 1);$/            evtchn_ops(b)->clear_pending(d, port);/
