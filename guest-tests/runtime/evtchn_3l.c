/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 3-level event channels, the guest's side, as the public header asks for. */

#include "internal.h"
#include "evtchn_3l.h"
#include "evtchn_bits.h"

#define NR_WORDS (WORD_BITS * WORD_BITS)
#define NR_PAGES EVTCHN_3L_NR_PAGES(WORD_BITS)

static xen_ulong_t pending[NR_WORDS] __attribute__((aligned(PAGE_SIZE)));
static xen_ulong_t masks[NR_WORDS] __attribute__((aligned(PAGE_SIZE)));
static xen_ulong_t l2_selector[MAX_VCPUS][WORD_BITS]
    __attribute__((aligned(PAGE_SIZE)));
static unsigned int handed_over;

/* No other data may be in these pages, which Xen writes. */
_Static_assert(sizeof(masks) % PAGE_SIZE == 0, "bitmaps");
_Static_assert(sizeof(l2_selector) % PAGE_SIZE == 0, "selectors");

uint64_t evtchn_query_extended_abis(void)
{
    struct evtchn_query_extended_abis query = { .abis = 0 };

    if (HYPERVISOR_event_channel_op(EVTCHNOP_query_extended_abis, &query)) {
        return 0;
    }
    return query.abis;
}

int evtchn_register_bitmaps(const void *pending_pages, const void *mask_pages,
                            uint32_t nr_pages)
{
    uint64_t gfns[2][EVTCHN_3L_NR_PAGES(64)] = { { 0 } };
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_BITMAPS,
        .u.bitmaps.nr_pages = nr_pages,
        .u.bitmaps.pending_gfns = (uintptr_t)gfns[0],
        .u.bitmaps.mask_gfns = (uintptr_t)gfns[1],
    };
    uint32_t i;

    for (i = 0; i < nr_pages && i < EVTCHN_3L_NR_PAGES(64); i++) {
        gfns[0][i] = gfn_of((const char *)pending_pages + i * PAGE_SIZE);
        gfns[1][i] = gfn_of((const char *)mask_pages + i * PAGE_SIZE);
    }
    return HYPERVISOR_event_channel_op(EVTCHNOP_register_3level, &reg);
}

int evtchn_register_l2_selector(unsigned int vcpu, uint64_t gfn,
                                uint32_t offset)
{
    struct evtchn_register_3level reg = {
        .cmd = EVTCHN_3L_L2_SELECTOR,
        .u.l2_selector = { .vcpu = vcpu, .offset = offset, .gfn = gfn },
    };

    return HYPERVISOR_event_channel_op(EVTCHNOP_register_3level, &reg);
}

xen_ulong_t *l2_selector_of(unsigned int vcpu)
{
    return l2_selector[vcpu];
}

unsigned int bitmap_pages(void)
{
    return handed_over;
}

void *bitmap_page(unsigned int page)
{
    char *bitmap = (char *)(page < NR_PAGES ? pending : masks);

    return bitmap + page % NR_PAGES * PAGE_SIZE;
}

static unsigned int nr_ports(void)
{
    return EVTCHN_3L_NR_CHANNELS(WORD_BITS);
}

static bool is_pending(evtchn_port_t port)
{
    return event_bit_is_set(pending, port);
}

static bool is_masked(evtchn_port_t port)
{
    return event_bit_is_set(masks, port);
}

static void set_pending(evtchn_port_t port)
{
    event_bit_set(pending, port);
}

static void clear_pending(evtchn_port_t port)
{
    event_bit_test_and_clear(pending, port);
}

static void mask(evtchn_port_t port)
{
    event_bit_set(masks, port);
}

static bool clear_mask(evtchn_port_t port)
{
    event_bit_test_and_clear(masks, port);
    return is_pending(port);
}

/*
 * Take all L2 words that L1 names before taking any port, so that the scan of
 * the ports can begin and end in the middle of an L2 word.
 */
static unsigned int scan(unsigned int vcpu)
{
    const struct event_bits bits = {
        .pending = pending,
        .mask = masks,
        .nr_ports = nr_ports(),
    };
    xen_ulong_t l1 = __atomic_exchange_n(
        &vcpu_info_of(vcpu)->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    xen_ulong_t l2[WORD_BITS] = { 0 };
    unsigned int i;

    for (i = 0; i < WORD_BITS; i++) {
        if (l1 >> i & 1) {
            l2[i] =
                __atomic_exchange_n(&l2_selector[vcpu][i], 0, __ATOMIC_SEQ_CST);
        }
    }
    return event_bits_scan(&bits, vcpu, l2);
}

static int grow(unsigned int nr)
{
    return nr <= nr_ports() ? 0 : -XEN_ENOSPC;
}

static int init(void)
{
    unsigned int vcpu;
    int error;

    memset(pending, 0, sizeof(pending));
    memset(masks, 0xff, sizeof(masks));
    memset(l2_selector, 0, sizeof(l2_selector));
    error = evtchn_register_bitmaps(pending, masks, NR_PAGES);
    if (error) {
        return error;
    }
    handed_over = 2 * NR_PAGES;
    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        error = evtchn_register_l2_selector(vcpu, gfn_of(l2_selector[vcpu]),
                                            (uintptr_t)l2_selector[vcpu] %
                                                PAGE_SIZE);
        if (error) {
            return error;
        }
    }
    return 0;
}

static void forget(void)
{
    event_bits_forget();
    handed_over = 0;
}

const struct evtchn_abi_ops evtchn_3l_ops = {
    .name = "3l",
    .is_pending = is_pending,
    .is_masked = is_masked,
    .set_pending = set_pending,
    .clear_pending = clear_pending,
    .mask = mask,
    .clear_mask = clear_mask,
    .scan = scan,
    .nr_ports = nr_ports,
    .backed_ports = nr_ports,
    .grow = grow,
    .init = init,
    .forget = forget,
};
