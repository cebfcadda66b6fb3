/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_physdev_op on PIRQs that stand for an emulated interrupt: Linux makes
 * these calls for each of its interrupts.
 */

#include "ioapic.h"
#include "ports.h"

#define GSI 20 /* nothing is wired to it */

static int map_gsi(int gsi, int *pirq)
{
    struct physdev_map_pirq map = {
        .domid = DOMID_SELF,
        .type = MAP_PIRQ_TYPE_GSI,
        .index = gsi,
        .pirq = *pirq,
    };
    int error = HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map);

    *pirq = map.pirq;
    return error;
}

static int unmap(int pirq)
{
    struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = pirq };

    return HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &unmap);
}

static int eoi(uint32_t pirq)
{
    struct physdev_eoi eoi = { .irq = pirq };

    return HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &eoi);
}

/* -errno, or the flags. */
static int query(uint32_t pirq)
{
    struct physdev_irq_status_query query = { .irq = pirq, .flags = 0xff };
    int error = HYPERVISOR_physdev_op(PHYSDEVOP_irq_status_query, &query);

    return error ? error : (int)query.flags;
}

static int bind_pirq(uint32_t pirq)
{
    struct evtchn_bind_pirq bind = { .pirq = pirq };

    return HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind);
}

TEST(pirq_mapped_to_a_gsi, "hvm")
{
    int pirq = -1, again = -1;

    check_equal(map_gsi(GSI, &pirq), 0);
    /* Numbers below 16 are the ISA interrupts'. */
    check(pirq >= 16);
    check_equal(query(pirq), XENIRQSTAT_needs_eoi);
    check_equal(eoi(pirq), 0);
    check_equal(bind_pirq(pirq), 0);
    check_equal(eoi(pirq), 0);
    again = pirq;
    check_equal(map_gsi(GSI, &again), 0);
    check_equal(again, pirq);
    check_equal(unmap(pirq), 0);
    check_equal(query(pirq), -XEN_EINVAL);
    /* The PIRQ is still bound. */
    check_equal(eoi(pirq), 0);
}

TEST(pirq_that_is_not_mapped, "hvm")
{
    static const uint32_t numbers[] = {
        17, 23, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    unsigned int i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        check_equal(eoi(numbers[i]), -XEN_EINVAL);
        check_equal(query(numbers[i]), -XEN_EINVAL);
        check_equal(unmap(numbers[i]), 0);
    }
}

TEST(pirq_bound_and_not_mapped, "hvm")
{
    check_equal(bind_pirq(FREE_PIRQ), 0);
    check_equal(query(FREE_PIRQ), -XEN_EINVAL);
    check_equal(eoi(FREE_PIRQ), 0);
    check_equal(unmap(FREE_PIRQ), 0);
}

TEST(pirq_that_cannot_be_mapped, "hvm")
{
    static const int numbers[] = { -1, -2, 0x10000, 0x7fffffff };
    unsigned int i;
    int pirq;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        pirq = -1;
        check_equal(map_gsi(numbers[i], &pirq), -XEN_EINVAL);
    }
    for (pirq = 0x10000; pirq > 0; pirq <<= 14) {
        check_equal(map_gsi(GSI, &pirq), -XEN_EINVAL);
    }
}

TEST(pirq_free_for_an_msi, "hvm")
{
    struct physdev_get_free_pirq one = { .type = MAP_PIRQ_TYPE_MSI };
    struct physdev_get_free_pirq other = one;

    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_get_free_pirq, &one), 0);
    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_get_free_pirq, &other), 0);
    /* Xen allocates PIRQs from the highest number down. */
    check_equal(other.pirq, one.pirq - 1);
    check_equal(query(one.pirq), -XEN_EINVAL);
    check_equal(eoi(one.pirq), 0);
    unmap(one.pirq);
    unmap(other.pirq);
}

static int free_pirq_for_msi(void)
{
    struct physdev_get_free_pirq get = { .type = MAP_PIRQ_TYPE_MSI };
    int error = HYPERVISOR_physdev_op(PHYSDEVOP_get_free_pirq, &get);

    return error ? error : (int)get.pirq;
}

static evtchn_port_t must_bind_pirq(uint32_t pirq)
{
    struct evtchn_bind_pirq bind = { .pirq = pirq };

    require(!HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind));
    return bind.port;
}

#ifdef GUEST_HVM

#define VIRTIO_BLK 0x10011af4
#define MSIX_BAR 0x14

/* The MSI-X table of virtio-blk, in a BAR of its own. */
static volatile uint32_t *msix_table(void)
{
    unsigned int device;

    for (device = 0; device < 32; device++) {
        if (pci_read(device, 0, 0) == VIRTIO_BLK) {
            return (void *)(uintptr_t)(pci_read(device, 0, MSIX_BAR) & -16);
        }
    }
    return NULL;
}

/* Write a message to vector 0, masked, that stands for an event of @pirq. */
static void write_message(volatile uint32_t *table, uint32_t pirq)
{
    table[0] = 0xfee00000 | (pirq & 0xff) << 12;
    table[1] = pirq & 0xffffff00;
    table[2] = 0x4300;
}

/*
 * A driver starts and stops its device again and again, without unmapping PIRQs:
 * QEMU frees a PIRQ when its port is closed and the vector names another one.
 */
TEST(pirq_given_back, "hvm emulated tcg lab kvm alone")
{
    volatile uint32_t *table = msix_table();
    int last = 0, pirq;
    unsigned int i;

    require(table);
    for (i = 0; i < 1000; i++) {
        evtchn_port_t port;

        pirq = free_pirq_for_msi();
        require(pirq > 0);
        /* The vector still names the last PIRQ, which the driver may bind. */
        require(pirq != last);
        write_message(table, pirq);
        port = must_bind_pirq(pirq);
        check_equal(evtchn_close(port), 0);
        last = pirq;
    }
    /* As after a free_irq() and request_irq() with no change of the message. */
    must_bind_pirq(last);
    check(free_pirq_for_msi() != last);
}

/* A crash kernel's driver may find the table as it is: nobody else gets what is in it. */
TEST(soft_reset_keeps_pirq_of_a_message, "hvm emulated tcg lab kvm alone")
{
    volatile uint32_t *table = msix_table();
    int named, other;

    require(table);
    named = free_pirq_for_msi();
    other = free_pirq_for_msi();
    require(named > 0 && other > 0);
    write_message(table, named);
    soft_reset();
    check_equal(free_pirq_for_msi(), other);
    write_message(table, other);
    check_equal(free_pirq_for_msi(), named);
}

#endif /* GUEST_HVM */

/* A PIRQ that no device uses is free when its port is closed. */
TEST(pirq_closed, "hvm tcg lab kvm")
{
    int pirq;
    unsigned int i;

    for (i = 0; i < 1000; i++) {
        pirq = free_pirq_for_msi();
        require(pirq > 0);
        check_equal(evtchn_close(must_bind_pirq(pirq)), 0);
    }
    unmap(pirq);
}

/*
 * The next kernel does not know what this one has mapped.  More often than there are
 * PIRQs for GSIs, which would end after eight.
 */
TEST(soft_reset_unmaps_pirqs, "hvm alone tcg lab kvm")
{
    int first = -1, msi = free_pirq_for_msi();
    unsigned int i;

    check_equal(map_gsi(GSI, &first), 0);
    for (i = 0; i < 10; i++) {
        int pirq = -1;

        soft_reset();
        check_equal(query(first), -XEN_EINVAL);
        check_equal(free_pirq_for_msi(), msi);
        check_equal(map_gsi(GSI, &pirq), 0);
        check_equal(pirq, first);
        must_bind_pirq(pirq);
    }
}

/* A PIRQ that has a GSI gets another: Xen returns 0, but keeps the first. */
TEST(pirq_mapped_to_another_gsi, "hvm")
{
    int pirq = -1;

    check_equal(map_gsi(GSI, &pirq), 0);
    check_equal(map_gsi(GSI + 1, &pirq), host_is_xen() ? 0 : -XEN_EBUSY);
    check_equal(unmap(pirq), 0);
    check_equal(query(pirq), -XEN_EINVAL);
}

TEST(pirq_argument_that_is_not_memory, "hvm")
{
    static const unsigned char operations[] = {
        PHYSDEVOP_eoi,        PHYSDEVOP_irq_status_query, PHYSDEVOP_map_pirq,
        PHYSDEVOP_unmap_pirq, PHYSDEVOP_get_free_pirq,
    };
    unsigned int i;

    for (i = 0; i < sizeof(operations); i++) {
        check_equal(HYPERVISOR_physdev_op(operations[i], (void *)0xe0000000),
                    -XEN_EFAULT);
    }
}
