/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's physmap: at which frames it has memory, and how many pages it
 * owns.  All of QEMU's RAM is there at a reset.  BQL held, but for
 * xen_physmap_is_hole().
 */

#ifndef XEN_PHYSMAP_H
#define XEN_PHYSMAP_H

#include "qemu/osdep.h"
#include "exec/memory.h"

void xen_physmap_init(void);
/* All of the guest's RAM is in its physmap again. */
void xen_physmap_reset(void);

/* Xen's d->tot_pages and d->max_pages. */
uint64_t xen_physmap_pages(void);
uint64_t xen_physmap_max_pages(void);
/* Bytes of RAM at the guest's frames. */
uint64_t xen_physmap_ram(void);

/*
 * Take the page away that is at @gfn; with @keep it stays the guest's, with no
 * frame.  0 or Xen's error.
 */
int xen_physmap_remove(uint64_t gfn, bool keep);
/*
 * Put new, zeroed pages at 2^@order frames from @gfn on.  A page that is there
 * stays the guest's, with no frame.
 */
int xen_physmap_populate(uint64_t gfn, unsigned int order);
/* Give the guest 2^@order pages more, with no frames. */
int xen_physmap_increase(unsigned int order);
/*
 * The functions above leave it to this one to give memory back to the host, and
 * to zero pages: to be called before the guest runs again.
 */
void xen_physmap_flush(void);

/* Whether there is RAM; not QEMU's own pages that a guest has mapped. */
bool xen_physmap_is_ram(uint64_t gfn);
/* Whether a page was taken away from @gfn.  Takes the BQL. */
bool xen_physmap_is_hole(uint64_t gfn);

/*
 * For a stream (physmap_state.c): the stretches of pages that are not there, and
 * how many the guest has with no frame. A load begins with a reset.
 */
typedef void XenPhysmapStretchFunc(void *opaque, MemoryRegion *mr,
                                   uint64_t first, uint64_t nr);
void xen_physmap_for_each_stretch(XenPhysmapStretchFunc *func, void *opaque);
/* False: there is no such memory, or it is away already. */
bool xen_physmap_load_stretch(MemoryRegion *mr, uint64_t first, uint64_t nr);
uint64_t xen_physmap_without_frame(void);
void xen_physmap_load_without_frame(uint64_t nr);
void xen_physmap_state_init(void);

#endif /* XEN_PHYSMAP_H */
