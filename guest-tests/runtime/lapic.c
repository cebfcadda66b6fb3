/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC, see Intel's SDM volume 3, chapter "Advanced PIC". */

#include "lapic.h"

#define LAPIC_BASE 0xfee00000
#define LAPIC_ID 0x20
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_ICR_LOW 0x300
#define LAPIC_ICR_HIGH 0x310

#define ICR_INIT 0x00004500
#define ICR_STARTUP 0x00004600
#define ICR_FIXED 0x00004000
#define ICR_BUSY 0x00001000
#define ICR_ALL_BUT_SELF 0x000c0000

static volatile uint32_t *lapic(unsigned int offset)
{
    return (volatile uint32_t *)(uintptr_t)(LAPIC_BASE + offset);
}

void lapic_enable(void)
{
    *lapic(LAPIC_SPURIOUS) = 0x1ff;
}

uint32_t lapic_id(void)
{
    return *lapic(LAPIC_ID) >> 24;
}

void lapic_eoi(void)
{
    *lapic(LAPIC_EOI) = 0;
}

static void send(uint32_t id, uint32_t command)
{
    *lapic(LAPIC_ICR_HIGH) = id << 24;
    *lapic(LAPIC_ICR_LOW) = command;
    while (*lapic(LAPIC_ICR_LOW) & ICR_BUSY) {
        __builtin_ia32_pause();
    }
}

void lapic_send(uint32_t id, uint8_t vector)
{
    send(id, ICR_FIXED | vector);
}

void lapic_send_others(uint8_t vector)
{
    send(0, ICR_ALL_BUT_SELF | ICR_FIXED | vector);
}

void lapic_start_others(uint32_t address)
{
    send(0, ICR_ALL_BUT_SELF | ICR_INIT);
    send(0, ICR_ALL_BUT_SELF | ICR_STARTUP | address >> 12);
}
