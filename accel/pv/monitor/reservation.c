/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest gives frames back, and gets others: XENMEM_decrease_reservation,
 * populate_physmap and increase_reservation.
 *
 * Frames that are nobody's are in a list through their entries of the M2P, of which
 * the highest bit says that there is no page.  L0 lets the host have their memory.
 */

#include "events.h"

#include <xen/memory.h>

#define NO_PAGE     (1ul << 63)
#define END_OF_LIST (~0ul)

#define MAX_ORDER   9
/* The start of a continued call is in the upper bits of its command. */
#define EXTENT_SHIFT 6
#define COMMAND(op, start) ((op) | (uint64_t)(start) << EXTENT_SHIFT)
#define MAX_EXTENTS (UINT32_MAX >> EXTENT_SHIFT)

#define m2p ((uint64_t *)WRITABLE_M2P_VA)

static struct spinlock lock;
static uint64_t first_free = END_OF_LIST;
static uint64_t nr_free;

uint64_t nr_guest_frames(void)
{
    return boot->nr_pages - __atomic_load_n(&nr_free, __ATOMIC_RELAXED);
}

static bool l0_change(unsigned int op, uint64_t mfn)
{
    struct xen_memory_reservation reservation = {
        .nr_extents = 1, .domid = DOMID_SELF,
    };

    reservation.extent_start.p = (xen_pfn_t *)&mfn;
    return l0_call(__HYPERVISOR_memory_op, op, (uint64_t)&reservation, 0, 0,
                   0) == 1;
}

static void put_in_list(uint64_t mfn)
{
    marks[mfn] = MARK_FREE;
    m2p[mfn] = first_free | NO_PAGE;
    first_free = mfn;
    nr_free++;
}

/* Rings and the like are no frames of the guest's own. */
static bool give_back(uint64_t mfn)
{
    bool done;

    spin_lock(&lock);
    done = is_guest_frame(mfn) && l0_change(XENMEM_decrease_reservation, mfn);
    if (done) {
        put_in_list(mfn);
    }
    spin_unlock(&lock);
    return done;
}

/* A frame of zeros, for page @pfn, or END_OF_LIST. */
static uint64_t get(uint64_t pfn)
{
    uint64_t mfn;

    spin_lock(&lock);
    mfn = first_free;
    if (mfn != END_OF_LIST) {
        first_free = m2p[mfn] == END_OF_LIST ? END_OF_LIST :
                                               m2p[mfn] & ~NO_PAGE;
        nr_free--;
        if (l0_change(XENMEM_populate_physmap, mfn)) {
            marks[mfn] = 0;
            m2p[mfn] = pfn;
        } else {
            put_in_list(mfn);
            mfn = END_OF_LIST;
        }
    }
    spin_unlock(&lock);
    return mfn;
}

static bool do_page(unsigned int op, uint64_t entry)
{
    uint64_t number, mfn;

    if (op == XENMEM_increase_reservation) {
        number = END_OF_LIST;
    } else if (copy_from_guest(&number, entry, sizeof(number))) {
        return false;
    }
    if (op == XENMEM_decrease_reservation) {
        return give_back(number);
    }
    mfn = get(number);
    if (mfn == END_OF_LIST) {
        return false;
    }
    /* Without a list it does not want to know, and may look at the M2P. */
    return !entry || !copy_to_guest(entry, &mfn, sizeof(mfn));
}

/*
 * Returns how many extents are done, which is all that a guest is told of an error.
 * More than a page at once is given back only, as none are kept together.
 */
long change_reservation(uint64_t *args)
{
    unsigned int op = args[0] & ((1u << EXTENT_SHIFT) - 1);
    uint64_t i = (unsigned int)args[0] >> EXTENT_SHIFT, page;
    struct xen_memory_reservation reservation;
    uint64_t list, pages;

    if (copy_from_guest(&reservation, args[1], sizeof(reservation)) ||
        reservation.nr_extents > MAX_EXTENTS || i >= reservation.nr_extents ||
        (reservation.domid != DOMID_SELF && reservation.domid != boot->domid) ||
        reservation.extent_order > MAX_ORDER ||
        (reservation.extent_order && op != XENMEM_decrease_reservation) ||
        (reservation.mem_flags & XENMEMF_populate_on_demand &&
         op == XENMEM_populate_physmap)) {
        return i;
    }
    list = (uint64_t)reservation.extent_start.p;
    pages = 1ul << reservation.extent_order;
    for (; i < reservation.nr_extents; i++) {
        uint64_t entry = list ? list + i * sizeof(xen_pfn_t) : 0, mfn;

        if (pages == 1) {
            if (!do_page(op, entry)) {
                break;
            }
        } else {
            if (copy_from_guest(&mfn, entry, sizeof(mfn))) {
                break;
            }
            for (page = 0; page < pages && give_back(mfn + page); page++) {
            }
            if (page < pages) {
                break;
            }
        }
        if (i + 1 < reservation.nr_extents &&
            wants_out(pages == 1 ? i : ~0u)) {
            args[0] = COMMAND(op, i + 1);
            return CALL_AGAIN;
        }
    }
    return i;
}
