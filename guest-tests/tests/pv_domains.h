/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains that a PV guest may name, and those that it may not. */

#ifndef GUEST_TESTS_PV_DOMAINS_H
#define GUEST_TESTS_PV_DOMAINS_H

#include "ports.h"

/* The upper bits of a memory_op's number are how much of it is done. */
#define EXTENT_SHIFT 6
#define ONE_DONE (1ul << EXTENT_SHIFT)

/* The first two are the guest's own, and the third is domain 0. */
#define NR_DOMAINS 7

static const char *const domain_names[NR_DOMAINS] = {
    "self", "own", "domain 0", "none", "DOMID_IO", "DOMID_XEN", "invalid",
};

static inline domid_t domain(unsigned int i)
{
    const domid_t domains[NR_DOMAINS] = {
        DOMID_SELF, own_domid(),   0, DOMID_NOBODY, DOMID_IO,
        DOMID_XEN,  DOMID_INVALID,
    };

    return domains[i];
}

/* XENMEM_current_reservation and its like: a number or an error. */
static inline long size_of(uint64_t command, domid_t domid)
{
    struct xen_memory_domain op = { .domid = domid };

    return hypercall(__HYPERVISOR_memory_op, command, (uintptr_t)&op, 0, 0, 0);
}

#endif /* GUEST_TESTS_PV_DOMAINS_H */
