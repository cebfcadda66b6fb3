# SPDX-License-Identifier: GPL-2.0-or-later
# close.c
# A VIRQ, but for the timer's, stays taken when its port is closed.
# hvm64 2l
# Not the timer's: when it fires, evtchn_raise_virq() would look at the closed port
# for ever.
s/if (state == EVTCHN_VIRQ) {/if (state == EVTCHN_VIRQ \&\& chn->irq == VIRQ_TIMER) {/
