# SPDX-License-Identifier: GPL-2.0-or-later
# bind.c
# A VIRQ can be bound twice.
# hvm64 fifo
s/rc = slot && \*slot ?/rc = slot \&\& *slot \&\& state != EVTCHN_VIRQ ?/
