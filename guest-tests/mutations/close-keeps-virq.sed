# SPDX-License-Identifier: GPL-2.0-or-later
# close.c
# A VIRQ stays taken when its port is closed.
# hvm64 2l
s/^        evtchn_store(evtchn_virq_slot(d, chn->vcpu, chn->irq), 0);$//
