/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts who wakes whom: see ../public/event_traffic.h. */

#ifndef HW_XEN_EVTCHN_TRAFFIC_H
#define HW_XEN_EVTCHN_TRAFFIC_H

#include "../public/event_traffic.h"

/* The shared page, or NULL: nothing is counted. */
extern struct xen_evtchn_traffic *xen_evtchn_traffic_page;
/* The calling thread's row, once it has one. */
extern __thread uint32_t *xen_evtchn_traffic_own_row XEN_EVTCHN_TRAFFIC_OWN;

/* Makes the page in file @path for so many vCPUs. */
bool xen_evtchn_traffic_init(const char *path, uint32_t nr_vcpus,
                             Error **errp);
/* The same as below, for a thread without a row: gives it one if there is any. */
void xen_evtchn_traffic_first_sent(uint32_t target);
/* The calling thread's number as a target, or 0: it is a vCPU's, or has none. */
uint32_t xen_evtchn_traffic_place(void);

/* The calling thread has sent an event to @target, a vCPU's or place's number. */
static inline void xen_evtchn_traffic_sent(uint32_t target)
{
    if (!xen_evtchn_traffic_count(xen_evtchn_traffic_own_row, target) &&
        xen_evtchn_traffic_page) {
        xen_evtchn_traffic_first_sent(target);
    }
}

#endif /* HW_XEN_EVTCHN_TRAFFIC_H */
