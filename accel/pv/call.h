/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hypercalls of a PV guest's monitor, which come by an I/O port. */

#ifndef XEN_PV_CALL_H
#define XEN_PV_CALL_H

#include "hw/core/cpu.h"
#include "exec/hwaddr.h"

void xen_pv_call_init(void);
/* The monitor's vCPUs, each of which begins with struct pv_call, are at @vcpus. */
void xen_pv_call_set_vcpus(hwaddr vcpus);

/*
 * See XenAccelOps: have the monitor of @cs, which is in a hypercall, make it again
 * with another first argument.
 */
void xen_pv_continue_hypercall(CPUState *cs, uint32_t number,
                               uint32_t argument);

#endif /* XEN_PV_CALL_H */
