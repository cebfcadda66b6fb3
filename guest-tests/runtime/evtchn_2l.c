/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 2-level event channels, the guest's side. */

#include "internal.h"

#define WORD(port) ((port) / WORD_BITS)
#define BIT(port) ((xen_ulong_t)1 << ((port) % WORD_BITS))

static unsigned int nr_ports(void)
{
    return WORD_BITS * WORD_BITS;
}

static bool is_pending(evtchn_port_t port)
{
    return __atomic_load_n(&shared_info->evtchn_pending[WORD(port)],
                           __ATOMIC_SEQ_CST) &
           BIT(port);
}

static bool is_masked(evtchn_port_t port)
{
    return __atomic_load_n(&shared_info->evtchn_mask[WORD(port)],
                           __ATOMIC_SEQ_CST) &
           BIT(port);
}

static void set_pending(evtchn_port_t port)
{
    __atomic_fetch_or(&shared_info->evtchn_pending[WORD(port)], BIT(port),
                      __ATOMIC_SEQ_CST);
}

static bool test_and_clear_pending(evtchn_port_t port)
{
    return __atomic_fetch_and(&shared_info->evtchn_pending[WORD(port)],
                              ~BIT(port), __ATOMIC_SEQ_CST) &
           BIT(port);
}

static void clear_pending(evtchn_port_t port)
{
    test_and_clear_pending(port);
}

static void mask(evtchn_port_t port)
{
    __atomic_fetch_or(&shared_info->evtchn_mask[WORD(port)], BIT(port),
                      __ATOMIC_SEQ_CST);
}

static bool clear_mask(evtchn_port_t port)
{
    __atomic_fetch_and(&shared_info->evtchn_mask[WORD(port)], ~BIT(port),
                       __ATOMIC_SEQ_CST);
    return is_pending(port);
}

/*
 * Where the vCPU's last scan ended; the next one starts after it, so that a port
 * that is always pending lets the others have their turn.
 */
static unsigned int next_port[MAX_VCPUS];

static unsigned int scan(unsigned int vcpu)
{
    xen_ulong_t selector = __atomic_exchange_n(
        &vcpu_info_of(vcpu)->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    unsigned int start = next_port[vcpu], taken = 0, i;

    /* Once around; the word that it starts in is looked at in two parts. */
    for (i = 0; i <= WORD_BITS; i++) {
        unsigned int word = (start / WORD_BITS + i) % WORD_BITS;
        xen_ulong_t bits, from = ~(xen_ulong_t)0 << (start % WORD_BITS);

        if (!(selector >> word & 1)) {
            continue;
        }
        bits =
            __atomic_load_n(&shared_info->evtchn_pending[word],
                            __ATOMIC_SEQ_CST) &
            ~__atomic_load_n(&shared_info->evtchn_mask[word], __ATOMIC_SEQ_CST);
        if (i == 0) {
            bits &= from;
        } else if (i == WORD_BITS) {
            bits &= ~from;
        }
        for (; bits; bits &= bits - 1) {
            evtchn_port_t port = word * WORD_BITS + __builtin_ctzl(bits);

            /*
             * A word has ports of other vCPUs, too; and an upcall within this one
             * may have taken it.
             */
            if (!evtchn_is_taken_here(port) || !test_and_clear_pending(port)) {
                continue;
            }
            next_port[vcpu] = (port + 1) % nr_ports();
            evtchn_count(port);
            taken++;
        }
    }
    return taken;
}

static int grow(unsigned int nr)
{
    return nr <= nr_ports() ? 0 : -XEN_ENOSPC;
}

static int init(void)
{
    return 0;
}

static void forget(void)
{
    memset(next_port, 0, sizeof(next_port));
}

const struct evtchn_abi_ops evtchn_2l_ops = {
    .name = "2l",
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
