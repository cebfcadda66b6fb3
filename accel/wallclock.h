/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wallclock in shared_info. */

#ifndef XEN_WALLCLOCK_H
#define XEN_WALLCLOCK_H

/* shared_info is at @gfn, or INVALID_GFN.  BQL held. */
void xen_wallclock_set_shared_info(uint64_t gfn);

#endif /* XEN_WALLCLOCK_H */
