/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EVTCHNOP_init_control, EVTCHNOP_expand_array, EVTCHNOP_set_priority. */

#include "fifo.h"
#include "ports.h"

#define LAST_OFFSET (PAGE_SIZE - sizeof(struct evtchn_fifo_control_block))

/* None is a page of the guest's RAM: one is the LAPIC's, one is ROM. */
static const uint64_t bad_gfns[] = {
    0xfee00, 0xfffff, 0xe0000, 0xffffffff, 1ull << 36, 1ull << 40, ~0ull,
};
#define NR_BAD_GFNS (sizeof(bad_gfns) / sizeof(bad_gfns[0]))

static void check_is_2l(void)
{
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(evtchn_expand_array(gfn_of(page_alloc(1))), -XEN_EOPNOTSUPP);
    check_equal(evtchn_set_priority(port, 0), -XEN_ENOSYS);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 1000));
    received_clear(port);
    evtchn_close(port);
}

/* With bad arguments both operations fail, and the guest stays in 2-level. */
TEST(init_control_bad_arguments, "fresh fifo")
{
    uint64_t gfn = gfn_of(page_alloc(1));
    const struct {
        const char *name;
        uint32_t offset, vcpu;
        int error;
    } cases[] = {
        { "no such vCPU", 0, VCPU_NONE, -XEN_ENOENT },
        { "vCPU 0x80000000", 0, 0x80000000, -XEN_ENOENT },
        { "vCPU first", 1, VCPU_NONE, -XEN_ENOENT },
        { "offset 1", 1, 0, -XEN_EINVAL },
        { "offset 4", 4, 0, -XEN_EINVAL },
        { "over the page's end", LAST_OFFSET + 8, 0, -XEN_EINVAL },
        { "offset 4096", PAGE_SIZE, 0, -XEN_EINVAL },
        { "offset 0xfffffff8", 0xfffffff8, 0, -XEN_EINVAL },
    };
    unsigned int i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_row(cases[i].name);
        check_equal(evtchn_init_control(gfn, cases[i].offset, cases[i].vcpu),
                    cases[i].error);
        check_is_2l();
    }
    for (i = 0; i < NR_BAD_GFNS; i++) {
        test_row("a frame that is not memory");
        check_equal(evtchn_init_control(bad_gfns[i], 0, 0), -XEN_EINVAL);
        check_is_2l();
    }
    test_row(NULL);
    check_equal(abi_switch(ABI_FIFO), 0);
}

TEST(init_control_once_for_each_vcpu, "fifo")
{
    uint64_t gfn = gfn_of(page_alloc(1));
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        check_equal(evtchn_init_control(gfn, 0, vcpu), -XEN_EINVAL);
        check_equal(evtchn_init_control(bad_gfns[0], 0, vcpu), -XEN_EINVAL);
    }
    check_equal(evtchn_init_control(gfn, 0, VCPU_NONE), -XEN_ENOENT);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 1000));
}

/* An array page with all ports masked. */
static event_word_t *masked_page(void)
{
    event_word_t *words = page_alloc(1);
    unsigned int i;

    for (i = 0; i < FIFO_WORDS_PER_PAGE; i++) {
        words[i] = FIFO_MASKED;
    }
    return words;
}

/* The block is at the guest's offset; Xen returns the bits of a link. */
TEST(init_control_offsets, "fresh fifo")
{
    static const uint32_t offsets[] = { 0, 8, 1024, LAST_OFFSET };
    unsigned int i;

    for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        char *page = page_alloc(1);
        event_word_t *words = masked_page();
        struct evtchn_fifo_control_block *block = (void *)(page + offsets[i]);
        struct evtchn_init_control init = {
            .control_gfn = gfn_of(page),
            .offset = offsets[i],
            .vcpu = 0,
        };
        evtchn_port_t port;

        check_equal(HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &init),
                    0);
        check_equal(init.link_bits, EVTCHN_FIFO_LINK_BITS);
        check_equal(evtchn_expand_array(gfn_of(words)), 0);

        require(evtchn_bind_ipi(0, &port) == 0);
        words[port] = 0;
        check_equal(evtchn_send(port), 0);
        check_equal(words[port], FIFO_PENDING | FIFO_LINKED);
        check_equal(block->ready, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
        check_equal(block->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port);
        require(guest_reset() == 0);
    }
}

/* Two vCPUs may share a page. */
TEST(init_control_in_one_page, "fresh fifo vcpus=2")
{
    char *page = page_alloc(1);
    event_word_t *words = masked_page();
    unsigned int vcpu;

    for (vcpu = 0; vcpu < 2; vcpu++) {
        check_equal(evtchn_init_control(gfn_of(page), vcpu * 72, vcpu), 0);
    }
    check_equal(evtchn_expand_array(gfn_of(words)), 0);
    for (vcpu = 0; vcpu < 2; vcpu++) {
        struct evtchn_fifo_control_block *block = (void *)(page + vcpu * 72);
        evtchn_port_t port;

        require(evtchn_bind_ipi(vcpu, &port) == 0);
        words[port] = 0;
        check_equal(evtchn_send(port), 0);
        check_equal(block->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port);
    }
    require(guest_reset() == 0);
}

static void check_is_linked(event_word_t *words, evtchn_port_t port,
                            struct evtchn_fifo_control_block *block)
{
    check_equal(evtchn_send(port), 0);
    check_equal(words[port], FIFO_PENDING | FIFO_LINKED);
    check_equal(block->ready, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
    check_equal(block->head[EVTCHN_FIFO_PRIORITY_DEFAULT], port);
    /* As if the guest had taken the event. */
    words[port] = 0;
    block->ready = 0;
}

/* vCPU 0's block has switched the guest to FIFO, in which it stays. */
TEST(init_control_that_fails_for_vcpu_1, "fresh fifo vcpus=2")
{
    struct evtchn_fifo_control_block *block[2] = { page_alloc(1),
                                                   page_alloc(1) };
    event_word_t *words = masked_page();
    uint64_t gfn = gfn_of(block[1]);
    evtchn_port_t port[2];
    unsigned int i;

    require(evtchn_init_control(gfn_of(block[0]), 0, 0) == 0);
    require(evtchn_expand_array(gfn_of(words)) == 0);
    for (i = 0; i < 2; i++) {
        require(evtchn_bind_ipi(i, &port[i]) == 0);
    }
    words[port[0]] = 0;
    check_is_linked(words, port[0], block[0]);
    for (i = 0; i < NR_BAD_GFNS + 4; i++) {
        int error = i == 0 ? evtchn_init_control(gfn, 4, 1) :
                    i == 1 ? evtchn_init_control(gfn, LAST_OFFSET + 8, 1) :
                    i == 2 ? evtchn_init_control(gfn, 0, VCPU_NONE) :
                    i == 3 ? evtchn_init_control(gfn_of(block[0]), 0, 0) :
                             evtchn_init_control(bad_gfns[i - 4], 0, 1);

        check_equal(error, i == 2 ? -XEN_ENOENT : -XEN_EINVAL);
        check_equal(evtchn_expand_array(bad_gfns[0]), -XEN_EINVAL);
        check_equal(evtchn_set_priority(port[0], EVTCHN_FIFO_PRIORITY_DEFAULT),
                    0);
        check_is_linked(words, port[0], block[0]);
    }
    check_equal(evtchn_init_control(gfn, 0, 1), 0);
    words[port[1]] = 0;
    check_is_linked(words, port[1], block[1]);
    check_is_linked(words, port[0], block[0]);
    require(guest_reset() == 0);
}

TEST(expand_array_bad_frames, "fifo")
{
    unsigned int i;

    for (i = 0; i < NR_BAD_GFNS; i++) {
        check_equal(evtchn_expand_array(bad_gfns[i]), -XEN_EINVAL);
    }
}

TEST(expand_array_to_the_last_page, "fresh fifo")
{
    uint64_t gfn = gfn_of(page_alloc(1));

    require(abi_switch(ABI_FIFO) == 0);
    check_equal(abi_grow(EVTCHN_FIFO_NR_CHANNELS), 0);
    check_equal(evtchn_expand_array(gfn), -XEN_ENOSPC);
    check_equal(evtchn_expand_array(bad_gfns[0]), -XEN_ENOSPC);
    require(guest_reset() == 0);
    check_equal(evtchn_expand_array(gfn), -XEN_EOPNOTSUPP);
}

TEST(fifo_operations_of_a_2l_guest, "2l noshim")
{
    unsigned int i;

    check_is_2l();
    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_set_priority(bad_ports[i], 0), -XEN_EINVAL);
    }
    check_equal(evtchn_set_priority(0, 0), -XEN_ENOSYS);
    check_equal(evtchn_set_priority(open_port(PORT_CLOSED), 16), -XEN_ENOSYS);
}

TEST(set_priority_each_kind_of_port, "fifo")
{
    static const int expected[NR_PORT_KINDS] = {
        [PORT_RESERVED] = -XEN_EACCES,
        [PORT_CLOSED] = -XEN_EACCES,
    };
    static const uint32_t bad[] = {
        EVTCHN_FIFO_PRIORITY_MIN + 1, 17, 32, 256, 0x7fffffff, 0xffffffff,
    };
    enum port_kind kind;
    unsigned int i;

    for (kind = 0; kind < nr_port_kinds(); kind++) {
        evtchn_port_t port;

        test_row(port_kind_names[kind]);
        port = open_port(kind);
        for (i = 0; i <= EVTCHN_FIFO_PRIORITY_MIN; i++) {
            check_equal(evtchn_set_priority(port, i), expected[kind]);
        }
        for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            check_equal(evtchn_set_priority(port, bad[i]),
                        expected[kind] ? expected[kind] : -XEN_EINVAL);
        }
    }
}

TEST(set_priority_bad_ports, "fifo")
{
    unsigned int i;

    for (i = 0; i < NR_BAD_PORTS; i++) {
        check_equal(evtchn_set_priority(bad_ports[i], 0), -XEN_EINVAL);
        check_equal(evtchn_set_priority(bad_ports[i], 16), -XEN_EINVAL);
    }
}

/* A refused priority changes nothing; a closed port forgets its priority. */
TEST(set_priority_chooses_the_queue, "fifo")
{
    volatile struct evtchn_fifo_control_block *block = fifo_control_block(0);
    evtchn_port_t port = must_bind_ipi(0);

    check_equal(evtchn_set_priority(port, EVTCHN_FIFO_PRIORITY_MIN), 0);
    check_equal(evtchn_set_priority(port, EVTCHN_FIFO_PRIORITY_MIN + 1),
                -XEN_EINVAL);
    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(block->ready, 1 << EVTCHN_FIFO_PRIORITY_MIN);
    upcalls_enable();
    check(wait_for(received(port) == 1, 1000));

    check_equal(evtchn_close(port), 0);
    check_equal(must_bind_ipi(0), port);
    upcalls_disable();
    check_equal(evtchn_send(port), 0);
    check_equal(block->ready, 1 << EVTCHN_FIFO_PRIORITY_DEFAULT);
    upcalls_enable();
    check(wait_for(received(port) == 2, 1000));
}
