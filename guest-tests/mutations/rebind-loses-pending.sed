# SPDX-License-Identifier: GPL-2.0-or-later
# bind.c
# A port that moves to another vCPU loses its event.
# hvm64 fifo
s/^        evtchn_retry_pending(d, port, chn);$/        evtchn_ops(chn->abi)->clear_pending(d, port, chn);/
