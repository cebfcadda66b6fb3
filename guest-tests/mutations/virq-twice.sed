# SPDX-License-Identifier: GPL-2.0-or-later
# bind.c
# A VIRQ can be bound twice.
# hvm64 fifo
s/if (v->virq_port\[virq\]) {/if (false) {/
