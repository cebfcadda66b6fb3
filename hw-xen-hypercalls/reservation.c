/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HYPERVISOR_memory_op: a guest gives memory back, and gets it again. */

#include "hypercalls.h"
#include "balloon.h"
#include "physmap.h"
#include "qemu/main-loop.h"
#include "hw/xen/interface/memory.h"

/* The header has it for toolstacks only. */
#ifndef XENMEM_claim_pages
#define XENMEM_claim_pages 24
#endif

/* Of extents: Xen's limit for all but domain 0 and guests with real devices. */
#define MAX_ORDER 9
/* The largest number of an extent with which Xen can continue an operation. */
#define MAX_EXTENTS (UINT32_MAX >> XEN_MEMOP_EXTENT_SHIFT)
/* Pages after which other vCPUs, the main loop and interrupts get their turn. */
#define PAGES_AT_ONCE 1024
#define EXTENTS_AT_ONCE 64

typedef struct QEMU_PACKED Reservation64 {
    uint64_t extent_start;
    uint64_t nr_extents;
    uint32_t extent_order;
    uint32_t mem_flags;
    uint16_t domid;
    uint16_t pad[3];
} Reservation64;

typedef struct QEMU_PACKED Reservation32 {
    uint32_t extent_start;
    uint32_t nr_extents;
    uint32_t extent_order;
    uint32_t mem_flags;
    uint16_t domid;
    uint16_t pad;
} Reservation32;

static Reservation64 widen(const Reservation32 *in)
{
    return (Reservation64) {
        .extent_start = in->extent_start,
        .nr_extents = in->nr_extents,
        .extent_order = in->extent_order,
        .mem_flags = in->mem_flags,
        .domid = in->domid,
    };
}

static bool get_reservation(CPUState *cs, uint64_t arg, bool long_mode,
                            Reservation64 *reservation)
{
    Reservation32 narrow;

    qemu_build_assert(sizeof(*reservation) == 32);
    qemu_build_assert(sizeof(narrow) == 20);
    if (long_mode) {
        return !kvm_copy_from_gva(cs, arg, reservation, sizeof(*reservation));
    }
    if (kvm_copy_from_gva(cs, arg, &narrow, sizeof(narrow))) {
        return false;
    }
    *reservation = widen(&narrow);
    return true;
}

/* The host's NUMA nodes are not for guests to choose. */
static bool node_is_valid(uint32_t mem_flags)
{
    return XENMEMF_get_node(mem_flags) == 0xff ||
           !(mem_flags & XENMEMF_exact_node_request);
}

static bool mem_flags_are_valid(uint32_t mem_flags)
{
    uint32_t bits = XENMEMF_get_address_bits(mem_flags);

    /* Any page of the host's is below any limit that leaves a page. */
    return (!bits || bits > TARGET_PAGE_BITS) &&
           (mem_flags & XENMEMF_vnode || node_is_valid(mem_flags));
}

/* Extents ------------------------------------------------------------------- */

/* Read up to @nr of the list's frames from extent @i on: how many. */
static unsigned int get_gfns(CPUState *cs, uint64_t list, uint64_t i,
                             unsigned int nr, bool long_mode, uint64_t *gfns)
{
    uint32_t narrow[EXTENTS_AT_ONCE];
    unsigned int width = long_mode ? sizeof(*gfns) : sizeof(*narrow);
    void *to = long_mode ? (void *)gfns : narrow;
    unsigned int done;

    list += i * width;
    if (!kvm_copy_from_gva(cs, list, to, nr * width)) {
        done = nr;
    } else {
        /* Those before the one that can't be read count. */
        for (done = 0; done < nr; done++) {
            if (kvm_copy_from_gva(cs, list + done * width, to + done * width,
                                  width)) {
                break;
            }
        }
    }
    for (i = 0; i < done && !long_mode; i++) {
        gfns[i] = narrow[i];
    }
    return done;
}

static bool decrease(uint64_t gfn, unsigned int order)
{
    uint64_t i;

    for (i = 0; i < 1ull << order; i++) {
        if (xen_physmap_remove(gfn + i, false)) {
            return false;
        }
    }
    return true;
}

static bool do_extent(unsigned int op, uint64_t gfn, unsigned int order)
{
    switch (op) {
    case XENMEM_decrease_reservation:
        return decrease(gfn, order);
    case XENMEM_populate_physmap:
        return !xen_physmap_populate(gfn, order);
    default:
        /* Xen has no use for the list of a guest like ours. */
        return !xen_physmap_increase(order);
    }
}

/* From extent @i on: the first that is not done, but not more than a round. */
static uint64_t do_round(CPUState *cs, unsigned int op,
                         const Reservation64 *reservation, uint64_t i,
                         bool long_mode)
{
    unsigned int order = reservation->extent_order;
    uint64_t end = MIN(i + (PAGES_AT_ONCE >> order), reservation->nr_extents);
    uint64_t gfns[EXTENTS_AT_ONCE] = {};
    unsigned int j, nr;

    while (i < end) {
        nr = MIN(end - i, EXTENTS_AT_ONCE);
        if (op != XENMEM_increase_reservation) {
            nr = get_gfns(cs, reservation->extent_start, i, nr, long_mode,
                          gfns);
        }
        BQL_LOCK_GUARD();
        for (j = 0; j < nr && do_extent(op, gfns[j], order); j++) {
        }
        xen_physmap_flush();
        xen_balloon_changed();
        i += j;
        if (!nr || j < nr) {
            break;
        }
    }
    return i;
}

/*
 * Returns how many extents are done, of which @start are so already.  That is
 * all that a guest is told of an error.
 */
static int64_t change_reservation(CPUState *cs, unsigned int op, uint64_t start,
                                  uint64_t arg, bool long_mode)
{
    Reservation64 reservation;
    uint64_t done;

    if (!get_reservation(cs, arg, long_mode, &reservation) ||
        reservation.nr_extents > MAX_EXTENTS ||
        start >= reservation.nr_extents ||
        xen_hypercall_check_self(reservation.domid) ||
        !mem_flags_are_valid(reservation.mem_flags) ||
        reservation.extent_order > MAX_ORDER) {
        return start;
    }
    if (op == XENMEM_populate_physmap &&
        reservation.mem_flags & XENMEMF_populate_on_demand) {
        /* Not for a guest to do to itself. */
        return start;
    }
    done = do_round(cs, op, &reservation, start, long_mode);
    if (done < reservation.nr_extents &&
        done - start == PAGES_AT_ONCE >> reservation.extent_order) {
        xen_accel->continue_hypercall(cs, __HYPERVISOR_memory_op,
                                      op | done << XEN_MEMOP_EXTENT_SHIFT);
    }
    return done;
}

/* XENMEM_exchange ----------------------------------------------------------- */

typedef struct Exchange {
    Reservation64 in, out;
    uint64_t nr_exchanged;
} Exchange;

typedef struct QEMU_PACKED Exchange32 {
    Reservation32 in, out;
    uint32_t nr_exchanged;
} Exchange32;

/* Xen's limits of a number of pages: those of an unsigned long. */
static bool sizes_are_valid(const Exchange *exchange, uint64_t max)
{
    const Reservation64 *in = &exchange->in, *out = &exchange->out;

    return exchange->nr_exchanged <= in->nr_extents &&
           max >> in->extent_order >= in->nr_extents &&
           max >> out->extent_order >= out->nr_extents &&
           in->nr_extents << in->extent_order ==
           out->nr_extents << out->extent_order;
}

static int check_exchange(CPUState *cs, const Exchange *exchange,
                          bool long_mode)
{
    const Reservation64 *in = &exchange->in, *out = &exchange->out;
    unsigned int order = MAX(in->extent_order, out->extent_order);
    uint64_t first, gfn;
    int ret;

    if (!long_mode) {
        if (order >= 32) {
            return -EPERM;
        }
        if (!sizes_are_valid(exchange, UINT32_MAX)) {
            return -EINVAL;
        }
    }
    if (order > MAX_ORDER) {
        return -EPERM;
    }
    if (in->domid != out->domid || !sizes_are_valid(exchange, UINT64_MAX)) {
        return -EINVAL;
    }
    if (exchange->nr_exchanged == in->nr_extents) {
        return 0;
    }
    if (!node_is_valid(out->mem_flags)) {
        return -EINVAL;
    }
    ret = xen_hypercall_check_self(in->domid);
    if (ret) {
        return ret;
    }
    order -= in->extent_order;
    first = exchange->nr_exchanged >> order << order;
    if (!get_gfns(cs, in->extent_start, first, 1, long_mode, &gfn)) {
        return -EFAULT;
    }
    BQL_LOCK_GUARD();
    return xen_physmap_is_ram(gfn) ? -EOPNOTSUPP : -EINVAL;
}

/*
 * For PV guests, which see machine addresses.  Xen refuses it to others at the
 * first page, as pages can't be stolen from them.
 */
static int exchange(CPUState *cs, uint64_t arg, bool long_mode)
{
    Exchange wide;
    Exchange32 narrow;

    qemu_build_assert(sizeof(wide) == 72);
    qemu_build_assert(sizeof(narrow) == 44);
    if (long_mode) {
        if (kvm_copy_from_gva(cs, arg, &wide, sizeof(wide))) {
            return -EFAULT;
        }
    } else {
        if (kvm_copy_from_gva(cs, arg, &narrow, sizeof(narrow))) {
            return -EFAULT;
        }
        wide.in = widen(&narrow.in);
        wide.out = widen(&narrow.out);
        wide.nr_exchanged = narrow.nr_exchanged;
    }
    return check_exchange(cs, &wide, long_mode);
}

/* Others -------------------------------------------------------------------- */

/* Only a toolstack may reserve the host's memory for a guest. */
static int claim_pages(CPUState *cs, uint64_t arg, bool long_mode)
{
    Reservation64 reservation;

    if (!long_mode) {
        return -ENOSYS;
    }
    if (!get_reservation(cs, arg, long_mode, &reservation)) {
        return -EFAULT;
    }
    if (reservation.extent_start || reservation.extent_order ||
        reservation.mem_flags) {
        return -EINVAL;
    }
    if (reservation.domid == DOMID_SELF ||
        xen_hypercall_check_self(reservation.domid) == -ESRCH) {
        /* It must be a domain's number. */
        return -EINVAL;
    }
    return -EPERM;
}

static int remove_from_physmap(CPUState *cs, uint64_t arg, bool long_mode)
{
    struct QEMU_PACKED {
        uint16_t domid;
        uint16_t pad[3];
        uint64_t gfn;
    } wide;
    struct QEMU_PACKED {
        uint16_t domid;
        uint16_t pad;
        uint32_t gfn;
    } narrow;
    int ret;

    if (long_mode) {
        if (kvm_copy_from_gva(cs, arg, &wide, sizeof(wide))) {
            return -EFAULT;
        }
    } else {
        if (kvm_copy_from_gva(cs, arg, &narrow, sizeof(narrow))) {
            return -EFAULT;
        }
        wide.domid = narrow.domid;
        wide.gfn = narrow.gfn;
    }
    ret = xen_hypercall_check_self(wide.domid);
    if (ret) {
        /* Domain 0 is a PV guest, which has no physmap. */
        return ret == -EPERM ? -EACCES : ret;
    }
    BQL_LOCK_GUARD();
    ret = xen_physmap_remove(wide.gfn, true);
    xen_physmap_flush();
    xen_balloon_changed();
    return ret;
}

bool xen_hypercall_reservation(CPUState *cs, unsigned int cmd, uint64_t arg,
                               bool long_mode, int64_t *result)
{
    unsigned int start = cmd >> XEN_MEMOP_EXTENT_SHIFT;
    unsigned int op = cmd & XEN_MEMOP_CMD_MASK;

    switch (op) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        *result = change_reservation(cs, op, start, arg, long_mode);
        break;
    case XENMEM_exchange:
        *result = start ? -EINVAL : exchange(cs, arg, long_mode);
        break;
    case XENMEM_claim_pages:
        *result = start ? -EINVAL : claim_pages(cs, arg, long_mode);
        break;
    case XENMEM_remove_from_physmap:
        *result = start ? -EINVAL : remove_from_physmap(cs, arg, long_mode);
        break;
    default:
        return false;
    }
    return true;
}
