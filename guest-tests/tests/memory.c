/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an ABI costs the guest in memory.  scripts/update-docs makes a table in
 * docs/ of the line that this prints.
 */

#include "evtchn_3l.h"
#include "fifo.h"

/* Without shared_info and vcpu_info, which every ABI has. */
static void tell(unsigned int ports, unsigned int pages, unsigned int a_vcpu)
{
    test_note("memory: %u ports, %u pages, %u bytes a vCPU", ports, pages,
              a_vcpu);
}

TEST(memory_2l, "2l")
{
    check_equal(sizeof(shared_info->evtchn_pending) * 8, abi_nr_ports());
    check_equal(sizeof(shared_info->evtchn_mask) * 8, abi_nr_ports());
    tell(abi_nr_ports(), 0, 0);
}

TEST(memory_3l, "3l")
{
    check_equal(bitmap_pages(), WORD_BITS == 64 ? 16 : 2);
    check_equal(bitmap_pages() * PAGE_SIZE * 8 / 2, abi_nr_ports());
    check_equal(EVTCHN_3L_L2_SELECTOR_SIZE(WORD_BITS),
                WORD_BITS == 64 ? 512 : 128);
    tell(abi_nr_ports(), bitmap_pages(), EVTCHN_3L_L2_SELECTOR_SIZE(WORD_BITS));
}

/* Register pages until Xen refuses one; each must add 1,024 ports. */
TEST(memory_fifo, "fifo")
{
    unsigned int pages = abi_backed_ports() / FIFO_WORDS_PER_PAGE;

    while (abi_grow((pages + 1) * FIFO_WORDS_PER_PAGE) == 0) {
        pages++;
    }
    check_equal(evtchn_expand_array(gfn_of(page_alloc(1))), -XEN_ENOSPC);
    check_equal(pages, 128);
    check_equal(pages * FIFO_WORDS_PER_PAGE, abi_nr_ports());
    check_equal(sizeof(struct evtchn_fifo_control_block), 72);
    tell(abi_nr_ports(), pages, sizeof(struct evtchn_fifo_control_block));
}
