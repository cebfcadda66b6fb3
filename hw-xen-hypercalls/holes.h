/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's memory of pages that a guest has given back.  BQL held. */

#ifndef XEN_HOLES_H
#define XEN_HOLES_H

#include "exec/memory.h"

/* The frames of @mr with no page. */
typedef struct XenHoles {
    MemoryRegion *mr;           /* with a reference */
    unsigned long *map;         /* by page of @mr */
    uint64_t nr;
    bool cannot_discard;        /* the host has refused to take pages */
} XenHoles;

/* Pages were taken from @start to @end of the region: the host gets them. */
void xen_holes_removed(XenHoles *holes, uint64_t start, uint64_t end);
/* There are pages again: they have to be zero. */
void xen_holes_populated(XenHoles *holes, uint64_t start, uint64_t end);

#endif /* XEN_HOLES_H */
