/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 2-level event channels, the guest's side. */

#include "internal.h"
#include "evtchn_bits.h"

static unsigned int nr_ports(void)
{
    return WORD_BITS * WORD_BITS;
}

static bool is_pending(evtchn_port_t port)
{
    return event_bit_is_set(shared_info->evtchn_pending, port);
}

static bool is_masked(evtchn_port_t port)
{
    return event_bit_is_set(shared_info->evtchn_mask, port);
}

static void set_pending(evtchn_port_t port)
{
    event_bit_set(shared_info->evtchn_pending, port);
}

static void clear_pending(evtchn_port_t port)
{
    event_bit_test_and_clear(shared_info->evtchn_pending, port);
}

static void mask(evtchn_port_t port)
{
    event_bit_set(shared_info->evtchn_mask, port);
}

static bool clear_mask(evtchn_port_t port)
{
    event_bit_test_and_clear(shared_info->evtchn_mask, port);
    return is_pending(port);
}

static unsigned int scan(unsigned int vcpu)
{
    const struct event_bits bits = {
        .pending = shared_info->evtchn_pending,
        .mask = shared_info->evtchn_mask,
        .nr_ports = nr_ports(),
    };
    xen_ulong_t selector = __atomic_exchange_n(
        &vcpu_info_of(vcpu)->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);

    return event_bits_scan(&bits, vcpu, &selector);
}

static int grow(unsigned int nr)
{
    return nr <= nr_ports() ? 0 : -XEN_ENOSPC;
}

static int init(void)
{
    return 0;
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
    .forget = event_bits_forget,
};
