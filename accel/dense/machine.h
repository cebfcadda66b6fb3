/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine type "dense": a Xen guest's, and as small as one can be. */

#ifndef XEN_DENSE_MACHINE_H
#define XEN_DENSE_MACHINE_H

#include "qom/object.h"

void xen_dense_class_init(ObjectClass *oc, void *data);

#endif /* XEN_DENSE_MACHINE_H */
