/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As Xen's toolstack has them for a PVH guest: the vCPUs, and that there is no PC
 * hardware.  Of ACPI's registers there is one (hardware-reduced ACPI), as Linux does
 * not power a PVH guest off by a hypercall.
 *
 * QEMU's own builder is for firmware, which links the tables when it loads them.
 */

#include "qemu/osdep.h"
#include "cpu.h"
#include "qemu/bswap.h"
#include "hw/i386/apic.h"

#include "acpi.h"

#define HEADER_SIZE 36
#define RSDP_SIZE   36

/* A table's fields that are not 0: where it has them, by ACPI 6.0. */
#define TABLE_LENGTH    4
#define TABLE_CHECKSUM  9
#define RSDP_CHECKSUM   8
#define RSDP_V1_SIZE    20
#define RSDP_LENGTH     20
#define RSDP_XSDT       24
#define RSDP_CHECKSUM_2 32

#define FADT_SIZE       276
#define FADT_BOOT_ARCH  109
#define FADT_FLAGS      112
#define FADT_MINOR      131
#define FADT_X_DSDT     140
#define FADT_SLEEP_CONTROL  244
#define FADT_SLEEP_STATUS   256

/* A generic address: of an I/O port of one byte. */
#define ADDRESS_IO      1
#define ADDRESS_BITS    1
#define ADDRESS_ACCESS  3
#define ADDRESS_ADDRESS 4

#define BOOT_ARCH_NO_VGA    (1 << 2)
#define BOOT_ARCH_NO_RTC    (1 << 5)
#define FLAG_WBINVD         (1 << 0)
#define FLAG_NO_PWR_BUTTON  (1 << 4)
#define FLAG_NO_SLP_BUTTON  (1 << 5)
#define FLAG_HW_REDUCED     (1 << 20)

#define MADT_LAPIC          0
#define MADT_X2APIC         9
#define MADT_ENABLED        1
#define MADT_ONLINE_CAPABLE 2

static void set_8(GByteArray *t, unsigned int at, uint8_t value)
{
    t->data[at] = value;
}

static void set_32(GByteArray *t, unsigned int at, uint32_t value)
{
    stl_le_p(t->data + at, value);
}

static void set_64(GByteArray *t, unsigned int at, uint64_t value)
{
    stq_le_p(t->data + at, value);
}

/* More bytes, of 0; returns where they begin. */
static unsigned int grow(GByteArray *t, unsigned int size)
{
    unsigned int at = t->len;

    g_byte_array_set_size(t, at + size);
    memset(t->data + at, 0, size);
    return at;
}

/* The sum of all bytes is then 0. */
static void set_checksum(GByteArray *t, unsigned int from, unsigned int size,
                         unsigned int at)
{
    uint8_t sum = 0;
    unsigned int i;

    set_8(t, at, 0);
    for (i = from; i < from + size; i++) {
        sum += t->data[i];
    }
    set_8(t, at, -sum);
}

static unsigned int begin_table(GByteArray *t, const char *signature,
                                uint8_t revision, unsigned int size)
{
    unsigned int at;

    grow(t, -t->len & 15);
    at = grow(t, size);
    memcpy(t->data + at, signature, 4);
    set_8(t, at + 8, revision);
    memcpy(t->data + at + 10, "Xen   " "HVM     ", 14);
    memcpy(t->data + at + 28, "HVML", 4);
    return at;
}

static void end_table(GByteArray *t, unsigned int at)
{
    set_32(t, at + TABLE_LENGTH, t->len - at);
    set_checksum(t, at, t->len - at, at + TABLE_CHECKSUM);
}

static void set_port(GByteArray *t, unsigned int at, uint16_t port)
{
    set_8(t, at, ADDRESS_IO);
    set_8(t, at + ADDRESS_BITS, 8);
    set_8(t, at + ADDRESS_ACCESS, 1);
    set_64(t, at + ADDRESS_ADDRESS, port);
}

static unsigned int add_dsdt(GByteArray *t)
{
    /* Name (_S5, Package () { 5, 0, 0, 0 }) */
    static const uint8_t s5[] = {
        0x08, '_', 'S', '5', '_',
        0x12, 0x07, 0x04, 0x0a, XEN_DENSE_SLEEP_S5, 0x00, 0x00, 0x00,
    };
    unsigned int at = begin_table(t, "DSDT", 2, HEADER_SIZE);

    g_byte_array_append(t, s5, sizeof(s5));
    end_table(t, at);
    return at;
}

static unsigned int add_fadt(GByteArray *t, uint64_t dsdt)
{
    unsigned int at = begin_table(t, "FACP", 6, FADT_SIZE);

    stw_le_p(t->data + at + FADT_BOOT_ARCH, BOOT_ARCH_NO_VGA |
                                            BOOT_ARCH_NO_RTC);
    set_32(t, at + FADT_FLAGS, FLAG_WBINVD | FLAG_NO_PWR_BUTTON |
                               FLAG_NO_SLP_BUTTON | FLAG_HW_REDUCED);
    set_8(t, at + FADT_MINOR, 0);
    set_64(t, at + FADT_X_DSDT, dsdt);
    set_port(t, at + FADT_SLEEP_CONTROL, XEN_DENSE_SLEEP_CONTROL);
    set_port(t, at + FADT_SLEEP_STATUS, XEN_DENSE_SLEEP_CONTROL + 1);
    end_table(t, at);
    return at;
}

static void add_vcpu(GByteArray *t, uint32_t vcpu, uint32_t apic_id,
                     bool is_there)
{
    uint32_t flags = is_there ? MADT_ENABLED : MADT_ONLINE_CAPABLE;
    unsigned int at;

    if (apic_id < 255) {
        at = grow(t, 8);
        set_8(t, at, MADT_LAPIC);
        set_8(t, at + 1, 8);
        set_8(t, at + 2, vcpu);
        set_8(t, at + 3, apic_id);
        set_32(t, at + 4, flags);
    } else {
        at = grow(t, 16);
        set_8(t, at, MADT_X2APIC);
        set_8(t, at + 1, 16);
        set_32(t, at + 4, apic_id);
        set_32(t, at + 8, flags);
        set_32(t, at + 12, vcpu);
    }
}

/* To a Xen guest a processor's ACPI number is the vCPU's number. */
static unsigned int add_madt(GByteArray *t, MachineState *ms)
{
    const CPUArchIdList *vcpus =
        MACHINE_GET_CLASS(ms)->possible_cpu_arch_ids(ms);
    unsigned int at = begin_table(t, "APIC", 4, HEADER_SIZE + 8);
    int i;

    set_32(t, at + HEADER_SIZE, APIC_DEFAULT_ADDRESS);
    for (i = 0; i < vcpus->len; i++) {
        add_vcpu(t, i, vcpus->cpus[i].arch_id, vcpus->cpus[i].cpu);
    }
    end_table(t, at);
    return at;
}

GByteArray *xen_dense_acpi(MachineState *ms, uint64_t address)
{
    GByteArray *t = g_byte_array_new();
    unsigned int dsdt, fadt, madt, xsdt;

    grow(t, RSDP_SIZE);
    dsdt = add_dsdt(t);
    fadt = add_fadt(t, address + dsdt);
    madt = add_madt(t, ms);
    xsdt = begin_table(t, "XSDT", 1, HEADER_SIZE + 2 * 8);
    set_64(t, xsdt + HEADER_SIZE, address + fadt);
    set_64(t, xsdt + HEADER_SIZE + 8, address + madt);
    end_table(t, xsdt);

    memcpy(t->data, "RSD PTR ", 8);
    memcpy(t->data + 9, "Xen   ", 6);
    set_8(t, 15, 2);
    set_32(t, RSDP_LENGTH, RSDP_SIZE);
    set_64(t, RSDP_XSDT, address + xsdt);
    set_checksum(t, 0, RSDP_V1_SIZE, RSDP_CHECKSUM);
    set_checksum(t, 0, RSDP_SIZE, RSDP_CHECKSUM_2);
    return t;
}
