/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a Xen machine type fixes. */

#ifndef XEN_MACHINE_TYPES_H
#define XEN_MACHINE_TYPES_H

#include "qom/object.h"

typedef struct XenMachineType {
    const char *type_name;
    const char *desc;
    uint32_t xen_version;       /* as the property xen-version */
    const char *evtchn_abi;     /* xen-evtchn-abi, unless that is given */
    bool pv;                    /* -kernel, -initrd, -append are a PV guest's */
    bool dense;                 /* without the hardware of a PC: dense/machine.c */
} XenMachineType;

/* That of @machine, or NULL if it, or NULL, is of another type. */
const XenMachineType *xen_machine_type(Object *machine);

#endif /* XEN_MACHINE_TYPES_H */
