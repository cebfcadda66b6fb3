/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vCPUs of a PV guest on the monitor that are plugged and unplugged. */

#ifndef XEN_PV_VCPUS_H
#define XEN_PV_VCPUS_H

#include "hw/core/cpu.h"
#include "hw/boards.h"

/* Also has the machine's hot-plug of CPUs go through here, for such a guest. */
void xen_pv_vcpus_class_init(ObjectClass *oc);

/*
 * @ms, whose CPUs are there, is such a guest's.  Returns how many vCPUs the guest may
 * have: all of them have to be there when it starts.
 */
unsigned int xen_pv_vcpus_init(MachineState *ms);

/* @cs is up by VCPUOP_up; or down, by its own VCPUOP_down.  BQL held. */
void xen_pv_vcpu_is_up(CPUState *cs);
void xen_pv_vcpu_is_down(CPUState *cs);

/* Whether query-cpus-fast is to leave @cs out; NULL: no. hw/core/machine-qmp-cmds.c's. */
extern bool (*qmp_cpu_is_hidden)(CPUState *cs);

#endif /* XEN_PV_VCPUS_H */
