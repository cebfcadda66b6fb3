/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines that stay high until their device is seen to: beside upcalls on
 * the same line, and as PIRQs.  The device is QEMU's real-time clock, which holds its
 * line high from an interrupt on until the guest reads its register C.
 */

#include "guest.h"

#ifdef GUEST_HVM

#include "internal.h"
#include "interrupt.h"
#include "ioapic.h"
#include "lapic.h"
#include "port_io.h"

#include <xen/hvm/params.h>
#include <xen/physdev.h>

#define RTC_GSI 8
#define RTC_A 0x0a
#define RTC_A_SLOWEST 0x0f
#define RTC_B 0x0b
#define RTC_B_PERIODIC 0x40
#define RTC_C 0x0c
#define RTC_C_PERIODIC 0x40

/* A periodic interrupt at 2 Hz: one now, and none for half a second. */
static void rtc_line_goes_high(void)
{
    rtc_write(RTC_A, (rtc_read(RTC_A) & 0xf0) | RTC_A_SLOWEST);
    rtc_write(RTC_B, rtc_read(RTC_B) | RTC_B_PERIODIC);
    rtc_read(RTC_C);
    require(wait_for(rtc_read(RTC_C) & RTC_C_PERIODIC, 5000));
    spin_for(550);
}

static void rtc_line_goes_low(void)
{
    rtc_write(RTC_B, rtc_read(RTC_B) & ~RTC_B_PERIODIC);
    rtc_read(RTC_C);
}

static void upcalls_by_gsi(unsigned int gsi)
{
    struct xen_hvm_param param = {
        .domid = DOMID_SELF,
        .index = HVM_PARAM_CALLBACK_IRQ,
        .value = gsi,
    };

    check_equal(HYPERVISOR_hvm_op(HVMOP_set_param, &param), 0);
}

/* A line was high while upcalls used it, and low when upcalls have another. */
TEST(line_left_by_upcalls, "hvm alone tcg lab kvm")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before;

    upcalls_disable();
    upcalls_by_gsi(RTC_GSI);
    rtc_line_goes_high();
    require(upcall_set_method(UPCALL_GSI) == 0);
    before = upcalls_by(UPCALL_GSI);
    upcalls_enable();
    spin_for(20);
    check_equal(upcalls_by(UPCALL_GSI), before);
    check_equal(evtchn_send(port), 0);
    check(wait_for(received(port) == 1, 5000));
    check_equal(upcalls_by(UPCALL_GSI), before + 1);
    rtc_line_goes_low();
}

/* The clock's line is high before upcalls use it, and after they are taken. */
TEST(line_taken_by_upcalls, "hvm alone tcg lab kvm")
{
    evtchn_port_t port = must_bind_ipi(0);
    unsigned int before;

    require(upcall_set_method(UPCALL_NONE) == 0);
    upcalls_disable();
    rtc_line_goes_high();
    upcalls_by_gsi(RTC_GSI);
    check_equal(evtchn_send(port), 0);
    check(consume_events() == 1);
    /* QEMU looks at the upcall flag at an interrupt, or after a hypercall. */
    lapic_send(lapic_id(), VECTOR_KICK);
    upcalls_enable();
    spin_for(5);
    sched_yield();
    upcalls_disable();

    /* The clock's interrupt is still due when upcalls have left the line. */
    before = upcalls_by(UPCALL_NONE);
    ioapic_route(RTC_GSI, VECTOR_LINE, lapic_id());
    require(upcall_set_method(UPCALL_NONE) == 0);
    rtc_line_goes_low();
    upcalls_enable();
    check(wait_for(upcalls_by(UPCALL_NONE) != before, 1000));
    check_equal(upcalls_by(UPCALL_NONE), before + 1);
}

static evtchn_port_t map_and_bind(uint32_t pirq)
{
    struct physdev_map_pirq map = {
        .domid = DOMID_SELF,
        .type = MAP_PIRQ_TYPE_GSI,
        .index = RTC_GSI,
        .pirq = pirq,
    };
    struct evtchn_bind_pirq bind = { .pirq = pirq };

    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map), 0);
    require(!HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind));
    port_unmask(bind.port);
    return bind.port;
}

static void unmap_and_close(uint32_t pirq, evtchn_port_t port)
{
    struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = pirq };

    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &unmap), 0);
    check_equal(evtchn_close(port), 0);
}

/* A PIRQ is bound to a line that is high, and to one that was. */
TEST(line_taken_by_pirq, "hvm alone tcg lab kvm")
{
    const uint32_t pirq = 20;
    struct physdev_eoi eoi = { .irq = pirq };
    evtchn_port_t port;

    rtc_line_goes_high();
    port = map_and_bind(pirq);
    check(wait_for(received(port) >= 1, 1000));
    received_clear(port);
    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &eoi), 0);
    check(wait_for(received(port) >= 1, 1000));

    unmap_and_close(pirq, port);
    rtc_line_goes_low();
    received_clear(port);
    port = map_and_bind(pirq);
    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &eoi), 0);
    spin_for(5);
    check_equal(received(port), 0);
    rtc_line_goes_high();
    check(received(port) >= 1);
    rtc_line_goes_low();
    unmap_and_close(pirq, port);
}

#endif
