/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of frames that are nobody's.  It goes through their entries of the M2P, of
 * which the highest bit says that there is no page: that of the next frame is in the
 * lower half of what is left, that of the one before in the upper half.
 */

#include "free_frames.h"

#define NO_PAGE      (1ul << 63)
#define HALF         31
#define END_OF_LIST  ((1ul << HALF) - 1)

struct spinlock free_frames_lock;

static uint64_t first_free = END_OF_LIST;
static uint64_t nr_free;

uint64_t nr_free_frames(void)
{
    return __atomic_load_n(&nr_free, __ATOMIC_RELAXED);
}

uint64_t nr_guest_frames(void)
{
    return boot->nr_pages - nr_free_frames();
}

bool l0_change(unsigned int op, uint64_t mfn, unsigned int order)
{
    struct xen_memory_reservation reservation = {
        .nr_extents = 1, .extent_order = order, .domid = DOMID_SELF,
    };

    reservation.extent_start.p = (xen_pfn_t *)&mfn;
    return l0_call(__HYPERVISOR_memory_op, op, (uint64_t)&reservation, 0, 0,
                   0) == 1;
}

static uint64_t next_of(uint64_t mfn)
{
    return m2p[mfn] & END_OF_LIST;
}

static uint64_t previous_of(uint64_t mfn)
{
    return m2p[mfn] >> HALF & END_OF_LIST;
}

static void link(uint64_t mfn, uint64_t previous, uint64_t next)
{
    m2p[mfn] = NO_PAGE | previous << HALF | next;
}

void put_free(uint64_t mfn)
{
    put_mark(mfn, MARK_FREE);
    link(mfn, END_OF_LIST, first_free);
    if (first_free != END_OF_LIST) {
        link(first_free, mfn, next_of(first_free));
    }
    first_free = mfn;
    nr_free++;
}

void remove_free(uint64_t mfn)
{
    uint64_t previous = previous_of(mfn), next = next_of(mfn);

    if (previous == END_OF_LIST) {
        first_free = next;
    } else {
        link(previous, previous_of(previous), next);
    }
    if (next != END_OF_LIST) {
        link(next, previous, next_of(next));
    }
    nr_free--;
}

bool node_is_demanded(unsigned int flags)
{
    enum { NO_NODE = 0xff };

    return flags & XENMEMF_exact_node_request && !(flags & XENMEMF_vnode) &&
           XENMEMF_get_node(flags) != NO_NODE;
}

uint64_t frames_limit(unsigned int flags)
{
    unsigned int bits = XENMEMF_get_address_bits(flags);
    uint64_t limit = !bits || bits >= 64 ? boot->max_mfn :
                     bits <= PAGE_SHIFT ? 0 : 1ul << (bits - PAGE_SHIFT);

    return limit < boot->max_mfn ? limit : boot->max_mfn;
}

bool set_m2p(uint64_t mfn, uint64_t pfn)
{
    bool done;

    /* A frame that another vCPU gives back now has its place in the list there. */
    spin_lock(&free_frames_lock);
    done = is_guest_frame(mfn) || mfn == boot->xenstore_mfn ||
           mfn == boot->console_mfn;
    if (done) {
        m2p[mfn] = pfn;
    }
    spin_unlock(&free_frames_lock);
    return done;
}

static bool is_available(uint64_t mfn, unsigned int order)
{
    uint64_t end = mfn + (1ul << order);

    while (mfn < end && (mark_of(mfn) == MARK_FREE ||
                         mark_of(mfn) == MARK_STOLEN)) {
        mfn++;
    }
    return mfn == end;
}

uint64_t find_frames(unsigned int order, uint64_t limit)
{
    /* Where the last search ended, so that many do not look at the same ones. */
    static uint64_t from;
    uint64_t size = 1ul << order, mfn, end;
    unsigned int pass, i;

    if (!order && first_free != END_OF_LIST && first_free < limit) {
        return first_free;
    }
    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < PV_BOOT_RANGES; i++) {
            mfn = boot->ranges[i].first;
            end = boot->ranges[i].end < limit ? boot->ranges[i].end : limit;
            if (!pass && mfn < from) {
                mfn = from;
            }
            mfn = (mfn + size - 1) & -size;
            for (; mfn + size <= end; mfn += size) {
                if (is_available(mfn, order)) {
                    from = mfn + size;
                    return mfn;
                }
            }
        }
    }
    return NO_FRAME;
}
