/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XSA-342: an HVM guest changes its word size, by setting
 * HVM_PARAM_CALLBACK_IRQ in code of the other mode, and with it the layout of
 * shared_info.  Xen keeps the ports beyond a 32-bit guest's limit, and raises
 * their events by bits of its mask; xenkvm keeps their events until the guest
 * has 64-bit words again.
 */

#include "ports.h"

#ifdef __x86_64__

#define PORT_32 1023
#define PORT_64 1024

extern char hypercall_page[PAGE_SIZE];

/* Call in a 32-bit segment, with interrupts off and a stack below 4 GiB. */
static long __attribute__((noinline))
call_with_32_bits(unsigned int number, unsigned long a, unsigned long b)
{
    struct __attribute__((packed)) {
        uint32_t offset;
        uint16_t selector;
    } target = { .selector = 0x08 };
    unsigned long result = (uintptr_t)hypercall_page + number * 32;

    asm volatile("push %%rbx\n"
                 "mov %[a], %%rbx\n"
                 "movl $1f, (%[target])\n"
                 "ljmp *(%[target])\n"
                 ".code32\n"
                 "1: call *%%eax\n"
                 "ljmp $0x18, $2f\n"
                 ".code64\n"
                 "2: pop %%rbx\n"
                 : "+a"(result), "+c"(b)
                 : [a] "d"(a), [target] "r"(&target)
                 : "r8", "r9", "r10", "r11", "memory", "cc");
    return (int)result;
}

static long set_callback(uint64_t value, bool with_32_bits)
{
    struct xen_hvm_param param = {
        .domid = DOMID_SELF,
        .index = HVM_PARAM_CALLBACK_IRQ,
        .value = value,
    };

    return with_32_bits ?
               call_with_32_bits(__HYPERVISOR_hvm_op, HVMOP_set_param,
                                 (uintptr_t)&param) :
               HYPERVISOR_hvm_op(HVMOP_set_param, &param);
}

static uint64_t get_callback(void)
{
    struct xen_hvm_param param = {
        .domid = DOMID_SELF,
        .index = HVM_PARAM_CALLBACK_IRQ,
    };

    require(HYPERVISOR_hvm_op(HVMOP_get_param, &param) == 0);
    return param.value;
}

TEST(word_size_changes, "hvm pvh 64 2l tcg lab kvm seconds=30")
{
    unsigned char *pending = (unsigned char *)shared_info->evtchn_pending;
    unsigned char *beyond = pending + PORT_64 / 8;
    unsigned char before[2 * 4096 / 8 - PORT_64 / 8];
    uint64_t callback = get_callback();
    evtchn_port_t port, low, high;
    long error;

    do {
        port = must_bind_ipi(0);
    } while (port < PORT_64);
    low = PORT_32;
    high = port;
    upcalls_disable();
    error = set_callback(callback, true);
    if (!error) {
        /* Both layouts have the pending bits of these ports in one place. */
        check_equal(evtchn_send(low), 0);
        check(pending[low / 8] & 0x80);
        pending[low / 8] &= 0x7f;
        memcpy(before, beyond, sizeof(before));
        check_equal(evtchn_send(high), 0);
        check(!memcmp(before, beyond, sizeof(before)));
        check_equal(set_callback(callback, false), 0);
    }
    upcalls_enable();
    check_equal(error, 0);
    check(wait_for(received(high) == 1, 1000));
    check_equal(evtchn_send(high), 0);
    check(wait_for(received(high) == 2, 1000));
    check_equal(evtchn_send(low), 0);
    check(wait_for(received(low) == 1, 1000));
}

#endif
