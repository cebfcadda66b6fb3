/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a thread waits for a spin lock of the model's. */

#ifndef HW_XEN_EVTCHN_RELAX_H
#define HW_XEN_EVTCHN_RELAX_H

#include "qemu/processor.h"

/* Rounds of a busy wait after which the lock's holder is likely not running; */
#define SPINS_BEFORE_YIELD  128
/* and after which a yield does not help it: */
#define SPINS_BEFORE_SLEEP  192
#define SLEEP_US            50

/*
 * A holder may sleep, in an ioctl that delivers an event or in a page fault of
 * the guest's memory.  To yield would take a processor from others meanwhile;
 * and a vCPU thread of a real-time class yields to its equals alone, so the
 * holder, if it is none, would not run on that processor at all.
 */
static inline void xen_evtchn_relax(unsigned int spins)
{
    if (spins < SPINS_BEFORE_YIELD) {
        cpu_relax();
    } else if (spins < SPINS_BEFORE_SLEEP) {
        sched_yield();
    } else {
        g_usleep(SLEEP_US);
    }
}

#endif /* HW_XEN_EVTCHN_RELAX_H */
